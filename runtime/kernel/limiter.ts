/** What an activation knows of its limits, and they of it. */

/** An activation, as its limits see it. */
export interface Limited {
  readonly key: string;
  /** It may begin, and asks again. */
  resume(): void;
}

/** Decides how much an activation may begin now. */
export interface Limiter {
  /**
   * How many of `wanted` messages, at least 1, one call may be given now: the call is counted as under way then. 0: it waits its turn,
   * and is resumed by the limiter; then it asks again, or leaves.
   */
  admit(activation: Limited, wanted: number): number;
  /** A call that was admitted is over. */
  release(activation: Limited): void;
  /** It waits no longer. */
  leave(activation: Limited): void;
  /** Forgets what is idle. */
  sweep(): void;
}
