/**
 * The dispatcher of one actor type: it moves messages from the partitions of the log to the threads that own them, and the
 * news of their fate back.
 *
 * Promises:
 * - P2: a partition belongs to one thread, and is sent to it in order.
 * - P4: an offset is committed when everything below it is done or safely a dead letter.
 * - P5: a thread has at most `WINDOW_MESSAGES` and about `WINDOW_BYTES` of messages that are not done, and as `PARKED_...` says
 *   behind keys that wait for a retry. The rest waits on the log.
 *
 * When a thread is lost, whatever it had in flight is under suspicion and is delivered again before anything else, with a
 * smaller and smaller window: a message that ends its thread is found in a few losses (1 in 2,048, then 64, then 8, then
 * alone), and becomes a dead letter when it has been alone in flight `LONE_LOSSES_MAX` times. The window is full size again
 * when all suspects are done.
 */
import type { DeadLetter } from './dead-letter.js';
import type { DeadLetterWriter } from './dead-letter-writer.js';
import { decodeEnvelope } from './envelope.js';
import { ThreadCrashError } from './errors.js';
import { causeOf } from './failure.js';
import { Feed, type Slice } from './feed.js';
import { frameItems } from './frame.js';
import type { Logger } from './logger.js';
import type { Frame, LogPartition } from './message-log.js';
import type { Dead, Deliver, Done, Parked } from './worker-protocol.js';

/** Twice the batch of a set-based actor and the next one, so that a thread never waits for the main thread. */
const WINDOW_MESSAGES = 2_048;
const WINDOW_BYTES = 8 * 1_048_576;
/** A key's poison must not hold up other keys (P4), though thousands of messages may wait behind it. */
const PARKED_MESSAGES_MAX = 16_384;
const PARKED_BYTES_MAX = 32 * 1_048_576;
/** What one post carries: large enough to make the post cheap, small enough to start the first batch early. */
const DELIVERY_BYTES = 256 * 1_024;
/** What one partition gives at a time, so that the others get their turn. */
const READ_BYTES = 64 * 1_024;
/** Messages in flight after the n-th loss in a row; the last holds from then on. */
const SUSPECT_WINDOWS = [WINDOW_MESSAGES, 64, 8, 1] as const;
const LONE_LOSSES_MAX = 3;

export interface DispatcherOptions {
  readonly actor: string;
  readonly partitions: readonly LogPartition[];
  readonly threads: number;
  /** Sends to a ready thread; the body's buffer is transferred. */
  readonly post: (thread: number, delivery: Deliver, buffer: ArrayBuffer) => void;
  readonly deadLetters: DeadLetterWriter;
  readonly now: () => number;
  readonly logger: Logger;
}

interface Route {
  readonly feeds: readonly Feed[];
  /** Feeds with something to send, in the order of their turns. */
  ready: Feed[];
  up: boolean;
  /** Counts the threads that had this route; credit is owed to the one that it was charged to. */
  life: number;
  messages: number;
  bytes: number;
  /** Of these, behind keys that wait for a retry. */
  parkedMessages: number;
  parkedBytes: number;
  losses: number;
  /** The message that was alone in flight at the last loss, and how often in a row. */
  lone: { readonly feed: Feed; readonly offset: number; losses: number } | undefined;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #feeds: readonly Feed[];
  readonly #routes: readonly Route[];
  readonly #awake = new Set<number>();
  #stopped = false;
  #done = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#feeds = options.partitions.map((partition) => new Feed(partition));
    this.#routes = Array.from({ length: options.threads }, (_, thread) => ({
      feeds: this.#feeds.filter((feed) => feed.partition.index % options.threads === thread),
      ready: [],
      up: false,
      life: 0,
      messages: 0,
      bytes: 0,
      parkedMessages: 0,
      parkedBytes: 0,
      losses: 0,
      lone: undefined,
    }));
    for (const feed of this.#feeds) feed.partition.onAppended = () => this.#appended(feed);
  }

  /** Messages that were handled, dead letters among them. */
  get done(): number {
    return this.#done;
  }

  /** Messages that threads have and that are not done. */
  get inFlight(): number {
    return this.#routes.reduce((sum, { messages }) => sum + messages, 0);
  }

  /** Partitions whose log cannot be read. */
  get broken(): readonly number[] {
    return this.#feeds.filter(({ mode }) => mode === 'broken').map(({ partition }) => partition.index);
  }

  /** A thread is ready; it has nothing in flight. */
  attach(thread: number): void {
    const route = this.#route(thread);
    route.up = true;
    for (const feed of route.feeds) this.#offer(route, feed);
    this.#pump(thread);
  }

  /** A thread ended: it is sent nothing more. What it said before its end may still come, and then `detach`. */
  suspend(thread: number): void {
    this.#route(thread).up = false;
  }

  /** A thread was lost with everything that it had. */
  detach(thread: number): void {
    const route = this.#route(thread);
    const inFlight = route.messages;
    route.up = false;
    route.life++;
    route.messages = 0;
    route.bytes = 0;
    route.parkedMessages = 0;
    route.parkedBytes = 0;
    route.ready = [];
    if (inFlight > 0) route.losses = Math.min(route.losses + 1, SUSPECT_WINDOWS.length - 1);
    if (inFlight === 1) this.#countLone(thread, route);
    for (const feed of route.feeds) {
      // A loss while nothing was in flight accuses nobody, and leaves earlier suspects as they are.
      const suspectEnd = feed.suspectEnd;
      feed.rewind(inFlight > 0);
      if (inFlight === 0) feed.suspectEnd = suspectEnd;
      if (feed.mode === 'ready') feed.mode = 'idle';
    }
  }

  /** Nothing is sent any more; news of what is in flight is still taken. */
  stop(): void {
    this.#stopped = true;
    for (const feed of this.#feeds) feed.partition.onAppended = undefined;
  }

  finished(thread: number, { ranges, count, bytes }: Done): void {
    const route = this.#route(thread);
    for (let at = 0; at < ranges.length; at += 3) {
      this.#feed(ranges[at] as number).complete(ranges[at + 1] as number, ranges[at + 2] as number);
    }
    this.#settle(thread, route, count, bytes);
  }

  parked(thread: number, { messages, bytes }: Parked): void {
    const route = this.#route(thread);
    route.parkedMessages = Math.min(messages, PARKED_MESSAGES_MAX);
    route.parkedBytes = Math.min(bytes, PARKED_BYTES_MAX);
    this.#pump(thread);
  }

  gaveUp(thread: number, { partition, offset, bytes, envelope, cause, attempts }: Dead): void {
    const letter: DeadLetter = { envelope, cause, attempts, deadAt: this.#options.now() };
    this.#store(thread, this.#feed(partition), offset, letter, bytes);
  }

  /** Stores a dead letter; its offset is done then, and only then. */
  #store(thread: number, feed: Feed, offset: number, letter: DeadLetter, bytes: number): void {
    const route = this.#route(thread);
    const { life } = route;
    feed.giveUp(offset);
    this.#endSuspicion(route);
    this.#options.deadLetters.write(letter, () => {
      feed.complete(offset, offset + 1);
      const charged = route.life === life && bytes > 0;
      this.#settle(thread, route, charged ? 1 : 0, charged ? bytes : 0);
      if (!charged) this.#done++;
    });
  }

  #route(thread: number): Route {
    const route = this.#routes[thread];
    if (route === undefined) throw new RangeError(`no thread ${thread}`);
    return route;
  }

  #feed(partition: number): Feed {
    const feed = this.#feeds[partition];
    if (feed === undefined) throw new RangeError(`no partition ${partition}`);
    return feed;
  }

  #settle(thread: number, route: Route, count: number, bytes: number): void {
    this.#done += count;
    route.messages = Math.max(0, route.messages - count);
    route.bytes = Math.max(0, route.bytes - bytes);
    this.#endSuspicion(route);
    this.#pump(thread);
  }

  /** When all suspects of the last loss are done or given up, everything is sent again. */
  #endSuspicion(route: Route): void {
    if (route.losses === 0 || route.feeds.some((feed) => feed.suspicious)) return;
    route.losses = 0;
    route.lone = undefined;
    for (const feed of route.feeds) {
      feed.suspectEnd = 0;
      this.#offer(route, feed);
    }
  }

  #appended(feed: Feed): void {
    const thread = feed.partition.index % this.#options.threads;
    this.#offer(this.#route(thread), feed);
    if (this.#awake.size === 0) queueMicrotask(() => this.#pumpAwake());
    this.#awake.add(thread);
  }

  #pumpAwake(): void {
    const threads = [...this.#awake];
    this.#awake.clear();
    for (const thread of threads) this.#pump(thread);
  }

  /** Puts a feed with something to send in line. */
  #offer(route: Route, feed: Feed): void {
    if (feed.mode !== 'idle' || !route.up || !this.#mayRead(route, feed)) return;
    feed.mode = 'ready';
    route.ready.push(feed);
  }

  #mayRead(route: Route, feed: Feed): boolean {
    return feed.next < this.#end(route, feed);
  }

  /** Up to where a feed may be sent now: while suspects are left, only they. */
  #end(route: Route, feed: Feed): number {
    return route.losses > 0 ? Math.min(feed.suspectEnd, feed.partition.end) : feed.partition.end;
  }

  #credit(route: Route): number {
    if (route.losses > 0) return Math.max(0, (SUSPECT_WINDOWS[route.losses] as number) - route.messages);
    if (route.bytes - route.parkedBytes >= WINDOW_BYTES) return 0;
    return Math.max(0, WINDOW_MESSAGES - (route.messages - route.parkedMessages));
  }

  /** Sends what the credit of a thread allows. */
  #pump(thread: number): void {
    const route = this.#route(thread);
    while (route.up && !this.#stopped && route.ready.length > 0 && this.#credit(route) > 0) {
      const slices: (readonly [Feed, Slice])[] = [];
      const before = route.messages;
      let bytes = 0;
      while (bytes < DELIVERY_BYTES && this.#credit(route) > 0) {
        const feed = route.ready.shift();
        if (feed === undefined) break;
        for (const slice of this.#read(thread, route, feed)) {
          slices.push([feed, slice]);
          bytes += slice.body.length;
          route.messages += slice.count;
          route.bytes += slice.body.length;
        }
      }
      if (route.messages > before) this.#post(thread, slices, bytes);
    }
  }

  #post(thread: number, slices: readonly (readonly [Feed, Slice])[], bytes: number): void {
    const buffer = new ArrayBuffer(bytes);
    const body = new Uint8Array(buffer);
    const places: number[] = [];
    let position = 0;
    for (const [feed, slice] of slices) {
      body.set(slice.body, position);
      position += slice.body.length;
      places.push(feed.partition.index, slice.offset, slice.count);
    }
    this.#options.post(thread, { type: 'deliver', slices: places, body }, buffer);
  }

  /** The next messages of a feed that is at its turn; none when the disk has to be asked first. */
  #read(thread: number, route: Route, feed: Feed): Slice[] {
    // While it stood in line, what was left of it may have turned out to be done.
    if (!this.#mayRead(route, feed)) {
      feed.mode = 'idle';
      return [];
    }
    const from = feed.next;
    let frames: readonly Frame[] | Promise<readonly Frame[]>;
    try {
      frames = feed.partition.read(from, READ_BYTES);
    } catch (error) {
      this.#broken(feed, error);
      return [];
    }
    if (!(frames instanceof Promise)) return this.#take(route, feed, frames);
    feed.mode = 'reading';
    frames.then(
      (frames) => {
        feed.mode = 'idle';
        // The thread may have been lost meanwhile, and the feed rewound.
        const still = route.up && !this.#stopped && feed.next === from;
        const slices =
          still && this.#credit(route) > 0 && this.#mayRead(route, feed)
            ? this.#take(route, feed, frames)
            : [];
        const count = slices.reduce((sum, slice) => sum + slice.count, 0);
        const bytes = slices.reduce((sum, slice) => sum + slice.body.length, 0);
        route.messages += count;
        route.bytes += bytes;
        if (count > 0)
          this.#post(
            thread,
            slices.map((slice) => [feed, slice] as const),
            bytes,
          );
        this.#offer(route, feed);
        this.#pump(thread);
      },
      (error: unknown) => this.#broken(feed, error),
    );
    return [];
  }

  #take(route: Route, feed: Feed, frames: readonly Frame[]): Slice[] {
    const slices: Slice[] = [];
    const end = this.#end(route, feed);
    const from = feed.next;
    let credit = this.#credit(route);
    for (const frame of frames) {
      if (credit <= 0 || feed.next >= end) break;
      for (const slice of feed.take(frame, credit, end)) {
        slices.push(slice);
        credit -= slice.count;
      }
    }
    if (feed.next === from) {
      this.#broken(feed, new RangeError(`the log has no message at offset ${from}`));
      return [];
    }
    feed.mode = 'idle';
    this.#offer(route, feed);
    return slices;
  }

  #broken(feed: Feed, error: unknown): void {
    feed.mode = 'broken';
    const { actor, logger } = this.#options;
    logger.error(
      { err: error, actor, partition: feed.partition.index },
      'a partition cannot be read and stands still',
    );
  }

  /** One message was in flight when its thread ended: if that goes on, it is to blame. */
  #countLone(thread: number, route: Route): void {
    for (const feed of route.feeds) {
      const offset = feed.firstInFlight();
      if (offset === undefined) continue;
      if (route.lone?.feed !== feed || route.lone.offset !== offset) route.lone = { feed, offset, losses: 0 };
      route.lone.losses++;
      if (route.lone.losses < LONE_LOSSES_MAX) return;
      feed.giveUp(offset);
      this.#bury(thread, feed, offset, route.lone.losses).catch((error: unknown) =>
        this.#broken(feed, error),
      );
      route.lone = undefined;
      return;
    }
  }

  /** Makes a dead letter of the message at `offset`, which no thread lived to give up. */
  async #bury(thread: number, feed: Feed, offset: number, attempts: number): Promise<void> {
    const frame = (await feed.partition.read(offset, 1))[0];
    const item = frame && [...frameItems(frame.body)][offset - frame.offset];
    if (item === undefined) throw new RangeError(`the log has no message at offset ${offset}`);
    const error = new ThreadCrashError(
      `the worker thread ended ${attempts} times with this message alone in flight`,
    );
    const letter = {
      envelope: decodeEnvelope(item),
      cause: causeOf(error),
      attempts,
      deadAt: this.#options.now(),
    };
    this.#store(thread, feed, offset, letter, 0);
  }
}
