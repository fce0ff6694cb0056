import t from 'tap';
import { type Clock, runScenario, type World } from './executors.js';
import type { Scenario } from './options.js';

/** Time goes on when everybody sleeps. */
class TestClock implements Clock {
  ms = 0;
  readonly #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  nowMs(): number {
    return this.ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { atMs: this.ms + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        const at = this.#sleepers.indexOf(sleeper);
        if (at >= 0) this.#sleepers.splice(at, 1);
        resolve();
      });
    });
  }

  async runUntil(over: Promise<unknown>): Promise<void> {
    let isOver = false;
    const done = over.finally(() => {
      isOver = true;
    });
    for (let steps = 0; ; steps++) {
      if (steps > 10_000) throw new Error('it does not end');
      // Whatever follows from the last step.
      await new Promise((resolve) => setImmediate(resolve));
      if (isOver) break;
      this.#sleepers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#sleepers.shift();
      if (next === undefined) continue;
      this.ms = Math.max(this.ms, next.atMs);
      next.wake();
    }
    await done;
  }
}

const COMMON = {
  name: 'own',
  exec: 'default',
  startMs: 100,
  durationMs: 1_000,
  gracefulStopMs: 500,
  tags: {},
} as const;
const ARRIVALS: Scenario = {
  ...COMMON,
  executor: 'constant-arrival-rate',
  ratePerMs: 5 / 1_000,
  preAllocatedVus: 1,
  maxVus: 2,
};

interface Setting {
  /** Of an iteration, by its index. */
  readonly takesMs: (index: number) => number;
  readonly vus: number;
  /** Made by the first `grow`. */
  readonly more?: number;
  readonly abortAtMs?: number;
}

async function play(scenario: Scenario, { takesMs, vus, more = 0, abortAtMs }: Setting) {
  const clock = new TestClock();
  const idle = Array.from({ length: vus }, (_, id) => id);
  const stop = new AbortController();
  const started: (readonly [index: number, dueMs: number, atMs: number])[] = [];
  const killed: number[] = [];
  const interrupts = new Map<number, () => void>();
  let [dropped, grown] = [0, 0];
  const world: World<number> = {
    clock,
    startedMs: 0,
    signal: stop.signal,
    take: () => idle.pop(),
    give: (vu) => void (killed.includes(vu) || idle.push(vu)),
    grow() {
      if (grown++ < more) idle.push(100 + grown);
    },
    async run(vu, _scenario, index, dueMs) {
      started.push([index, dueMs, clock.ms]);
      const interrupted = new Promise<void>((resolve) => interrupts.set(vu, resolve));
      await Promise.race([clock.sleep(takesMs(index)), interrupted]);
    },
    kill(vu) {
      killed.push(vu);
      interrupts.get(vu)?.();
    },
    onDropped() {
      dropped += 1;
    },
  };
  if (abortAtMs !== undefined) void clock.sleep(abortAtMs).then(() => stop.abort());
  await clock.runUntil(runScenario(scenario, world));
  return { started, dropped, grown, killed, idle, endMs: clock.ms };
}

t.test('an arrival rate is an open loop', async (t) => {
  const { started, dropped, endMs } = await play(ARRIVALS, { takesMs: () => 150, vus: 1 });
  t.strictSame(
    started.map(([index, dueMs, atMs]) => [index, dueMs, atMs]),
    [0, 1, 2, 3, 4].map((n) => [n, 100 + n * 200, 100 + n * 200]),
  );
  t.equal(dropped, 0);
  t.equal(endMs, 1_100, 'the scenario lasts as long as it says');
});

t.test('an iteration without a free VU is dropped, and another VU is made', async (t) => {
  const { started, dropped, grown } = await play(ARRIVALS, { takesMs: () => 350, vus: 1, more: 1 });
  // The one that is due at 300 is dropped; from then on there are two.
  t.strictSame(
    started.map(([, , atMs]) => atMs),
    [100, 500, 700, 900],
  );
  t.strictSame([dropped, grown], [1, 1]);
});

t.test('no more than maxVUs are used, even if there are more', async (t) => {
  const { dropped, grown } = await play(ARRIVALS, { takesMs: () => 5_000, vus: 4 });
  t.strictSame([dropped, grown], [3, 0]);
});

t.test('after gracefulStop an iteration is interrupted', async (t) => {
  const takesMs = (index: number) => [5_000, 10, 10, 10, 400][index] ?? 0;
  const { killed, endMs, idle } = await play(ARRIVALS, { takesMs, vus: 2 });
  t.strictSame([killed, endMs, idle], [[1], 1_600, [0]]);
});

t.test('an abort starts nothing more, and leaves a moment to end', async (t) => {
  const { started, killed, endMs } = await play(ARRIVALS, { takesMs: () => 9_000, vus: 2, abortAtMs: 150 });
  t.equal(started.length, 1);
  t.strictSame([killed, endMs], [[1], 2_150]);
  const short = await play(ARRIVALS, { takesMs: () => 150, vus: 2, abortAtMs: 150 });
  t.strictSame([short.killed, short.started.length, short.endMs <= 2_150], [[], 1, true]);
});

t.test('constant VUs begin again as soon as they are done', async (t) => {
  const scenario: Scenario = { ...COMMON, executor: 'constant-vus', vus: 2 };
  const { started, killed, endMs } = await play(scenario, { takesMs: () => 400, vus: 2 });
  t.strictSame(
    started.map(([index, , atMs]) => [index, atMs]),
    [0, 1, 2, 3, 4, 5].map((index) => [index, 100 + 400 * Math.floor(index / 2)]),
  );
  t.strictSame([killed, endMs], [[], 1_300]);
});
