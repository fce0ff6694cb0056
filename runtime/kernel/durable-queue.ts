/**
 * The durable messages of one activation: which batch is next, and what becomes of one that fails. It promises the thread's part
 * of P2 and P4; whoever runs it hands one batch at a time to `receive`.
 *
 * A batch that fails:
 * - an outage (`failure.ts`): the queue waits and gives out the same batch again, for as long as it takes
 * - several messages: the batch is split in halves, handled one after the other, until the poison stands alone; n messages
 *   with one poison cost 2 log2(n) calls more
 * - one message, budget left: its key is held. Messages of that key queue behind it, all others go on. After the backoff it
 *   is tried alone.
 * - one message, whose needs are on their way (`PendingError`): the same, but that its budget stays as it is, for a bounded time.
 * - one message, budget spent or failure final: a dead letter, and its key goes on.
 *
 * Held followers come back to the front of the queue: whatever of their key still stands in the queue came later.
 *
 * Modes:
 *   open --outage--> waiting --backoff over, or some of it discarded--> open
 *   any --stop--> stopped
 * Bound: the dispatcher's credit, over all queues of a thread; a poison that waits for its retry and what waits behind it are charged to
 * a credit of their own ("parked"), so that a key with many messages does not use up what the others live on, however little that is.
 */
import type { Clock } from '../clock.js';
import { asError, causeOf, failureOf, isPending } from '../failure.js';
import { backoffMs, type RetryPolicy } from '../retry.js';
import type { Entry, Outcome } from './entry.js';

export interface DurableQueueOptions {
  readonly retry: RetryPolicy;
  readonly outcome: Outcome;
  readonly clock: Clock;
  /** Returns [0, 1). */
  readonly random: () => number;
}

interface Held {
  readonly poison: Entry;
  readonly followers: Entry[];
  /** When it failed alone first. */
  readonly since: number;
  /** Tries that ended in a `PendingError`. */
  pendings: number;
  cancel: () => void;
}

/** Retries of an outage come faster than those of a poison message: when it ends, everything waits for them. */
const OUTAGE_RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 100, delayMsMax: 2_000 };
/** As for an outage: what is on its way comes soon. */
const PENDING_RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 200, delayMsMax: 1_000 };
/** Whoever throws it knows better; this is the bound for one that does not. */
const PENDING_MS_MAX = 60_000;
/** Entries before the head of the queue that are not worth a copy. */
const SPENT_MAX = 8_192;

export class DurableQueue {
  readonly #options: DurableQueueOptions;
  readonly #wake: () => void;
  #mode: 'open' | 'waiting' | 'stopped' = 'open';
  #queue: Entry[] = [];
  #head = 0;
  /** Of a batch that failed, what is to be tried next; the last first. */
  #parts: (readonly Entry[])[] = [];
  readonly #held = new Map<string, Held>();
  /** Poison messages whose backoff is over. */
  #due: Held[] = [];
  /** The one that is out being tried. */
  #tried: Held | undefined;
  /** What is out, and the partitions of which nothing is to come back from there. */
  #out: readonly Entry[] = [];
  #discarded: Map<number, () => void> | undefined;
  #outages = 0;
  #draining = false;
  #cancelWait = () => {};

  /** @param wake called when there is something to take again, after a wait */
  constructor(options: DurableQueueOptions, wake: () => void) {
    this.#options = options;
    this.#wake = wake;
  }

  push(entry: Entry): void {
    if (this.#mode !== 'stopped') this.#queue.push(entry);
  }

  /** Entries that wait for their first delivery, those that only wait behind a held key among them. */
  get queued(): number {
    return this.#queue.length - this.#head;
  }

  /** Whether `take` may give something out. */
  get ready(): boolean {
    return this.#mode === 'open' && (this.#queue.length > this.#head || this.retrying);
  }

  /** Whether a batch that failed is to be tried again now; it waits for no others. */
  get retrying(): boolean {
    return this.#mode === 'open' && (this.#parts.length > 0 || this.#due.length > 0);
  }

  /** Nothing queued, held, or to be tried again. */
  get empty(): boolean {
    return this.#mode !== 'waiting' && !this.ready && this.#held.size === 0;
  }

  /** How many messages the next batch has, at most `max`; or fewer, those that only wait behind a held key among them. */
  wanted(max: number): number {
    const first = this.#parts.at(-1)?.length ?? (this.#due.length > 0 ? 1 : this.queued);
    return Math.max(1, Math.min(max, first));
  }

  /** The next batch, of at most `max`; it may be empty. Its fate is told before the next is taken. */
  take(max: number): readonly Entry[] {
    this.#out = this.#next(max);
    return this.#out;
  }

  #next(max: number): readonly Entry[] {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      if (part.length > max) this.#parts.push(part.slice(max));
      part = part.slice(0, max);
      // An outage repeats what was out before, the poison of a held key among it.
      if (this.#tried !== undefined) return part;
      const free = this.#held.size > 0 ? this.#withoutHeld(part) : part;
      if (free.length > 0) return free;
    }
    const retry = this.#due.shift();
    if (retry !== undefined) {
      this.#tried = retry;
      this.#options.outcome.parked(-1, -retry.poison.bytes);
      return [retry.poison];
    }
    return this.#takeQueued(max);
  }

  succeeded(batch: readonly Entry[]): void {
    this.#endOutage();
    this.#options.outcome.done(batch);
    this.#returned();
    const tried = this.#tried;
    this.#tried = undefined;
    if (tried !== undefined && this.#mode !== 'stopped') this.#release(tried);
  }

  failed(failed: readonly Entry[], error: unknown): void {
    let batch = failed;
    const discarded = this.#discarded;
    if (discarded !== undefined) {
      const forgotten = batch.filter(({ partition }) => discarded.has(partition));
      batch = batch.filter(({ partition }) => !discarded.has(partition));
      if (forgotten.length > 0) this.#options.outcome.forgotten(forgotten);
    }
    this.#returned();
    if (this.#mode === 'stopped') return;
    if (batch.length === 0) {
      this.#endOutage();
      this.#tried = undefined;
      return;
    }
    if (failureOf(error) === 'outage') {
      this.#waitOut(batch, asError(error));
      return;
    }
    this.#endOutage();
    const tried = this.#tried;
    this.#tried = undefined;
    if (batch.length > 1) {
      const middle = batch.length >>> 1;
      this.#parts.push(batch.slice(middle), batch.slice(0, middle));
    } else {
      this.#failedAlone(batch[0] as Entry, error, tried);
    }
  }

  /**
   * Forgets what it has of a partition; what is out of it is forgotten when it fails. Resolves when nothing of it is here or out any
   * more.
   */
  discard(partition: number): Promise<void> {
    const forgotten: Entry[] = [];
    const keep = (entry: Entry) => {
      if (entry.partition !== partition) return true;
      forgotten.push(entry);
      return false;
    };
    const isOut = this.#out.some((entry) => entry.partition === partition);
    this.#queue = this.#queue.slice(this.#head).filter(keep);
    this.#head = 0;
    this.#parts = this.#parts.map((part) => part.filter(keep)).filter((part) => part.length > 0);
    this.#due = this.#due.filter(({ poison }) => poison.partition !== partition);
    for (const [key, held] of this.#held) {
      if (held.poison.partition !== partition) continue;
      held.cancel();
      this.#held.delete(key);
      // The one that is being tried is out, or, in an outage, among the parts.
      const parked = this.#tried === held ? held.followers : [held.poison, ...held.followers];
      const bytes = parked.reduce((sum, entry) => sum + entry.bytes, 0);
      if (parked.length > 0) this.#options.outcome.parked(-parked.length, -bytes);
      forgotten.push(...parked);
      held.followers.length = 0;
      if (this.#tried === held && !isOut) this.#tried = undefined;
    }
    if (forgotten.length > 0) this.#options.outcome.forgotten(forgotten);
    if (this.#parts.length === 0 && !isOut) this.#endOutage();
    // What was waited for may have been about these alone: another process has their partition.
    if (forgotten.length > 0) this.#endWait();
    if (!isOut) return Promise.resolve();
    return new Promise((resolve) => {
      this.#discarded ??= new Map();
      const before = this.#discarded.get(partition);
      this.#discarded.set(partition, () => {
        before?.();
        resolve();
      });
    });
  }

  /** What was out is not any more. */
  #returned(): void {
    this.#out = [];
    const discarded = this.#discarded;
    if (discarded === undefined) return;
    this.#discarded = undefined;
    for (const resolve of discarded.values()) resolve();
  }

  /** From now on no outage is waited for. */
  drain(): void {
    this.#draining = true;
    if (this.#mode === 'waiting') this.stop();
  }

  /** Gives out nothing more. What is out is still reported when it succeeds. */
  stop(): void {
    this.#mode = 'stopped';
    this.#cancelWait();
    for (const held of this.#held.values()) held.cancel();
    this.#held.clear();
    this.#queue = [];
    this.#head = 0;
    this.#parts = [];
    this.#due = [];
  }

  /** Messages of held keys go behind their poison on the way. */
  #takeQueued(max: number): readonly Entry[] {
    while (this.#queue.length > this.#head) {
      const end = Math.min(this.#queue.length, this.#head + max);
      const batch = this.#queue.slice(this.#head, end);
      this.#head = end;
      if (this.#head === this.#queue.length) {
        this.#queue = [];
        this.#head = 0;
      } else if (this.#head > SPENT_MAX) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      const free = this.#held.size > 0 ? this.#withoutHeld(batch) : batch;
      if (free.length > 0) return free;
    }
    return [];
  }

  #withoutHeld(batch: readonly Entry[]): readonly Entry[] {
    const free: Entry[] = [];
    let bytes = 0;
    for (const entry of batch) {
      const held = this.#held.get(entry.message.key);
      if (held === undefined) {
        free.push(entry);
      } else {
        held.followers.push(entry);
        bytes += entry.bytes;
      }
    }
    if (bytes > 0) this.#options.outcome.parked(batch.length - free.length, bytes);
    return free;
  }

  #waitOut(batch: readonly Entry[], error: Error): void {
    const { outcome, clock, random } = this.#options;
    outcome.outage(error);
    if (this.#draining) {
      this.stop();
      return;
    }
    this.#parts.push(batch);
    this.#mode = 'waiting';
    this.#cancelWait = clock.after(backoffMs(++this.#outages, OUTAGE_RETRY, random), () => this.#endWait());
  }

  #endWait(): void {
    if (this.#mode !== 'waiting') return;
    this.#cancelWait();
    this.#mode = 'open';
    this.#wake();
  }

  #endOutage(): void {
    if (this.#outages === 0) return;
    this.#outages = 0;
    this.#options.outcome.outage(undefined);
  }

  /** A message failed on its own: hold its key, or give it up. */
  #failedAlone(entry: Entry, error: unknown, held: Held | undefined): void {
    const { retry, outcome, clock, random } = this.#options;
    const failures = entry.message.attempt;
    const now = clock.now();
    const since = held?.since ?? now;
    const waits = isPending(error) && now - since < PENDING_MS_MAX;
    if (!waits && (failureOf(error) === 'final' || failures >= retry.attemptsMax)) {
      outcome.dead(entry, causeOf(error));
      if (held !== undefined) this.#release(held);
      return;
    }
    const hold = held ?? { poison: entry, followers: [], since, pendings: 0, cancel: () => {} };
    if (waits) hold.pendings++;
    else entry.message.attempt++;
    this.#held.set(entry.message.key, hold);
    outcome.parked(1, entry.bytes);
    const ms = waits ? backoffMs(hold.pendings, PENDING_RETRY, random) : backoffMs(failures, retry, random);
    hold.cancel = clock.after(ms, () => {
      this.#due.push(hold);
      this.#wake();
    });
  }

  #release(held: Held): void {
    this.#held.delete(held.poison.message.key);
    if (held.followers.length === 0) return;
    const bytes = held.followers.reduce((sum, follower) => sum + follower.bytes, 0);
    this.#options.outcome.parked(-held.followers.length, -bytes);
    this.#queue = held.followers.concat(this.#queue.slice(this.#head));
    this.#head = 0;
  }
}
