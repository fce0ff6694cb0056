/** An activation, as its limits see it. */
export interface Limited {
  readonly key: string;
  resume(): void;
}

/** Decides how much an activation may begin now. */
export interface Limiter {
  /**
   * How many of `wanted` messages one call may be given now, at least one: the call is counted as under way then. 0: it waits, and
   * is resumed by the limiter.
   */
  admit(activation: Limited, wanted: number): number;
  /** The call is over. */
  release(activation: Limited): void;
}
