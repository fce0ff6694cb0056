/** How much of an actor type may happen at once or in a time. All limits hold for all threads of a node together. */
export interface Limits {
  /** Calls of `receive` under way. */
  readonly concurrencyMax?: number;
  /** Messages a second. */
  readonly ratePerSecond?: number;
  /** Messages at once after a pause, when there is a rate. Default: those of a tenth of a second, at least 1. */
  readonly burst?: number;
  /** The same, for each group of keys (`group` of the definition). */
  readonly perGroup?: Omit<Limits, 'perGroup'>;
}
