/**
 * `npm run simulate -- --seeds N [--seed S] [--trace]`: N runs, from seed S or 1 on; with `--seed` alone that one. A run that breaks a promise is
 * run again and printed, line by line; `--trace` prints every run. Ends with 1 when a promise was broken.
 */
import { parseArgs } from 'node:util';
import { simulate } from './simulation.js';

/** Of runs that break a promise, so many are printed; of the others what they broke. */
const SHOWN_MAX = 3;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
const first = whole('--seed', values.seed ?? '1');
const count = whole('--seeds', values.seeds ?? (values.seed === undefined ? '1000' : '1'));

const begunAt = performance.now();
let [failures, events, effects, acknowledged, settledMsMost] = [0, 0, 0, 0, 0];
for (let seed = first; seed < first + count; seed++) {
  const run = await simulate(seed);
  events += run.events;
  effects += run.effects;
  acknowledged += run.acknowledged;
  settledMsMost = Math.max(settledMsMost, run.settledMs);
  const isBroken = run.broken.length > 0;
  if (isBroken) failures++;
  if (values.trace || (isBroken && failures <= SHOWN_MAX)) {
    const { trace } = await simulate(seed, { traced: true });
    console.log(trace.join('\n'));
  }
  if (values.trace || isBroken)
    console.log(`seed ${seed}: ${isBroken ? run.broken.join('; ') : 'all promises kept'}`);
}
const ms = (performance.now() - begunAt) / count;
console.log(
  `${count} runs from seed ${first}, ${failures} broke a promise; ${acknowledged} messages acknowledged, ${effects} effects, ${events} events; at rest after ${Math.round(settledMsMost)} ms at most; ${ms.toFixed(1)} ms a run`,
);
process.exitCode = failures > 0 ? 1 : 0;

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!(Number.isSafeInteger(number) && number >= 1))
    throw new RangeError(`${name} is ${text}, allowed is a whole number from 1`);
  return number;
}
