/**
 * A lane: the mailbox of an activation and the loop that empties it, one batch at a time.
 *
 * It promises the thread's part of P2 and P4. Only `#run` calls `receive`, and it awaits each call: never two at once.
 *
 * What becomes of a batch that fails:
 * - an outage (`failure.ts`): the whole lane waits and tries the same messages again, for as long as it takes
 * - several messages: the batch is split in halves, handled one after the other, until the poison stands alone; n messages
 *   with one poison cost 2 log2(n) calls more
 * - one message, budget left: its key is held. Messages of that key queue behind it, all others go on. After the backoff it
 *   is tried alone.
 * - one message, budget spent or failure final: a dead letter, and its key goes on.
 *
 * Held followers come back to the front of the queue: whatever of their key still stands in the queue came later.
 *
 * Modes:
 *   idle ----push/wake----> running ----nothing to take----> idle
 *   running --outage--> waiting --backoff over--> running
 *   any --stop--> stopped
 * Bound: the dispatcher's credit, over all lanes of a thread; what waits behind a held key is charged to a credit of its own, so
 * that a key with many messages behind its poison does not use up what the others live on.
 */
import type { Message } from '../actor.js';
import type { Clock } from '../clock.js';
import { causeOf, failureOf } from '../failure.js';
import { backoffMs, type RetryPolicy } from '../retry.js';
import type { Entry, Outcome } from './entry.js';

export type LaneMode = 'idle' | 'running' | 'waiting' | 'stopped';

export interface LaneOptions {
  /** Handles messages; called with at least one and at most `batchMax`, never twice at once. */
  readonly receive: (messages: readonly Message[]) => Promise<void> | void;
  readonly batchMax: number;
  /** How long a batch that is not full waits for more, milliseconds. */
  readonly lingerMs: number;
  readonly retry: RetryPolicy;
  readonly outcome: Outcome;
  readonly clock: Clock;
  /** Returns [0, 1). */
  readonly random: () => number;
}

interface Held {
  readonly poison: Entry;
  readonly followers: Entry[];
  cancel: () => void;
}

/** Retries of an outage come faster than those of a poison message: when it ends, everything waits for them. */
const OUTAGE_RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 100, delayMsMax: 2_000 };

export class Lane {
  readonly #options: LaneOptions;
  #mode: LaneMode = 'idle';
  #queue: Entry[] = [];
  #head = 0;
  readonly #held = new Map<string, Held>();
  /** Poison messages whose backoff is over. */
  #due: Held[] = [];
  #draining = false;
  #running: Promise<void> = Promise.resolve();
  #endWait: (() => void) | undefined;
  #endLinger: (() => void) | undefined;
  /** When the call of `receive` under way began, milliseconds; undefined when none is. */
  #receivingSince: number | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get mode(): LaneMode {
    return this.#mode;
  }

  get receivingSince(): number | undefined {
    return this.#receivingSince;
  }

  /** Nothing queued, held or under way. */
  get empty(): boolean {
    return this.#mode === 'idle' && this.#held.size === 0;
  }

  push(entry: Entry): void {
    if (this.#mode === 'stopped') return;
    this.#queue.push(entry);
    if (this.#endLinger !== undefined && this.#queued >= this.#options.batchMax) this.#endLinger();
    this.#wake();
  }

  /** Handles what is queued, but waits for no backoff and no outage, and stops. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#endWait?.();
    this.#endLinger?.();
    await this.#running;
    this.stop();
  }

  /** Takes nothing more. What is under way ends on its own and is still reported. */
  stop(): void {
    this.#mode = 'stopped';
    this.#endWait?.();
    this.#endLinger?.();
    for (const held of this.#held.values()) held.cancel();
    this.#held.clear();
    this.#queue = [];
    this.#head = 0;
    this.#due = [];
  }

  get #queued(): number {
    return this.#queue.length - this.#head;
  }

  #wake(): void {
    if (this.#mode !== 'idle') return;
    this.#mode = 'running';
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    // The first batch is taken a microtask later, so that entries pushed in one go form one batch.
    await undefined;
    while (this.#mode === 'running') {
      const retry = this.#due.shift();
      if (retry !== undefined) {
        await this.#retry(retry);
        continue;
      }
      if (this.#lingers()) await this.#linger();
      const batch = this.#take();
      // A backoff may have ended while it lingered for what only waits behind that message.
      if (batch.length === 0 && this.#due.length === 0) break;
      await this.#handle(batch);
    }
    if (this.#mode === 'running') this.#mode = 'idle';
  }

  #lingers(): boolean {
    const { lingerMs, batchMax } = this.#options;
    return lingerMs > 0 && this.#queued > 0 && this.#queued < batchMax && !this.#draining;
  }

  /** Until the time is up, the batch is full, or the lane drains or stops. */
  async #linger(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(this.#options.lingerMs, resolve);
      this.#endLinger = () => {
        cancel();
        resolve();
      };
    });
    this.#endLinger = undefined;
  }

  /** The next batch; messages of held keys go behind their poison on the way. */
  #take(): Entry[] {
    const end = Math.min(this.#queue.length, this.#head + this.#options.batchMax);
    const batch = this.#queue.slice(this.#head, end);
    this.#head = end;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 8_192) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (this.#held.size === 0) return batch;
    const free = this.#withoutHeld(batch);
    return free.length > 0 || this.#queue.length === 0 ? free : this.#take();
  }

  #withoutHeld(batch: readonly Entry[]): Entry[] {
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

  async #handle(batch: readonly Entry[]): Promise<void> {
    const parts: (readonly Entry[])[] = [batch];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (this.#held.size > 0) part = this.#withoutHeld(part);
      if (part.length === 0) continue;
      const failed = await this.#attempt(part);
      if (failed === undefined) this.#options.outcome.done(part);
      if (this.#mode === 'stopped') return;
      if (failed === undefined) continue;
      if (part.length > 1) {
        const middle = part.length >>> 1;
        parts.push(part.slice(middle), part.slice(0, middle));
      } else {
        this.#failed(part[0] as Entry, failed.error, undefined);
      }
    }
  }

  async #retry(held: Held): Promise<void> {
    const failed = await this.#attempt([held.poison]);
    if (failed === undefined) {
      this.#options.outcome.done([held.poison]);
      this.#release(held);
    } else if (this.#mode !== 'stopped') {
      this.#failed(held.poison, failed.error, held);
    }
  }

  /** Calls `receive`, again and again while there is an outage. Returns what it threw otherwise. */
  async #attempt(entries: readonly Entry[]): Promise<{ readonly error: unknown } | undefined> {
    const messages = entries.map((entry) => entry.message);
    for (let outages = 0; ; outages++) {
      try {
        this.#receivingSince = this.#options.clock.now();
        await this.#options.receive(messages);
        this.#receivingSince = undefined;
        if (outages > 0) this.#options.outcome.outage(undefined);
        return undefined;
      } catch (error) {
        this.#receivingSince = undefined;
        if (failureOf(error) !== 'outage') {
          if (outages > 0) this.#options.outcome.outage(undefined);
          return { error };
        }
        this.#options.outcome.outage(error as Error);
        if (this.#draining) this.stop();
        if (!(await this.#wait(backoffMs(outages + 1, OUTAGE_RETRY, this.#options.random)))) return { error };
      }
    }
  }

  /** Waits out an outage. Returns whether the lane goes on. */
  async #wait(ms: number): Promise<boolean> {
    if (this.#mode === 'stopped') return false;
    this.#mode = 'waiting';
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve);
      this.#endWait = () => {
        cancel();
        resolve();
      };
    });
    this.#endWait = undefined;
    // `stop` may have come meanwhile, which the compiler cannot see.
    if ((this.#mode as LaneMode) === 'stopped') return false;
    this.#mode = 'running';
    return true;
  }

  /** A message failed on its own: hold its key, or give it up. */
  #failed(entry: Entry, error: unknown, held: Held | undefined): void {
    const { retry, outcome, clock, random } = this.#options;
    const failures = entry.message.attempt;
    if (failureOf(error) === 'final' || failures >= retry.attemptsMax) {
      outcome.dead(entry, causeOf(error));
      if (held !== undefined) this.#release(held);
      return;
    }
    entry.message.attempt++;
    const hold = held ?? { poison: entry, followers: [], cancel: () => {} };
    this.#held.set(entry.message.key, hold);
    hold.cancel = clock.after(backoffMs(failures, retry, random), () => {
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
