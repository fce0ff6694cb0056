/**
 * In which order a test system does what could be done in many orders. The plain one is first come, first served. A seeded one
 * draws: which activation is next, how many run before promises get their turn, how large batches are, whether a message
 * is overtaken on its way by one of another sender, which of the alarms of one time rings first, and whether the log answers at once. The same seed draws the same.
 */

/** Mulberry32: 32 bits of state are plenty for one scenario, and it is the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Order {
  /** Undefined: the plain order. */
  readonly seed: number | undefined;
  /** Returns [0, 1). For jitter and faults in the plain order, too. */
  readonly random: () => number;
  /** Which of `length` is next. */
  choose(length: number): number;
  /** Runnables of one turn. */
  runs(): number;
  /** For an actor whose batches hold at most `max`. */
  batchMax(max: number): number;
  /** Whether to handle what one alarm set off before the next alarm of the same time. */
  pauses(): boolean;
  /** Whether a volatile message takes a turn of its own on its way, and may be overtaken by those of other senders. */
  travels(): boolean;
  /** Every n-th read of the log goes by a promise; 0 for none. */
  promiseEvery(): number;
}

/** As many as a real turn runs between two looks at the time: an endless exchange of messages must not hold up the test. */
const PLAIN_RUNS = 32;

/** Of the seeds, those that choose evenly. */
const EVEN_SHARE = 0.5;

export function plainOrder(): Order {
  return {
    seed: undefined,
    random: seededRandom(0),
    choose: () => 0,
    runs: () => PLAIN_RUNS,
    batchMax: (max) => max,
    pauses: () => true,
    travels: () => false,
    promiseEvery: () => 0,
  };
}

export function seededOrder(seed: number): Order {
  const random = seededRandom(seed);
  // What waits long is overtaken by chains of messages only when the newest goes first again and again, which an even choice hardly
  // ever does. Of 1,000 seeds an even one meets the bug of the example in 67, this mixture in 120.
  const newestShare = random() < EVEN_SHARE ? 0 : random();
  const below = (end: number) => Math.floor(random() * end);
  return {
    seed,
    random,
    choose: (length) => (length < 2 ? 0 : random() < newestShare ? length - 1 : below(length)),
    // Mostly one: each more is an order of promises less.
    runs: () => (below(4) === 0 ? 1 + below(16) : 1),
    // Batches of one, few and all are what differs to an actor.
    batchMax: (max) => [max, 1, Math.min(max, 2 + below(3))][below(3)] as number,
    pauses: () => below(2) === 0,
    travels: () => below(2) === 0,
    promiseEvery: () => below(4),
  };
}
