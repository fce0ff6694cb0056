/**
 * A route: what the dispatcher knows of one worker thread: the feeds that it owns, which of them have their turn, what it has in
 * flight, and whom a loss accuses.
 *
 * Modes:
 *   absent --attach--> up --suspend--> suspended
 *   any --lose--> absent
 * Messages are sent in `up` only; a thread that is suspended is about to end and may still report.
 *
 * Credit (P5): a thread has at most `WINDOW_MESSAGES`, or what was set since, and about `WINDOW_BYTES` of messages that are not done,
 * and as `PARKED_...` says of keys that wait for a retry.
 *
 * When a thread is lost, whatever it had in flight is under suspicion and is delivered again before anything else, with a
 * smaller and smaller window: a message that ends its thread is found in a few losses (1 in 2,048, then 64, then 8, then
 * alone), and becomes a dead letter when it has been alone in flight `LONE_LOSSES_MAX` times. The window is full size again
 * when all suspects are done. A feed that moves takes its suspects, the window and the count of lone losses along.
 */
import type { Feed } from './feed.js';
import { ReadAhead } from './read-ahead.js';

/** Twice the batch of a set-based actor and the next one, so that a thread never waits for the main thread. */
export const WINDOW_MESSAGES = 2_048;
const WINDOW_BYTES = 8 * 1_048_576;
/** A key's poison must not hold up other keys (P4), though thousands of messages may wait behind it. */
const PARKED_MESSAGES_MAX = 16_384;
const PARKED_BYTES_MAX = 32 * 1_048_576;
/** Messages in flight after the n-th loss in a row; the last holds from then on. */
const SUSPECT_WINDOWS = [Number.POSITIVE_INFINITY, 64, 8, 1] as const;
const LONE_LOSSES_MAX = 3;

export type RouteMode = 'absent' | 'up' | 'suspended';

/** Of all routes of a dispatcher. */
export interface Window {
  readonly messages: number;
}

/** The message that was alone in flight at each of the last losses. */
export interface Lone {
  readonly feed: Feed;
  readonly offset: number;
  readonly losses: number;
}

export class Route {
  readonly thread: number;
  readonly reads = new ReadAhead();
  readonly #feeds = new Set<Feed>();
  /** Feeds with something to send, in the order of their turns. */
  #line: Feed[] = [];
  #mode: RouteMode = 'absent';
  #life = 0;
  #messages = 0;
  #bytes = 0;
  /** Of these, behind keys that wait for a retry. */
  #parkedMessages = 0;
  #parkedBytes = 0;
  #losses = 0;
  #lone: Lone | undefined;
  readonly #normal: Window;

  constructor(thread: number, window: Window) {
    this.thread = thread;
    this.#normal = window;
  }

  get feeds(): ReadonlySet<Feed> {
    return this.#feeds;
  }

  get line(): readonly Feed[] {
    return this.#line;
  }

  get mode(): RouteMode {
    return this.#mode;
  }

  /** Whether the thread takes messages. */
  get up(): boolean {
    return this.#mode === 'up';
  }

  /** Counts the threads that had this route; credit is owed to the one that it was charged to. */
  get life(): number {
    return this.#life;
  }

  /** Messages in flight. */
  get messages(): number {
    return this.#messages;
  }

  /** How many messages may be sent now. */
  get credit(): number {
    if (this.#losses > 0) return Math.max(0, this.#window - this.#messages);
    if (this.#byteCredit <= 0) return 0;
    return Math.max(0, this.#window - (this.#messages - this.#parkedMessages));
  }

  get #window(): number {
    return Math.min(this.#normal.messages, SUSPECT_WINDOWS[this.#losses] as number);
  }

  get #byteCredit(): number {
    return WINDOW_BYTES - (this.#bytes - this.#parkedBytes);
  }

  /** Whether there is credit for what one more read of the log may bring. When it is not, `pump` is asked again. */
  get mayBeginRead(): boolean {
    const byteCredit = this.#losses > 0 ? WINDOW_BYTES : this.#byteCredit;
    return this.reads.isWorth(
      { credit: this.credit, window: this.#window },
      { credit: byteCredit, window: WINDOW_BYTES },
    );
  }

  /** The thread is ready and has nothing in flight. */
  attach(): void {
    this.#mode = 'up';
    this.offerAll();
  }

  suspend(): void {
    if (this.#mode === 'up') this.#mode = 'suspended';
  }

  /** Puts a feed with something to send in line. */
  offer(feed: Feed): void {
    if (feed.mode !== 'idle' || !this.up || !this.mayRead(feed)) return;
    feed.lineUp();
    this.#line.push(feed);
  }

  offerAll(): void {
    for (const feed of this.#feeds) this.offer(feed);
  }

  nextInLine(): Feed | undefined {
    return this.#line.shift();
  }

  mayRead(feed: Feed): boolean {
    return feed.next < this.end(feed);
  }

  /** Up to where a feed may be sent now: while suspects are left, only they. */
  end(feed: Feed): number {
    return this.#losses > 0 ? Math.min(feed.suspectEnd, feed.partition.end) : feed.partition.end;
  }

  charge(count: number, bytes: number): void {
    this.#messages += count;
    this.#bytes += bytes;
  }

  settle(count: number, bytes: number): void {
    this.#messages = Math.max(0, this.#messages - count);
    this.#bytes = Math.max(0, this.#bytes - bytes);
    this.endSuspicion();
  }

  park(messages: number, bytes: number): void {
    this.#parkedMessages = Math.min(messages, PARKED_MESSAGES_MAX);
    this.#parkedBytes = Math.min(bytes, PARKED_BYTES_MAX);
  }

  /** The thread is lost with everything that it had. Returns a message that has to be given up for it. */
  lose(): Lone | undefined {
    const inFlight = this.#messages;
    this.#mode = 'absent';
    this.#life++;
    this.#messages = 0;
    this.#bytes = 0;
    this.#parkedMessages = 0;
    this.#parkedBytes = 0;
    this.#line = [];
    if (inFlight > 0) this.#losses = nextLevel(this.#losses, inFlight);
    const culprit = inFlight === 1 ? this.#countLone() : undefined;
    // A loss while nothing was in flight accuses nobody.
    for (const feed of this.#feeds) feed.rewind(inFlight > 0);
    // What was in flight may have been of partitions that were dropped: then there is nobody to suspect, and nobody to end it.
    this.endSuspicion();
    return culprit;
  }

  /** When all suspects of the last loss are done or given up, everything is sent again. */
  endSuspicion(): void {
    if (this.#losses === 0) return;
    for (const feed of this.#feeds) if (feed.suspicious) return;
    this.#losses = 0;
    this.#lone = undefined;
    for (const feed of this.#feeds) {
      feed.suspectEnd = 0;
      this.offer(feed);
    }
  }

  /** Nothing more of `feed` is sent. */
  hold(feed: Feed): void {
    feed.hold();
    this.#line = this.#line.filter((other) => other !== feed);
  }

  /** The thread has sent messages of `feed` back, unread; nothing more of it is sent. */
  refuse(feed: Feed, offset: number, count: number): void {
    feed.refuse(offset, count);
    this.#line = this.#line.filter((other) => other !== feed);
  }

  /** Takes a feed that nobody owns. */
  own(feed: Feed): void {
    this.#feeds.add(feed);
  }

  /** Takes a feed of which nothing is in flight over from its owner. */
  adopt(feed: Feed, from: Route): void {
    if (feed.inFlight > 0) throw new Error(`${feed.inFlight} messages of the partition are still in flight`);
    from.#feeds.delete(feed);
    this.#feeds.add(feed);
    if (from.#losses > 0 && feed.suspicious) {
      this.#losses = Math.max(this.#losses, from.#losses);
      if (from.#lone?.feed === feed) this.#lone = from.#lone;
    } else {
      feed.suspectEnd = 0;
    }
    if (from.#lone?.feed === feed) from.#lone = undefined;
    from.endSuspicion();
  }

  /** The feed is this process's no more, or not to be sent for a while. */
  disown(feed: Feed): void {
    this.#feeds.delete(feed);
    this.#line = this.#line.filter((other) => other !== feed);
    if (this.#lone?.feed === feed) this.#lone = undefined;
    this.endSuspicion();
  }

  /** One message was in flight when its thread ended: if that goes on, it is to blame. */
  #countLone(): Lone | undefined {
    for (const feed of this.#feeds) {
      const offset = feed.firstInFlight();
      if (offset === undefined) continue;
      const same = this.#lone?.feed === feed && this.#lone.offset === offset;
      const losses = same ? (this.#lone?.losses ?? 0) + 1 : 1;
      this.#lone = { feed, offset, losses };
      if (losses < LONE_LOSSES_MAX) return undefined;
      const culprit = this.#lone;
      this.#lone = undefined;
      feed.giveUp(offset);
      return culprit;
    }
    return undefined;
  }
}

/** A thread that took suspects over may lose far more than its window allows: then the search begins anew. */
function nextLevel(losses: number, inFlight: number): number {
  if (inFlight > (SUSPECT_WINDOWS[losses] as number)) return 1;
  return Math.min(losses + 1, SUSPECT_WINDOWS.length - 1);
}
