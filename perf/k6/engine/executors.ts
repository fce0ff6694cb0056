/**
 * Runs one scenario: when its iterations start, on which VU, and how it ends.
 *
 * Arrival rates are open loops: an iteration starts when it is due, whatever the ones before it do. One that is due while no VU is free is dropped and
 * counted, and another VU is made meanwhile, up to `maxVUs`. At the end iterations under way have `gracefulStop`, or a moment when the run is aborted;
 * then their VUs are killed.
 */
import type { Scenario } from './options.js';
import { constantArrivals, rampingArrivals } from './schedule.js';

export interface Clock {
  nowMs(): number;
  /** Resolves after so long, or as soon as `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** `Vu` is what runs one iteration at a time. */
export interface World<Vu> {
  readonly clock: Clock;
  /** On the clock. */
  readonly startedMs: number;
  /** Aborted: no further iteration starts. */
  readonly signal: AbortSignal;
  take(): Vu | undefined;
  give(vu: Vu): void;
  /** None is free: one more, if there may be. */
  grow(): void;
  /** Never rejects. @param dueMs on the clock */
  run(vu: Vu, scenario: Scenario, index: number, dueMs: number): Promise<void>;
  /** The iteration of this VU is over soon after. */
  kill(vu: Vu): void;
  onDropped(scenario: Scenario): void;
}

/** So long iterations have when the run is aborted. */
const ABORT_MS = 2_000;

export async function runScenario<Vu>(scenario: Scenario, world: World<Vu>): Promise<void> {
  const startMs = world.startedMs + scenario.startMs;
  await world.clock.sleep(startMs - world.clock.nowMs(), world.signal);
  const running = new Map<Vu, Promise<void>>();
  if (scenario.executor === 'constant-vus') await runLoops(scenario, world, startMs, running);
  else {
    const arrivals =
      scenario.executor === 'constant-arrival-rate'
        ? constantArrivals(scenario.ratePerMs, scenario.durationMs)
        : rampingArrivals(scenario.startRatePerMs, scenario.stages);
    await runArrivals(scenario, world, startMs, arrivals, running);
    const endMs = startMs + scenario.durationMs;
    await world.clock.sleep(endMs - world.clock.nowMs(), world.signal);
    await settle(world, endMs + scenario.gracefulStopMs, running);
  }
}

async function runArrivals<Vu>(
  scenario: Extract<Scenario, { readonly maxVus: number }>,
  world: World<Vu>,
  startMs: number,
  arrivals: Iterable<number>,
  running: Map<Vu, Promise<void>>,
): Promise<void> {
  const { clock, signal } = world;
  let index = 0;
  for (const atMs of arrivals) {
    const dueMs = startMs + atMs;
    const leftMs = dueMs - clock.nowMs();
    if (leftMs > 0) await clock.sleep(leftMs, signal);
    if (signal.aborted) return;
    const vu = running.size < scenario.maxVus ? world.take() : undefined;
    if (vu === undefined) {
      world.onDropped(scenario);
      if (running.size < scenario.maxVus) world.grow();
      continue;
    }
    const run = world.run(vu, scenario, index, dueMs).then(() => {
      running.delete(vu);
      world.give(vu);
    });
    running.set(vu, run);
    index += 1;
  }
}

async function runLoops<Vu>(
  scenario: Extract<Scenario, { readonly executor: 'constant-vus' }>,
  world: World<Vu>,
  startMs: number,
  running: Map<Vu, Promise<void>>,
): Promise<void> {
  const { clock, signal } = world;
  const endMs = startMs + scenario.durationMs;
  let index = 0;
  const loop = async (vu: Vu) => {
    while (!signal.aborted && clock.nowMs() < endMs) await world.run(vu, scenario, index++, clock.nowMs());
    running.delete(vu);
    world.give(vu);
  };
  for (let n = 0; n < scenario.vus; n++) {
    const vu = world.take();
    if (vu !== undefined) running.set(vu, loop(vu));
  }
  await settle(world, endMs + scenario.gracefulStopMs, running);
}

/** Until all are over, or killed. @param endMs when those that still run are killed, on the clock */
async function settle<Vu>(
  world: World<Vu>,
  endMs: number,
  running: ReadonlyMap<Vu, Promise<void>>,
): Promise<void> {
  const over = new AbortController();
  const all = Promise.all(running.values()).then(() => over.abort());
  const { clock, signal } = world;
  await clock.sleep(endMs - clock.nowMs(), AbortSignal.any([over.signal, signal]));
  if (!over.signal.aborted && signal.aborted) await clock.sleep(ABORT_MS, over.signal);
  if (!over.signal.aborted) for (const vu of running.keys()) world.kill(vu);
  await all;
}

export const SYSTEM_CLOCK = (nowMs: () => number): Clock => ({
  nowMs,
  sleep(ms, signal) {
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
    });
  },
});
