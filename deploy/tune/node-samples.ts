/**
 * What a node says of itself while a load goes on: `GET /api/status`, asked for often enough that none of its looks is missed, and each
 * kept once. A look that fails is none; when all of the last seconds failed, whoever asks is told.
 *
 * Busy times are of the node's last second, so those of a step's first second are left out where there are others. Percentiles are of its
 * last ten seconds, so the last ones of a step count.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolStatus, Status } from '../../gateway/api/status-schema.js';
import { average } from '../status/pool-limit.js';
import type { NodeSeen, PoolSeen } from './measurements.js';

interface Sample {
  readonly atMs: number;
  readonly status: Status;
}

/** Samples that are kept: ten minutes. */
const SAMPLES_MAX = 600;
/** Without an answer for so long nothing is known. */
const SILENT_MS_MAX = 10_000;
/** Of the beginning of a step: busy times are of the second before. */
const SETTLE_MS = 950;

class NodeSamples {
  readonly #ask: () => Promise<Status>;
  readonly #askMs: number;
  readonly #samples: Sample[] = [];
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #heardMs = performance.now();
  #error: unknown;

  /** @param askMs between two questions; a node looks once a second */
  constructor(ask: () => Promise<Status>, askMs: number) {
    this.#ask = ask;
    this.#askMs = askMs;
    this.#loop = this.#run();
  }

  /** @throws what the last question failed with, when none was answered for ten seconds */
  since(beginMs: number): readonly Sample[] {
    if (performance.now() - this.#heardMs > SILENT_MS_MAX && this.#error !== undefined) throw this.#error;
    return this.#samples.filter(({ atMs }) => atMs >= beginMs);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const status = await this.#ask();
        this.#heardMs = performance.now();
        if (status.at !== this.#samples.at(-1)?.status.at) {
          this.#samples.push({ atMs: this.#heardMs, status });
          if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
        }
      } catch (error) {
        this.#error = error;
      }
      await sleep(this.#askMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The pool that got most between two looks; undefined: none got anything. */
function busiestPool(before: Status, after: Status): string | undefined {
  const grown = after.pools
    .map((pool) => {
      const was = before.pools.find(({ actor }) => actor === pool.actor);
      return { actor: pool.actor, growth: pool.done + pool.lag - (was?.done ?? 0) - (was?.lag ?? 0) };
    })
    .filter(({ growth }) => growth > 0)
    .sort((a, b) => b.growth - a.growth);
  return grown[0]?.actor;
}

/** What the samples of a step that began at `beginMs` say; null: there are none. */
function nodeSeen(samples: readonly Sample[], beginMs: number, actor: string | undefined): NodeSeen | null {
  const last = samples.at(-1)?.status;
  if (last === undefined) return null;
  const settled = samples.filter(({ atMs }) => atMs >= beginMs + SETTLE_MS);
  const statuses = (settled.length > 0 ? settled : samples).map(({ status }) => status);
  return {
    gatewayBusy: average(statuses.map(({ main }) => main.busy)),
    eventLoopDelayMs: Math.max(...statuses.map(({ main }) => main.eventLoopDelayMs)),
    acknowledgeMs: last.rates.acknowledgeMs,
    commitMs: last.log.commitMs,
    logState: last.log.state,
    dependencies: last.dependencies.map(({ name, state, callMs, callsPerSecond }) => ({
      name,
      state,
      callMs,
      callsPerSecond,
    })),
    pool: poolSeen(
      samples.map(({ status }) => status),
      statuses,
      actor,
    ),
  };
}

function poolSeen(
  all: readonly Status[],
  settled: readonly Status[],
  actor: string | undefined,
): PoolSeen | null {
  const of = ({ pools }: Status): PoolStatus | undefined => pools.find((pool) => pool.actor === actor);
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) return null;
  const [was, is] = [of(first), of(last)];
  if (was === undefined || is === undefined) return null;
  const seconds = (last.at - first.at) / 1_000;
  const came = last.totals.acknowledged - first.totals.acknowledged;
  return {
    actor: is.actor,
    threads: is.threads.length,
    busy: average(settled.flatMap((status) => of(status)?.threads ?? []).map(({ busy }) => busy)),
    donePerSecond: seconds > 0 ? (is.done - was.done) / seconds : null,
    lag: is.lag,
    growth: came > 0 ? Math.max(0, (is.lag - was.lag) / came) : null,
    inFlight: is.inFlight,
    mailboxMax: is.mailboxMax,
    live: is.live,
    turnMs: is.turnMs,
    settings: is.settings.current,
  };
}

export { busiestPool, NodeSamples, nodeSeen, type Sample };
