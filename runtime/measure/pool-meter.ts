/** What the threads of a pool measured, added up: times since the start, and how each thread did in the last second. */
import type { DependencyCalls } from './dependency-calls.js';
import { Histogram, type HistogramCounts } from './histogram.js';
import type { HotKey } from './hot-keys.js';
import type { LoopSample } from './loop-meter.js';
import { type DeepMailbox, type ThreadMeasures, TIMES, type TimeName, TOP_MAX } from './thread-meter.js';

export interface PoolMeasures {
  readonly actor: string;
  /**
   * Of messages, since the start: `logWait` from acceptance to delivery to a thread, `queue` from there until an actor begins, `age` from
   * acceptance until it is done; and `turn`, of calls of `receive`. Volatile messages have none of these but `turn`.
   */
  readonly times: Readonly<Record<TimeName, HistogramCounts>>;
  /** Keys with the most messages, hottest first, at most 20. */
  readonly hottest: readonly HotKey[];
  /** Mailboxes with the most messages, deepest first, at most 20. Of a type that has one for each thread, none. */
  readonly deepest: readonly DeepMailbox[];
}

type Latest = Pick<ThreadMeasures, 'hottest' | 'deepest' | 'mailboxMax'> & LoopSample;

export class PoolMeter {
  readonly #times = {
    logWait: new Histogram(),
    queue: new Histogram(),
    turn: new Histogram(),
    age: new Histogram(),
  };
  readonly #latest = new Map<number, Latest>();
  readonly #actor: string;
  readonly #calls: DependencyCalls;

  /** @param calls of the whole process */
  constructor(actor: string, calls: DependencyCalls) {
    this.#actor = actor;
    this.#calls = calls;
  }

  /** A thread sent what it measured. */
  load(thread: number, measures: ThreadMeasures): void {
    const { times, calls, ...latest } = measures;
    this.#calls.add(calls);
    for (const name of TIMES) this.#times[name].add(times[name]);
    this.#latest.set(thread, latest);
  }

  /** The thread is lost or gone. What it did is not undone. */
  forget(thread: number): void {
    this.#latest.delete(thread);
  }

  /** Undefined until it has sent something. */
  thread(thread: number): LoopSample | undefined {
    const latest = this.#latest.get(thread);
    if (latest === undefined) return undefined;
    const { busy, eventLoopDelayMs, heapBytes, heapBytesMax } = latest;
    return { busy, eventLoopDelayMs, heapBytes, heapBytesMax };
  }

  /** Messages in the deepest mailbox. */
  get mailboxMax(): number {
    return Math.max(0, ...Array.from(this.#latest.values(), ({ mailboxMax }) => mailboxMax));
  }

  measures(): PoolMeasures {
    const all = [...this.#latest.values()];
    const { logWait, queue, turn, age } = this.#times;
    return {
      actor: this.#actor,
      times: { logWait: logWait.counts(), queue: queue.counts(), turn: turn.counts(), age: age.counts() },
      hottest: top(
        all.flatMap(({ hottest }) => hottest),
        ({ perSecond }) => perSecond,
      ),
      deepest: top(
        all.flatMap(({ deepest }) => deepest),
        ({ depth }) => depth,
      ),
    };
  }
}

function top<Item>(items: readonly Item[], by: (item: Item) => number): Item[] {
  return [...items].sort((a, b) => by(b) - by(a)).slice(0, TOP_MAX);
}
