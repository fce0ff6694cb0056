/** The last minutes of a node, second by second, for charts that begin full. */
import type { History, Status } from '../../gateway/api/status-schema.js';

const SECONDS = 300;

class StatusHistory {
  readonly #statuses: Pick<Status, 'at' | 'rates' | 'log' | 'pools'>[] = [];

  add({ at, rates, log, pools }: Status): void {
    this.#statuses.push({ at, rates, log, pools });
    if (this.#statuses.length > SECONDS) this.#statuses.shift();
  }

  read(): History {
    const of = <Value>(read: (status: Pick<Status, 'at' | 'rates' | 'log' | 'pools'>) => Value) =>
      this.#statuses.map(read);
    return {
      at: of(({ at }) => at),
      acknowledged: of(({ rates }) => rates.acknowledged),
      refused: of(({ rates }) => rates.refused),
      done: of(({ rates }) => rates.done),
      lag: of(({ log }) => log.lag),
      acknowledgeMsP95: of(({ rates }) => rates.acknowledgeMs?.p95 ?? null),
      ageMsP95: of(({ pools }) => {
        const ages = pools.flatMap(({ ageMs }) => (ageMs === null ? [] : [ageMs.p95]));
        return ages.length === 0 ? null : Math.max(...ages);
      }),
    };
  }
}

export { StatusHistory };
