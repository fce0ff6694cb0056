/**
 * The times of a cluster, milliseconds, and how much of it is done at once.
 *
 * A node that dies is noticed after `aliveMs` (and a beat), its leases end `ttlMs` after its last renewal, whoever is next asks every
 * `retryMs` and claims: 3.8 s at most when all of these come one behind the other.
 */
import type { MembershipPolicy } from './membership.js';

export interface ClusterPolicy extends MembershipPolicy {
  /** Of a lease, from when the store takes note of it. */
  readonly ttlMs: number;
  /** By which we take a lease for ended before the store does: clocks do not go equally fast. */
  readonly marginMs: number;
  readonly renewMs: number;
  /** Before something that was refused, or failed, is tried again. */
  readonly retryMs: number;
  readonly beatMs: number;
  readonly tickMs: number;
  /** After which the word of a node that is silent is removed. */
  readonly forgetMs: number;
  /** For the work of a partition that is handed over; then it is dropped. */
  readonly drainMs: number;
  /** Partitions that are on their way to another node at a time, so that few keys pause. */
  readonly handOversMax: number;
  readonly claimsMax: number;
}

export const DEFAULT_POLICY: ClusterPolicy = Object.freeze({
  ttlMs: 3_000,
  marginMs: 300,
  renewMs: 1_000,
  retryMs: 200,
  beatMs: 500,
  tickMs: 100,
  aliveMs: 2_500,
  gapMsMax: 1_000,
  forgetMs: 60_000,
  drainMs: 10_000,
  handOversMax: 4,
  claimsMax: 64,
});

/** @throws RangeError when a lease could not be renewed in time, or nobody could live by it */
export function fillPolicy(given: Partial<ClusterPolicy> = {}): ClusterPolicy {
  const policy = { ...DEFAULT_POLICY, ...given };
  for (const [name, value] of Object.entries(policy)) {
    if (!(value > 0 && value <= 3_600_000))
      throw new RangeError(`${name} is ${value}, allowed is 1 to 3600000`);
  }
  const { ttlMs, marginMs, renewMs, tickMs, beatMs, aliveMs } = policy;
  if (renewMs + tickMs >= ttlMs - marginMs)
    throw new RangeError(`a lease of ${ttlMs} ms ends before it is renewed, after ${renewMs} ms`);
  if (beatMs + tickMs >= aliveMs)
    throw new RangeError(`a node that beats every ${beatMs} ms would be dead after ${aliveMs} ms of silence`);
  return Object.freeze(policy);
}
