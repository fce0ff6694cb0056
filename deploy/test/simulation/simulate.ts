/** `npm run simulate -- --seeds N [--seed S] [--trace]`: many runs, or one that is shown. Ends with 1 when a promise was broken. */
import { parseArgs } from 'node:util';
import { simulate } from './simulation.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

const [first, count] = values.seed === undefined ? [1, Number(values.seeds)] : [Number(values.seed), 1];
const begunAt = performance.now();
let [failures, events, effects, acknowledged, slowest] = [0, 0, 0, 0, 0];
for (let seed = first; seed < first + count; seed++) {
  const run = await simulate(seed);
  events += run.events;
  effects += run.effects;
  acknowledged += run.acknowledged;
  slowest = Math.max(slowest, run.settledMs);
  if (run.broken.length > 0) failures++;
  if (run.broken.length > 0 || values.trace) {
    const { trace } = await simulate(seed, { traced: true });
    if (failures < 4) console.log([...trace, ...run.broken].join('\n'));
    console.log(`seed ${seed}: ${run.broken.length > 0 ? run.broken.join('; ') : 'all promises kept'}`);
  }
}
const ms = performance.now() - begunAt;
console.log(
  `${count} runs, ${failures} failed; ${events} events, ${acknowledged} messages acknowledged, ${effects} effects; at rest after ${Math.round(slowest)} ms at most; ${(ms / count).toFixed(1)} ms a run`,
);
process.exitCode = failures > 0 ? 1 : 0;
