/**
 * The dispatcher of one actor type: it moves messages from the partitions of the log to the threads that own them, and the
 * news of their fate back.
 *
 * Promises:
 * - P2: a partition belongs to one thread, and is sent to it in order. It moves (`handover.ts`) when the thread has nothing of it.
 * - P4: an offset is committed when everything below it is done or safely a dead letter.
 * - P5: a thread has a bounded number of messages that are not done (`route.ts`). The rest waits on the log.
 */
import { MoveCancelledError, type TetherError } from '../errors.js';
import type { Dead, Done, Forgotten, Parked } from '../worker-protocol.js';
import { Burials } from './burials.js';
import { Feed } from './feed.js';
import { Handover } from './handover.js';
import type { DispatcherLoad, DispatcherOptions } from './options.js';
import { Ownership } from './ownership.js';
import { Route, WINDOW_MESSAGES } from './route.js';
import { Sender } from './sender.js';

/** How long a thread may take to finish what it has of a partition that moves. */
const MOVE_MS_MAX = 30_000;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #sender: Sender;
  readonly #feeds: readonly Feed[];
  readonly #routes = new Map<number, Route>();
  readonly #window = { messages: WINDOW_MESSAGES };
  readonly #ownership: Ownership;
  readonly #burials: Burials;
  readonly #handovers = new Map<Feed, Handover>();
  readonly #awake = new Set<Route>();
  #done = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { actor, post, clock, logger, onAbsent, gate } = options;
    this.#sender = new Sender({ actor, post, now: () => clock.now(), logger, onAbsent, gate });
    const all = options.ownership !== 'none';
    this.#feeds = options.partitions.map((partition) => new Feed(partition, all ? 'idle' : 'absent'));
    for (let thread = 0; thread < options.threads; thread++) this.addThread(thread);
    this.#ownership = new Ownership({
      routes: this.#routes,
      discard: options.discard ?? (async () => {}),
      onPlaced: (feed, route) => this.#placed(feed, route),
    });
    const { deadLetters } = options;
    this.#burials = new Burials({ deadLetters, clock, onStored: (feed) => this.#stored(feed) });
    if (!all) return;
    for (const [index, feed] of this.#feeds.entries()) {
      const route = this.#route(index % options.threads);
      route.own(feed);
      this.#ownership.set(feed, route);
      feed.partition.onAppended = () => this.#appended(feed);
    }
  }

  /** Messages that were handled, dead letters among them. */
  get done(): number {
    return this.#done;
  }

  /** Messages that threads have and that are not done. */
  get inFlight(): number {
    return [...this.#routes.values()].reduce((sum, { messages }) => sum + messages, 0);
  }

  /** So many messages may be in flight in each thread from now on. */
  set inFlightMax(messages: number) {
    this.#window.messages = messages;
    if (this.#sender.mode === 'running') this.resume();
  }

  /** Partitions that stand still: their log cannot be read, or this release cannot read what is on it. */
  standing(mode: 'broken' | 'unreadable'): readonly number[] {
    return this.#feeds.filter((feed) => feed.mode === mode).map(({ partition }) => partition.index);
  }

  /** The owning thread of each partition; undefined of one that is not this process's. */
  get owners(): readonly (number | undefined)[] {
    return this.#feeds.map((feed) => this.#ownership.owner(feed)?.thread);
  }

  /** What waits, and how long. Looks at what happened since the last call. */
  load(): DispatcherLoad {
    const now = this.#options.clock.now();
    let delayMs = 0;
    let busyPartitions = 0;
    for (const feed of this.#feeds) {
      delayMs = Math.max(delayMs, feed.delay.sample(now));
      if (feed.ours && (feed.inFlight > 0 || feed.unread)) busyPartitions++;
    }
    return { delayMs, busyPartitions };
  }

  /** A thread that owns nothing yet, and is not ready. */
  addThread(thread: number): void {
    if (this.#routes.has(thread)) throw new RangeError(`thread ${thread} is there already`);
    this.#routes.set(thread, new Route(thread, this.#window));
  }

  /** @throws Error when the thread owns partitions, or is about to */
  removeThread(thread: number): void {
    const route = this.#route(thread);
    if (route.feeds.size > 0) throw new Error(`thread ${thread} owns ${route.feeds.size} partitions`);
    for (const { to } of this.#handovers.values()) {
      if (to === thread) throw new Error(`a partition is on its way to thread ${thread}`);
    }
    this.#awake.delete(route);
    this.#routes.delete(thread);
    this.#ownership.lost(route);
  }

  /** These threads are about to be removed: no partition that is adopted goes to them. */
  retire(threads: readonly number[]): void {
    this.#ownership.retire(threads);
  }

  /**
   * From now on the partition is this process's, from what is committed. After a `drop` nothing is sent before the thread has let go
   * of what it had.
   * @param epoch of this ownership, for those who write what a message does
   * @throws Error when it is ours already, or nothing is sent any more
   */
  adopt(partition: number, epoch: number | undefined): void {
    if (this.#sender.mode === 'stopped') throw new Error('nothing is sent any more');
    this.#ownership.adopt(this.#feed(partition), epoch);
  }

  /**
   * Sends nothing more of a partition. Resolves when what was in flight is committed, and its thread has let go of the rest: it is not
   * ours then, and everything from what is committed on is the next owner's. At once when it was not.
   * @throws MoveTimeoutError, MoveCancelledError (rejects), as `move` does; nothing is sent until `drop` or another `giveUp`
   */
  async giveUp(partition: number, deadlineMs = MOVE_MS_MAX): Promise<void> {
    const feed = this.#feed(partition);
    if (!feed.ours) {
      this.#ownership.drop(feed);
      return;
    }
    this.#handovers.get(feed)?.cancel('it is given up');
    if (this.#sender.mode === 'stopped') {
      throw new MoveCancelledError(`partition ${partition} is not given up: nothing is sent any more`);
    }
    const from = this.#owner(feed);
    const { term } = feed;
    if (feed.mode !== 'held') from.hold(feed);
    let left = false;
    await this.#handOver(feed, from, undefined, deadlineMs, () => {
      if (feed.term !== term) return;
      left = true;
      this.#ownership.leave(feed);
      this.#sender.pump(from);
    });
    if (!left) throw new MoveCancelledError(`partition ${partition} is not given up: it was dropped`);
  }

  /** The partition is another process's: nothing is sent, and what comes of what is in flight counts no more. */
  drop(partition: number): void {
    const feed = this.#feed(partition);
    const from = this.#ownership.owner(feed);
    this.#ownership.drop(feed);
    this.#handovers.get(feed)?.lose();
    if (from !== undefined) this.#sender.pump(from);
    this.#options.onSettled?.();
  }

  /** So much is gone of what was dropped, or of what the thread cannot read. */
  forgotten(thread: number, { messages, bytes, unreadable }: Forgotten): void {
    const route = this.#route(thread);
    const feed = unreadable && this.#feed(unreadable.partition);
    if (feed?.ours) route.refuse(feed, unreadable?.offset ?? 0, messages);
    route.settle(messages, bytes);
    this.#settled(route);
  }

  /**
   * Gives a partition to another thread, in order: the new owner gets the rest when nothing of it is in flight any more.
   * @throws MoveTimeoutError (rejects) when the old thread does not let go within `deadlineMs`
   * @throws MoveCancelledError (rejects) when it moves already, when the dispatcher stops, or when `release` fails
   * Either way the partition stays where it is and goes on there.
   */
  async move(partition: number, toThread: number, deadlineMs = MOVE_MS_MAX): Promise<void> {
    const feed = this.#feed(partition);
    const to = this.#route(toThread);
    const from = this.#ownership.owner(feed);
    const refusal = this.#refusal(feed);
    if (from === undefined || refusal !== undefined) {
      throw new MoveCancelledError(`partition ${partition} was not moved: ${refusal}`);
    }
    if (from === to) return;
    from.hold(feed);
    const { term } = feed;
    await this.#handOver(feed, from, to, deadlineMs, (error) => {
      // It was dropped, or is ours anew.
      if (feed.term !== term) return;
      if (error === undefined) this.#give(feed, from, to);
      feed.unhold();
      const owner = this.#owner(feed);
      owner.offer(feed);
      this.#sender.pump(from);
      this.#sender.pump(owner);
    });
  }

  #refusal(feed: Feed): string | undefined {
    if (!feed.ours) return "it is not this process's";
    if (this.#handovers.has(feed)) return 'it moves already';
    if (feed.mode === 'held') return 'it is given up';
    return this.#sender.mode === 'stopped' ? 'nothing is sent any more' : undefined;
  }

  /** @param to undefined: nobody here */
  #handOver(
    feed: Feed,
    from: Route,
    to: Route | undefined,
    deadlineMs: number,
    ended: (error: TetherError | undefined) => void,
  ): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const handover = new Handover({
        partition: feed.partition.index,
        from: from.thread,
        to: to?.thread,
        deadlineMs,
        clock: this.#options.clock,
        release: this.#options.release ?? (async () => {}),
        inFlight: () => (to === undefined ? feed.unfinished : feed.inFlight),
        onEnd: (error) => {
          this.#handovers.delete(feed);
          if (error === undefined || to !== undefined) ended(error);
          if (error === undefined) resolve();
          else reject(error);
        },
      });
      this.#handovers.set(feed, handover);
      if (from.mode === 'absent') this.#loseFrom(handover, feed);
      else handover.progress();
    });
  }

  /** The thread has nothing any more. Dead letters that wait for their store are still to be waited for when it is given up. */
  #loseFrom(handover: Handover, feed: Feed): void {
    if (handover.to === undefined && feed.unfinished > 0) return;
    handover.lose();
  }

  #placed(feed: Feed, route: Route | undefined): void {
    const { partition } = feed;
    partition.onAppended = route === undefined ? undefined : () => this.#appended(feed);
    this.#options.onOwned?.(partition.index, route?.thread, feed.epoch);
    if (route === undefined) return;
    route.offer(feed);
    this.#sender.pump(route);
  }

  #give(feed: Feed, from: Route, to: Route): void {
    const { index } = feed.partition;
    to.adopt(feed, from);
    this.#ownership.set(feed, to);
    this.#options.onMoved?.(index, from.thread, to.thread);
  }

  /** A thread is ready; it has nothing in flight. */
  attach(thread: number): void {
    const route = this.#route(thread);
    route.attach();
    this.#sender.pump(route);
  }

  /** A thread ended: it is sent nothing more. What it said before its end may still come, and then `detach`. */
  suspend(thread: number): void {
    this.#route(thread).suspend();
  }

  /** A thread was lost with everything that it had. */
  detach(thread: number): void {
    const culprit = this.#route(thread).lose();
    if (culprit !== undefined) {
      const { feed } = culprit;
      const { term } = feed;
      this.#burials.bury(culprit).catch((error: unknown) => this.#sender.broken(feed, error, term));
    }
    for (const [feed, handover] of [...this.#handovers]) {
      if (handover.from === thread) this.#loseFrom(handover, feed);
    }
    this.#ownership.lost(this.#route(thread));
    this.#options.onSettled?.();
  }

  /** Nothing is sent until `resume`; moves go on. */
  pause(): void {
    this.#sender.pause();
    for (const feed of this.#feeds) feed.delay.forget();
  }

  resume(): void {
    this.#sender.resume();
    for (const route of this.#routes.values()) this.#sender.pump(route);
  }

  /** Nothing is sent or moved any more; news of what is in flight is still taken. */
  stop(): void {
    this.#sender.stop();
    for (const feed of this.#feeds) feed.partition.onAppended = undefined;
    for (const handover of [...this.#handovers.values()]) handover.cancel('nothing is sent any more');
  }

  finished(thread: number, { ranges, count, bytes }: Done): void {
    const route = this.#route(thread);
    for (let at = 0; at < ranges.length; at += 3) {
      const feed = this.#feed(ranges[at] as number);
      const from = ranges[at + 1] as number;
      const to = ranges[at + 2] as number;
      if (!feed.ours) continue;
      feed.complete(from, to);
      feed.settle(to - from);
    }
    this.#done += count;
    route.settle(count, bytes);
    this.#settled(route);
  }

  parked(thread: number, { messages, bytes }: Parked): void {
    const route = this.#route(thread);
    route.park(messages, bytes);
    this.#sender.pump(route);
  }

  gaveUp(thread: number, { partition, offset, bytes, envelope, cause, attempts }: Dead): void {
    const route = this.#route(thread);
    const { life } = route;
    const feed = this.#feed(partition);
    if (!feed.ours) {
      this.forgotten(thread, { type: 'forgotten', messages: 1, bytes });
      return;
    }
    const { term } = feed;
    feed.giveUp(offset);
    route.endSuspicion();
    this.#burials.store(feed, offset, { envelope, cause, attempts }, () => {
      if (route.life !== life) return;
      if (feed.term === term) feed.settle(1);
      route.settle(1, bytes);
      this.#settled(route);
    });
  }

  /** A dead letter is stored. */
  #stored(feed: Feed): void {
    this.#done++;
    // That may have been the last of a partition that is given up.
    if (!feed.ours) return;
    const owner = this.#owner(feed);
    const handover = this.#handovers.get(feed);
    if (handover !== undefined && owner.mode !== 'absent') handover.progress();
    else if (handover !== undefined && handover.to === undefined) this.#loseFrom(handover, feed);
    owner.endSuspicion();
    this.#sender.pump(owner);
  }

  /** Something of the route's thread is not in flight any more. */
  #settled(route: Route): void {
    this.#sender.pump(route);
    for (const handover of this.#handovers.values()) {
      if (handover.from === route.thread) handover.progress();
    }
    this.#options.onSettled?.();
  }

  #route(thread: number): Route {
    const route = this.#routes.get(thread);
    if (route === undefined) throw new RangeError(`no thread ${thread}`);
    return route;
  }

  #feed(partition: number): Feed {
    const feed = this.#feeds[partition];
    if (feed === undefined) throw new RangeError(`no partition ${partition}`);
    return feed;
  }

  #owner(feed: Feed): Route {
    return this.#ownership.ownerOf(feed);
  }

  #appended(feed: Feed): void {
    const route = this.#owner(feed);
    route.offer(feed);
    if (this.#awake.size === 0) queueMicrotask(() => this.#pumpAwake());
    this.#awake.add(route);
  }

  #pumpAwake(): void {
    const routes = [...this.#awake];
    this.#awake.clear();
    for (const route of routes) this.#sender.pump(route);
  }
}
