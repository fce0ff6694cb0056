/**
 * How much of an actor type may happen at once or in a time. All limits hold for all threads of a node together, and for all nodes where
 * they share them (`shares/share-store.ts`): each then works with its part. Those of a group need no sharing: one node has all of its keys.
 *
 * Who meets a limit waits, in the order of coming; threads take turns. Nothing is lost by it: messages wait in their mailbox, or on
 * the log. A rate is a token bucket: `burst` tokens at most, `ratePerSecond` of them come back a second, and each message that is
 * handed to `receive` takes one. A batch is cut to the tokens that there are. What is tried again takes a token again.
 */
export interface Limits {
  /** Calls of `receive` under way, an integer from 1 to 100,000. */
  readonly concurrencyMax?: number;
  /** Messages a second, from 0.00001 (one a day) to 1,000,000. */
  readonly ratePerSecond?: number;
  /** Messages at once after a pause, when there is a rate; an integer. Default: those of a tenth of a second, at least 1. */
  readonly burst?: number;
  /** The same, for each group of keys (`group` of the definition). Needs scope `key`. */
  readonly perGroup?: TypeLimits;
  /**
   * Whether they hold for all nodes that share limits (`cluster`, the default), or for each node by itself (`node`): a limit that spares the
   * node, not what is behind it. Those of a group always hold for all.
   */
  readonly within?: 'cluster' | 'node';
}

type TypeLimits = Omit<Limits, 'perGroup' | 'within'>;

/** Limits of one kind, total. */
export interface FilledLimits {
  readonly concurrencyMax: number;
  readonly ratePerSecond: number;
  readonly burst: number;
}

const CONCURRENCY_MAX_MAX = 100_000;
const RATE_MIN = 0.00001;
const RATE_MAX = 1_000_000;

/** Infinity where there is no limit; undefined when there is none at all. */
export function fillLimits(limits: TypeLimits | undefined): FilledLimits | undefined {
  if (limits?.concurrencyMax === undefined && limits?.ratePerSecond === undefined) return undefined;
  const {
    concurrencyMax = Number.POSITIVE_INFINITY,
    ratePerSecond = Number.POSITIVE_INFINITY,
    burst = Math.max(1, Math.floor(ratePerSecond / 10)),
  } = limits;
  return Object.freeze({ concurrencyMax, ratePerSecond, burst });
}

/** Calls `refuse` with what is wrong, if anything is. */
export function checkLimits(
  { perGroup, within, ...limits }: Limits,
  scope: 'key' | 'thread',
  refuse: (reason: string) => void,
): void {
  check(limits, 'limits', refuse);
  if (within !== undefined && within !== 'cluster' && within !== 'node')
    refuse("limits.within is neither 'cluster' nor 'node'");
  if (perGroup === undefined) return;
  if (scope !== 'key') refuse("limits.perGroup needs scope 'key'");
  check(perGroup, 'limits.perGroup', refuse);
}

function check(limits: TypeLimits, name: string, refuse: (reason: string) => void): void {
  const { concurrencyMax, ratePerSecond, burst } = limits;
  const whole = (value: number | undefined, max: number) =>
    value === undefined || (Number.isInteger(value) && value >= 1 && value <= max);
  if (!whole(concurrencyMax, CONCURRENCY_MAX_MAX))
    refuse(`${name}.concurrencyMax is no integer from 1 to ${CONCURRENCY_MAX_MAX}`);
  // Not so for NaN.
  if (ratePerSecond !== undefined && !(ratePerSecond >= RATE_MIN && ratePerSecond <= RATE_MAX))
    refuse(`${name}.ratePerSecond is not from ${RATE_MIN} to ${RATE_MAX}`);
  if (!whole(burst, RATE_MAX)) refuse(`${name}.burst is no integer from 1 to ${RATE_MAX}`);
  if (burst !== undefined && ratePerSecond === undefined) refuse(`${name}.burst needs a ratePerSecond`);
}
