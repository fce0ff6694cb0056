/** The last five minutes, second by second: what the node kept, and what has been seen since. */
import type { History, Status } from '../../api/status-schema.js';

const SECONDS_MAX = 300;

export const EMPTY: History = {
  at: [],
  acknowledged: [],
  refused: [],
  done: [],
  lag: [],
  acknowledgeMsP95: [],
  ageMsP95: [],
};

/** With one more second, unless it is there. */
export function appended(history: History, status: Status): History {
  const last = history.at.at(-1) ?? 0;
  if (status.at - last < 500) return history;
  const add = <T>(values: readonly T[], value: T): T[] => [...values.slice(1 - SECONDS_MAX), value];
  const ages = status.pools.flatMap(({ ageMs }) => (ageMs === null ? [] : [ageMs.p95]));
  return {
    at: add(history.at, status.at),
    acknowledged: add(history.acknowledged, status.rates.acknowledged),
    refused: add(history.refused, status.rates.refused),
    done: add(history.done, status.rates.done),
    lag: add(history.lag, status.log.lag),
    acknowledgeMsP95: add(history.acknowledgeMsP95, status.rates.acknowledgeMs?.p95 ?? null),
    ageMsP95: add(history.ageMsP95, ages.length === 0 ? null : Math.max(...ages)),
  };
}
