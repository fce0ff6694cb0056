/**
 * How many threads a pool should have, by how long messages wait, not by how many: a long queue that is quickly handled needs
 * no more threads, a short one of slow messages does.
 *
 * The delay is smoothed (exponentially, time constant `smoothMs`). Then:
 * - grow when it has stayed above `targetMs` for `growAfterMs`, by half of the threads, at least one; not over `max`, and not
 *   over the number of partitions that have work, since a thread without one helps nobody
 * - shrink by one when it has stayed below `targetMs * idleShare` for `shrinkAfterMs`; not under `min`
 * - after a change the pool is left alone for `coolDownMs`, and the time that counts for the next change begins anew
 * - a number of threads that was too few is not gone back to for `tooFewMs`. The gap between the two limits does not prevent
 *   flapping alone: with n threads messages may wait too long, and with n + 1 not at all.
 * - outside `min` to `max` it goes back without further reason
 *
 * A pure function: what it must remember goes in and comes out.
 */
export interface AutoscalePolicy {
  readonly targetMs: number;
  /** Below this share of the target the delay counts as idle. */
  readonly idleShare: number;
  readonly smoothMs: number;
  readonly growAfterMs: number;
  readonly shrinkAfterMs: number;
  readonly coolDownMs: number;
  readonly tooFewMs: number;
}

export const DEFAULT_AUTOSCALE: AutoscalePolicy = {
  targetMs: 50,
  idleShare: 0.2,
  smoothMs: 3_000,
  growAfterMs: 3_000,
  shrinkAfterMs: 60_000,
  coolDownMs: 10_000,
  tooFewMs: 600_000,
};

export interface LoadSample {
  /** Milliseconds, of a clock that does not go back. */
  readonly now: number;
  /** How long a message waited before an actor began with it. */
  readonly delayMs: number;
  /** Partitions with messages that wait or are in flight. */
  readonly busyPartitions: number;
  readonly threads: number;
  readonly min: number;
  readonly max: number;
}

/** What is remembered from sample to sample; undefined before the first. */
export interface AutoscaleState {
  readonly smoothedMs: number;
  readonly sampledAt: number;
  readonly highSince: number | undefined;
  readonly lowSince: number | undefined;
  readonly changedAt: number;
  /** This many threads were too few, at `at`. */
  readonly tooFew: { readonly threads: number; readonly at: number } | undefined;
}

export interface AutoscaleDecision {
  readonly wanted: number;
  readonly state: AutoscaleState;
}

export function autoscale(
  before: AutoscaleState | undefined,
  sample: LoadSample,
  policy: AutoscalePolicy = DEFAULT_AUTOSCALE,
): AutoscaleDecision {
  const { now, threads, min, max } = sample;
  const state = observe(before, sample, policy);
  const changed = (wanted: number, tooFew = state.tooFew): AutoscaleDecision => ({
    wanted,
    state: { ...state, changedAt: now, highSince: undefined, lowSince: undefined, tooFew },
  });

  if (now - state.changedAt < policy.coolDownMs) return { wanted: threads, state };
  if (threads < min || threads > max) return changed(Math.min(max, Math.max(min, threads)));

  const ceiling = Math.min(max, sample.busyPartitions);
  if (lasts(state.highSince, now, policy.growAfterMs) && threads < ceiling) {
    const step = Math.max(1, Math.floor(threads / 2));
    return changed(Math.min(ceiling, threads + step), { threads, at: now });
  }
  const { tooFew } = state;
  const floor = tooFew !== undefined && now - tooFew.at < policy.tooFewMs ? tooFew.threads + 1 : 0;
  if (lasts(state.lowSince, now, policy.shrinkAfterMs) && threads > Math.max(min, floor)) {
    return changed(threads - 1);
  }
  return { wanted: threads, state };
}

/** What was observed does not count: more or fewer threads would have made no difference. */
export function undecided(state: AutoscaleState | undefined): AutoscaleState | undefined {
  return state && { ...state, smoothedMs: 0, highSince: undefined, lowSince: undefined };
}

function observe(
  before: AutoscaleState | undefined,
  { now, delayMs }: LoadSample,
  { smoothMs, targetMs, idleShare }: AutoscalePolicy,
): AutoscaleState {
  if (before === undefined) {
    before = {
      smoothedMs: 0,
      sampledAt: now,
      highSince: undefined,
      lowSince: undefined,
      changedAt: Number.NEGATIVE_INFINITY,
      tooFew: undefined,
    };
  }
  const weight = 1 - Math.exp(-(now - before.sampledAt) / smoothMs);
  const smoothedMs = before.smoothedMs + weight * (delayMs - before.smoothedMs);
  const high = smoothedMs > targetMs;
  const low = smoothedMs < targetMs * idleShare;
  return {
    ...before,
    smoothedMs,
    sampledAt: now,
    highSince: high ? (before.highSince ?? now) : undefined,
    lowSince: low ? (before.lowSince ?? now) : undefined,
  };
}

function lasts(since: number | undefined, now: number, ms: number): boolean {
  return since !== undefined && now - since >= ms;
}
