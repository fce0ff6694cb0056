/** How a request shows that it comes from somebody who knows a secret of the endpoint. */
import type { Refused } from './provider.js';
import type { Reading } from './reading.js';

export interface Proof {
  /** Undefined: it is genuine. Looks at no more of the body than its bytes. */
  check(reading: Reading, nowMs: number): Refused | undefined;
}

/** The request itself shows nothing: either nothing is asked for, or what is in it is looked at one by one. */
export const NO_PROOF: Proof = { check: () => undefined };

export function forged(reason: string): Refused {
  return { outcome: 'forged', reason };
}

export function malformed(reason: string): Refused {
  return { outcome: 'malformed', reason };
}
