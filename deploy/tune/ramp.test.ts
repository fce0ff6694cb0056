/** The ramp against a node in numbers: it holds up to a rate, and then it does not. */
import t from 'tap';
import { type Step, type Verdict, verdictOf } from './measurements.js';
import { nextRate, runRamp } from './ramp.js';

const step = (rate: number, verdict: Verdict, busy = 0.1): Step => ({
  load: {
    rate,
    seconds: 3,
    connections: 64,
    sent: rate * 3,
    acknowledged: rate * 3,
    failures: 0,
    rejected: {},
    latencyMs: { p50: 1, p95: 2, p99: 3 },
    busy,
    machineBusy: null,
  },
  node: {
    gatewayBusy: busy,
    eventLoopDelayMs: 1,
    acknowledgeMs: null,
    commitMs: null,
    logState: 'open',
    dependencies: [],
    pool: null,
  },
  verdict,
});

async function ramp(verdict: (rate: number) => Verdict, seconds = 1_000, busy = 0.1) {
  let now = 0;
  const steps = await runRamp({
    rateFirst: 20,
    rateMax: 10_000,
    endMs: seconds * 1_000,
    stepSeconds: 3,
    signal: new AbortController().signal,
    now: () => now,
    onStep: () => {},
    step: async (rate, took) => {
      now += took * 1_000;
      return step(rate, verdict(rate), busy);
    },
  });
  return steps.map(({ load }) => Math.round(load.rate));
}

t.test(
  'it rises fast while all is at ease, slower when something works, and not over the maximum',
  async (t) => {
    t.strictSame(await ramp(() => 'held'), [20, 80, 320, 1_280, 5_120, 10_000]);
    t.strictSame((await ramp(() => 'held', 1_000, 0.5)).slice(0, 4), [20, 40, 80, 160]);
    t.equal(nextRate([{ ...step(20, 'held'), node: null }], 20, 100), 40, 'nothing known is not ease');
  },
);

t.test('it looks between the last that was held and the first that was not', async (t) => {
  t.strictSame(await ramp((rate) => (rate > 700 ? 'slow' : 'held')), [20, 80, 320, 1_280, 640, 905]);
  t.strictSame(await ramp((rate) => (rate > 400 ? 'short' : 'held')), [20, 80, 320, 1_280, 640, 453]);
});

t.test('a pool that falls behind has shown what it can do, and a node that holds nothing too', async (t) => {
  t.strictSame(await ramp((rate) => (rate > 100 ? 'behind' : 'held')), [20, 80, 320]);
  t.strictSame(await ramp(() => 'refused'), [20]);
});

t.test('it ends with its time, after one step at least', async (t) => {
  t.strictSame(await ramp(() => 'held', 10), [20, 80, 320]);
  t.strictSame(await ramp(() => 'held', 1), [20]);
});

t.test('told to stop, it leaves out the step that was cut short', async (t) => {
  const stop = new AbortController();
  const steps = await runRamp({
    rateFirst: 20,
    rateMax: 10_000,
    endMs: Number.POSITIVE_INFINITY,
    stepSeconds: 3,
    signal: stop.signal,
    now: () => 0,
    onStep: () => {},
    step: async (rate) => {
      if (rate === 320) stop.abort();
      return step(rate, 'held');
    },
  });
  t.equal(steps.length, 2);
});

t.test('how a step ended', async (t) => {
  const { load, node } = step(100, 'held');
  if (node === null) throw new Error('it has one');
  const pool = {
    actor: 'payment',
    threads: 1,
    busy: 0.1,
    donePerSecond: 10,
    lag: 100,
    growth: 0.3,
    inFlight: 1,
    mailboxMax: 1,
    live: 1,
    turnMs: null,
    settings: { min: 1, max: 1, batchMax: 1, lingerMs: 0, inFlightMax: 1 },
  };
  const of = (moreLoad: Partial<typeof load>, moreNode: Partial<typeof node> = {}) =>
    verdictOf({ load: { ...load, ...moreLoad }, node: { ...node, ...moreNode } }, 200);
  t.equal(of({}), 'held');
  t.equal(of({ failures: 3 }), 'held', 'one in a hundred');
  t.equal(of({ failures: 4 }), 'refused');
  t.equal(of({ acknowledged: 0 }), 'refused', 'nothing came of it');
  t.equal(of({ acknowledged: 269 }), 'short');
  t.equal(of({ acknowledged: 271 }), 'held');
  t.equal(of({ latencyMs: { p50: 1, p95: 2, p99: 201 } }), 'slow');
  t.equal(of({ latencyMs: null }), 'held');
  t.equal(of({}, { pool }), 'behind');
  t.equal(of({ acknowledged: 200 }, { pool }), 'behind', 'before the rate that was not reached');
  t.equal(of({}, { pool: { ...pool, growth: 0.1 } }), 'held');
  t.equal(of({}, { pool: { ...pool, lag: 20 } }), 'held', 'that is under way anyway');
  t.equal(of({}, { pool: { ...pool, growth: null } }), 'held');
});
