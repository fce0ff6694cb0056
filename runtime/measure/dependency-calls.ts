/**
 * Calls to what a node depends on: how long they take, and how many fail. Drivers tell of each on a diagnostics channel, where that
 * costs nothing while nobody listens; each thread counts its own, and the main thread adds them up.
 */
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Histogram, type HistogramCounts, type HistogramDelta } from './histogram.js';

const DEPENDENCIES = ['postgres', 's3', 'redis'] as const;
/** Those that every node has, and those that its settings name, such as `forward:shop`. */
export type Dependency = (typeof DEPENDENCIES)[number] | `${string}:${string}`;

/** What is published for each call. */
interface DependencyCall {
  readonly dependency: Dependency;
  readonly ms: number;
  /** False when the call failed: the connection, or what was asked for. */
  readonly ok: boolean;
}

/** Since the last time. */
export interface CallDelta {
  readonly dependency: Dependency;
  readonly times: HistogramDelta | undefined;
  readonly failures: number;
}

export interface DependencyStats {
  readonly dependency: Dependency;
  /** Of all calls, those that failed among them. */
  readonly times: HistogramCounts;
  readonly failures: number;
}

/** Beyond them those that settings name are counted together by kind, such as `forward:*`: a metric has a bounded number of series. */
const NAMED_MAX = 50;
const NAMED = /^([a-z][a-z0-9]{0,20}):[a-z0-9*-]{1,63}$/;

interface Counted {
  readonly times: Histogram;
  failures: number;
}

const CHANNEL = 'tether:call';
const calls = channel(CHANNEL);

/**
 * Does a call, and tells of it when it is over.
 * @param isFailure of what it rejects with; without it, all is: an answer such as that something is not there may be none
 */
export async function toldCall<Result>(
  dependency: Dependency,
  call: () => Promise<Result> | Result,
  isFailure: (error: unknown) => boolean = () => true,
): Promise<Result> {
  if (!calls.hasSubscribers) return call();
  const begunAt = performance.now();
  let ok = false;
  try {
    const result = await call();
    ok = true;
    return result;
  } catch (error) {
    ok = !isFailure(error);
    throw error;
  } finally {
    tell(dependency, begunAt, ok);
  }
}

/** For a driver whose calls are no promises: told of when the returned function is called, once. */
export function beginCall(dependency: Dependency): ((ok: boolean) => void) | undefined {
  if (!calls.hasSubscribers) return undefined;
  const begunAt = performance.now();
  return (ok) => tell(dependency, begunAt, ok);
}

function tell(dependency: Dependency, begunAt: number, ok: boolean): void {
  calls.publish({ dependency, ms: performance.now() - begunAt, ok } satisfies DependencyCall);
}

/** Counts the calls of its thread from `listen` on, and what other threads counted. */
export class DependencyCalls {
  readonly #counted = new Map<Dependency, Counted>(
    DEPENDENCIES.map((dependency) => [dependency, { times: new Histogram(), failures: 0 }]),
  );

  readonly #count = (message: unknown): void => {
    const { dependency, ms, ok } = message as DependencyCall;
    const counted = this.#of(dependency);
    if (counted === undefined) return;
    counted.times.observe(ms);
    if (!ok) counted.failures++;
  };

  listen(): void {
    subscribe(CHANNEL, this.#count);
  }

  close(): void {
    unsubscribe(CHANNEL, this.#count);
  }

  /** What was counted since the last time. */
  take(): CallDelta[] {
    const deltas: CallDelta[] = [];
    for (const [dependency, counted] of this.#counted) {
      const { failures } = counted;
      const times = counted.times.take();
      counted.failures = 0;
      if (times !== undefined) deltas.push({ dependency, times, failures });
    }
    return deltas;
  }

  add(deltas: readonly CallDelta[]): void {
    for (const { dependency, times, failures } of deltas) {
      const counted = this.#of(dependency);
      if (counted === undefined) continue;
      counted.times.add(times);
      counted.failures += failures;
    }
  }

  stats(): DependencyStats[] {
    return Array.from(this.#counted, ([dependency, { times, failures }]) => ({
      dependency,
      times: times.counts(),
      failures,
    }));
  }

  /** Undefined of what no dependency is called. */
  #of(dependency: Dependency): Counted | undefined {
    const known = this.#counted.get(dependency);
    if (known !== undefined) return known;
    const kind = NAMED.exec(dependency)?.[1];
    if (kind === undefined) return undefined;
    const name: Dependency = this.#counted.size < NAMED_MAX + DEPENDENCIES.length ? dependency : `${kind}:*`;
    const counted = this.#counted.get(name) ?? { times: new Histogram(), failures: 0 };
    this.#counted.set(name, counted);
    return counted;
  }
}
