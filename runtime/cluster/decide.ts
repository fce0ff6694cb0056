/** What a node does next, out of what it knows: a pure function of the time, the leases and the partitions that should be its own. */
import type { LeaseState } from './lease.js';
import type { ClusterPolicy } from './policy.js';

export type Step =
  /** It has ended by our clock: what is being done is dropped. */
  | { readonly kind: 'end'; readonly index: number }
  | { readonly kind: 'acquire'; readonly index: number }
  | { readonly kind: 'claim'; readonly index: number }
  | { readonly kind: 'give-up'; readonly index: number }
  | { readonly kind: 'release'; readonly index: number };

/** @param wanted the partitions that are placed on this node; undefined: it is not known yet where they belong */
export function decide(
  now: number,
  leases: readonly LeaseState[],
  wanted: ReadonlySet<number> | undefined,
  { handOversMax, claimsMax }: Pick<ClusterPolicy, 'handOversMax' | 'claimsMax'>,
): readonly Step[] {
  const steps: Step[] = [];
  let handOvers = handOversMax - leases.filter(({ mode }) => mode === 'draining').length;
  let claims = claimsMax - leases.filter((lease) => lease.claims).length;
  for (const lease of leases) {
    const { index, mode } = lease;
    if (isHeld(mode) && lease.validUntil <= now) {
      steps.push({ kind: 'end', index });
      continue;
    }
    if (wanted === undefined) continue;
    const isWanted = wanted.has(index);
    const isDue = lease.retryAt <= now;
    if (mode === 'free' && isWanted && isDue) steps.push({ kind: 'acquire', index });
    else if (mode === 'leased' && !isWanted) steps.push({ kind: 'release', index });
    else if (mode === 'leased' && isDue && !lease.claims && claims > 0) {
      claims--;
      steps.push({ kind: 'claim', index });
    } else if (mode === 'owned' && !isWanted && handOvers > 0) {
      handOvers--;
      steps.push({ kind: 'give-up', index });
    }
  }
  return steps;
}

/** While the store should say that it is ours. */
export function isHeld(mode: LeaseState['mode']): boolean {
  return mode === 'leased' || mode === 'claiming' || mode === 'owned' || mode === 'draining';
}
