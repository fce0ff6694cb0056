/**
 * Which partitions of one actor type are this process's, and which of its threads has each.
 *
 * A partition that is not ours has no thread. One that is adopted goes to the ready thread that has the fewest, once no thread has
 * anything of it from an earlier ownership: else two calls of one key could be under way at once (P2). Threads that are about to be
 * taken away get none.
 */
import type { Feed } from './feed.js';
import type { Route } from './route.js';

/**
 * What the log of one process does by itself (`all`), or what others say by `adopt`, `giveUp` and `drop` (`none`: nothing is ours
 * before).
 */
export type OwnershipAtStart = 'all' | 'none';

/** Has a thread let go of all that it has of a partition, at once and without a trace. Resolves when it has, or is lost. */
export type Discard = (partition: number, thread: number) => Promise<void>;

export interface OwnershipOptions {
  readonly routes: ReadonlyMap<number, Route>;
  readonly discard: Discard;
  /** A feed has its thread, or (undefined) is ours no more. */
  readonly onPlaced: (feed: Feed, route: Route | undefined) => void;
}

export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #owners = new Map<Feed, Route>();
  /** Of what was dropped: who may still have something of it. */
  readonly #leftovers = new Map<Feed, Route>();
  #retiring: ReadonlySet<number> = new Set();

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  owner(feed: Feed): Route | undefined {
    return this.#owners.get(feed);
  }

  /** @throws Error when the partition is not ours */
  ownerOf(feed: Feed): Route {
    const owner = this.#owners.get(feed);
    if (owner === undefined) throw new Error(`partition ${feed.partition.index} has no thread`);
    return owner;
  }

  /** Says who has a feed at the start, or after a move. */
  set(feed: Feed, route: Route): void {
    this.#owners.set(feed, route);
  }

  /** Threads that get no partition that is adopted. */
  retire(threads: readonly number[]): void {
    this.#retiring = new Set(threads);
  }

  adopt(feed: Feed, epoch: number | undefined): void {
    feed.adopt(epoch);
    if (feed.ours) this.#place(feed);
  }

  /** Nothing of it is in flight, and its thread has let go of it. */
  leave(feed: Feed): void {
    feed.leave();
    this.#remove(feed);
  }

  drop(feed: Feed): void {
    if (feed.mode === 'absent' || feed.mode === 'dropped') return;
    const owner = this.#owners.get(feed);
    feed.drop();
    // Of one that is awaited, the thread has been told already.
    if (owner === undefined) return;
    this.#leftovers.set(feed, owner);
    this.#remove(feed);
    if (owner.mode === 'absent') {
      this.#letGo(feed);
      return;
    }
    const { life } = owner;
    void this.#options.discard(feed.partition.index, owner.thread).then(() => {
      if (this.#leftovers.get(feed) === owner && owner.life === life) this.#letGo(feed);
    });
  }

  /** The thread is gone, with whatever it had. */
  lost(route: Route): void {
    for (const [feed, owner] of this.#leftovers) if (owner === route) this.#letGo(feed);
  }

  #letGo(feed: Feed): void {
    this.#leftovers.delete(feed);
    feed.letGo();
    if (feed.ours) this.#place(feed);
  }

  #place(feed: Feed): void {
    const all = [...this.#options.routes.values()];
    const staying = all.filter(({ thread }) => !this.#retiring.has(thread));
    const up = staying.filter((route) => route.up);
    const candidates = up.length > 0 ? up : staying.length > 0 ? staying : all;
    const route = candidates.reduce((a, b) => (b.feeds.size < a.feeds.size ? b : a));
    route.own(feed);
    this.#owners.set(feed, route);
    this.#options.onPlaced(feed, route);
  }

  #remove(feed: Feed): void {
    const owner = this.ownerOf(feed);
    this.#owners.delete(feed);
    owner.disown(feed);
    this.#options.onPlaced(feed, undefined);
  }
}
