/** Orders the terms of all series of a logistic map, in turns, and answers with the sum of the last ones. */
import { type Asks, defineActor } from '../../../../runtime/index.js';
import series from './series.js';

export type ComputeMap = {
  readonly type: 'compute';
  readonly series: number;
  readonly terms: number;
  readonly startRate: number;
  readonly increment: number;
} & Asks<readonly number[]>;

/** All terms that are ordered are computed before the last is known. */
const LAST_TERM_MS_MAX = 300_000;

export default defineActor<ComputeMap>({
  type: 'logistic-master',
  scope: 'key',
  async receive(messages, context) {
    for (const message of messages) {
      const { terms, startRate, increment } = message.body;
      const all = Array.from({ length: message.body.series }, (_, at) =>
        context.ref(series, `${context.key}-${at}`),
      );
      for (const [at, one] of all.entries())
        void one.tell({ type: 'start', rate: startRate + at * increment, term: at * increment });
      for (let term = 0; term < terms; term++) {
        for (const one of all) {
          const room = one.tell({ type: 'next' });
          if (room !== undefined) await room;
        }
      }
      const last = await Promise.all(
        all.map((one) => one.ask({ type: 'last' }, { timeoutMs: LAST_TERM_MS_MAX })),
      );
      message.reply([last.reduce((sum, term) => sum + term, 0)]);
    }
  },
});
