/** What the threads of a pool last said of themselves: how many activations live, what they wait for, how long messages queue. */
import type { ThreadMeasures } from '../measure/thread-meter.js';
import type { Done, Load, Outage } from '../worker-protocol.js';

/** Who adds up what they measured. */
interface MeasureSink {
  load(thread: number, measures: ThreadMeasures): void;
  forget(thread: number): void;
}

interface News {
  live: number;
  outage: string | undefined;
  delayMs: number;
  delayAt: number;
  asksPending: number;
}

/** What a thread said of its queue counts for so long: one that says nothing more may be hung, and its delay is anybody's guess. */
const DELAY_MS_MAX = 5_000;

export class ThreadNews {
  readonly #byThread = new Map<number, News>();
  readonly #meter: MeasureSink;

  constructor(meter: MeasureSink) {
    this.#meter = meter;
  }

  /** Activations alive. */
  get live(): number {
    let sum = 0;
    for (const { live } of this.#byThread.values()) sum += live;
    return sum;
  }

  /** Asks without an answer, counted where they are asked and where they are owed. */
  get asksPending(): number {
    let sum = 0;
    for (const { asksPending } of this.#byThread.values()) sum += asksPending;
    return sum;
  }

  /** Code of an outage that a thread waits for. */
  get outage(): string | undefined {
    for (const { outage } of this.#byThread.values()) if (outage !== undefined) return outage;
    return undefined;
  }

  /** How long a message lately waited in a thread before an actor began with it, in the worst of them; milliseconds. */
  delayMs(now: number): number {
    let longest = 0;
    for (const { delayMs, delayAt } of this.#byThread.values()) {
      if (now - delayAt <= DELAY_MS_MAX) longest = Math.max(longest, delayMs);
    }
    return longest;
  }

  done(thread: number, { live }: Pick<Done, 'live'>): void {
    this.#of(thread).live = live;
  }

  load(thread: number, { delayMs, live, asksPending, measures }: Omit<Load, 'type'>, now: number): void {
    const news = this.#of(thread);
    news.live = live;
    news.delayMs = delayMs;
    news.delayAt = now;
    news.live = live;
    news.asksPending = asksPending;
    if (measures === undefined) this.#meter.forget(thread);
    else this.#meter.load(thread, measures);
  }

  /** Returns the code that the thread waited for before. */
  outageOf(thread: number, { code }: Pick<Outage, 'code'>): string | undefined {
    const news = this.#of(thread);
    const before = news.outage;
    news.outage = code;
    return before;
  }

  /** The thread is lost or gone. */
  forget(thread: number): void {
    this.#byThread.delete(thread);
    this.#meter.forget(thread);
  }

  #of(thread: number): News {
    let news = this.#byThread.get(thread);
    if (news === undefined) {
      news = { live: 0, outage: undefined, delayMs: 0, delayAt: 0, asksPending: 0 };
      this.#byThread.set(thread, news);
    }
    return news;
  }
}
