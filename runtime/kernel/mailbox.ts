/**
 * The volatile messages that wait for one activation, in order, urgent ones first, and what happens to one too many.
 */
import { MailboxFullError } from '../errors.js';
import type { DropReason } from '../events.js';
import type { Answerable, Debtor } from './ask.js';
import type { Codec } from './codec.js';
import { Parcel, VolatileMessage } from './letter.js';
import { Ring } from './ring.js';
import { Room } from './room.js';

/** A mailbox that was full gives way to senders again when it is emptied to this share. */
const ROOM_SHARE = 0.5;
/**
 * What a mailbox with backpressure takes beyond its limit when mailboxes together hold more than half of what they may. Before, it
 * takes all: many senders that each send one message, and would wait before the next, lose none.
 */
const OVERRUN = 2;

export interface MailboxHost {
  readonly type: string;
  readonly codec: Codec;
  readonly mailboxMax: number;
  readonly overflow: 'backpressure' | 'reject' | 'drop-oldest';
  readonly urgent: ((body: unknown) => boolean) | undefined;
  readonly kernel: {
    /** Volatile messages in all mailboxes of the thread, and whether they are as many as may be. */
    waiting: number;
    readonly full: boolean;
    /** Whether they are less than half of that. */
    readonly roomy: boolean;
  };
  /** A message is not delivered. */
  refuse(mail: unknown, reason: Error, why: DropReason): void;
  /** A message came to a mailbox that was closed without a reason. */
  misdirected(key: string, mail: unknown): Promise<void> | undefined;
}

export class Mailbox {
  /** Messages that were taken out, however. */
  taken = 0;
  /** Bodies, and parcels around them. */
  readonly #mail = new Ring<unknown>();
  readonly #host: MailboxHost;
  readonly #key: string;
  /** Messages that may wait; 0 while it is closed. */
  #limit: number;
  #closed: Error | undefined;
  #leaving = false;
  #urgent: Ring<unknown> | undefined;
  /** Of a batch that failed, the parts to try next; the last first. */
  #parts: VolatileMessage[][] | undefined;
  #room: Room | undefined;

  constructor(host: MailboxHost, key: string) {
    this.#host = host;
    this.#key = key;
    this.#limit = host.mailboxMax;
  }

  /** Messages that wait for their first delivery. */
  get length(): number {
    return this.#urgent === undefined ? this.#mail.length : this.#mail.length + this.#urgent.length;
  }

  /** Messages that were ever put in. */
  get pushed(): number {
    return this.taken + this.length;
  }

  get empty(): boolean {
    return this.#mail.length === 0 && this.#parts === undefined && (this.#urgent?.length ?? 0) === 0;
  }

  /** Whether parts of a batch that failed are to be tried. */
  get retrying(): boolean {
    return this.#parts !== undefined;
  }

  /** Takes a body or a parcel. Returns a promise when senders should wait for room. */
  push(mail: unknown): Promise<void> | undefined {
    const host = this.#host;
    if (this.length >= this.#limit || host.kernel.full) return this.#pushFull(mail);
    host.kernel.waiting++;
    this.#place(mail);
    return undefined;
  }

  /** As `push`, for what was sent before the mailbox was closed for a move. */
  admit(mail: unknown): Promise<void> | undefined {
    if (this.#limit > 0 || this.#closed !== undefined) return this.push(mail);
    this.#host.kernel.waiting++;
    this.#mail.push(mail);
    return undefined;
  }

  /**
   * How many messages the next batch has, at most `max`. What nobody waits for any more is not among them, and is let go where it
   * stands before them.
   */
  wanted(max: number): number {
    const part = this.#parts?.at(-1);
    if (part !== undefined) {
      return Math.min(max, part.filter(({ parcel }) => parcel === undefined || isWanted(parcel)).length);
    }
    const ring = this.#first;
    let wanted = 0;
    for (let at = 0; at < ring.length && wanted < max; ) {
      const mail = ring.at(at);
      if (!(mail instanceof Parcel) || isWanted(mail)) {
        wanted++;
        at++;
      } else if (at === 0) {
        ring.shift();
        this.#host.kernel.waiting--;
        this.taken++;
      } else at++;
    }
    return wanted;
  }

  /** The next batch; it may be empty when nobody waits for an answer any more. */
  take(max: number, debtor: Debtor): VolatileMessage[] {
    if (this.#parts !== undefined) return this.#takePart(max, this.#parts);
    const ring = this.#first;
    const before = ring.length;
    let messages: VolatileMessage[] | undefined;
    while (ring.length > 0 && (messages === undefined || messages.length < max)) {
      const message = this.#open(ring.shift(), debtor);
      if (message === undefined) continue;
      // Most batches are of one: an array that is empty at first has room for seventeen after a push.
      if (messages === undefined) messages = [message];
      else messages.push(message);
    }
    this.#host.kernel.waiting -= before - ring.length;
    this.taken += before - ring.length;
    if (this.#room?.wanted && this.length <= this.#limit * ROOM_SHARE) this.#room.give();
    return messages ?? [];
  }

  /** What is next: urgent messages, if there are any. */
  get #first(): Ring<unknown> {
    return this.#urgent !== undefined && this.#urgent.length > 0 ? this.#urgent : this.#mail;
  }

  #takePart(max: number, parts: VolatileMessage[][]): VolatileMessage[] {
    const part = (parts.pop() ?? []).filter(({ parcel }) => parcel === undefined || isWanted(parcel));
    if (part.length > max) parts.push(part.splice(max));
    if (parts.length === 0) this.#parts = undefined;
    return part;
  }

  #place(mail: unknown): void {
    if (this.#host.urgent?.(mail instanceof Parcel ? mail.body : mail)) {
      this.#urgent ??= new Ring();
      this.#urgent.push(mail);
    } else {
      this.#mail.push(mail);
    }
  }

  /** Takes back a batch that failed, to be tried by halves. */
  split(messages: VolatileMessage[]): void {
    const middle = messages.length >>> 1;
    this.#parts ??= [];
    this.#parts.push(messages.slice(middle), messages.slice(0, middle));
  }

  /** The asks in what is to be tried again. */
  asksRetried(): ReadonlySet<Answerable> {
    const asks = new Set<Answerable>();
    for (const { parcel } of this.#parts?.flat() ?? []) if (parcel?.ask !== undefined) asks.add(parcel.ask);
    return asks;
  }

  /** From now on every message is refused with `reason`. */
  close(reason: Error): void {
    this.#closed = reason;
    this.#setLimit();
  }

  /** No longer. */
  reopen(): void {
    this.#closed = undefined;
    this.#setLimit();
  }

  /** Its activation is about to move, or not any more: meanwhile what is not refused is the host's to place elsewhere. */
  set leaving(leaving: boolean) {
    this.#leaving = leaving;
    this.#setLimit();
  }

  #setLimit(): void {
    this.#limit = this.#closed === undefined && !this.#leaving ? this.#host.mailboxMax : 0;
  }

  /** Empties it. */
  refuse(reason: Error): void {
    for (const part of this.#parts ?? []) {
      for (const { parcel, body } of part) this.#host.refuse(parcel ?? body, reason, 'stopped');
    }
    this.#parts = undefined;
    for (const ring of [this.#urgent, this.#mail]) {
      while (ring !== undefined && ring.length > 0) {
        this.#host.kernel.waiting--;
        this.#host.refuse(ring.shift(), reason, 'stopped');
      }
    }
    this.#room?.give();
  }

  /** As it is handed over; undefined when nobody waits for its answer any more. */
  #open(mail: unknown, debtor: Debtor): VolatileMessage | undefined {
    const { codec } = this.#host;
    if (!(mail instanceof Parcel)) return new VolatileMessage(mail, this.#key, undefined, codec);
    const { ask } = mail;
    if (ask !== undefined) {
      if (ask.mode !== 'pending') return undefined;
      debtor.owe(ask);
    }
    return new VolatileMessage(mail.body, mail.key, mail, codec);
  }

  #pushFull(mail: unknown): Promise<void> | undefined {
    const host = this.#host;
    if (this.#limit === 0) {
      if (this.#closed === undefined) return host.misdirected(this.#key, mail);
      host.refuse(mail, this.#closed, 'stopped');
      return undefined;
    }
    const waits = host.overflow === 'backpressure';
    if (host.overflow === 'drop-oldest' && this.length > 0) {
      const oldest = this.#mail.length > 0 ? this.#mail : this.#first;
      host.refuse(oldest.shift(), this.#full(), 'mailbox-full');
      this.#place(mail);
    } else if (waits && (host.kernel.roomy || (this.length < this.#limit * OVERRUN && !host.kernel.full))) {
      host.kernel.waiting++;
      this.#place(mail);
    } else {
      host.refuse(mail, this.#full(), 'mailbox-full');
    }
    if (!waits || this.length === 0) return undefined;
    this.#room ??= new Room();
    return this.#room.wait();
  }

  #full(): MailboxFullError {
    return new MailboxFullError(`the mailbox of ${this.#host.type}/${this.#key} is full`);
  }
}

/** Whether anybody still waits for the answer; a tell is wanted in any case, and so is what was answered in a batch that failed. */
function isWanted({ ask }: Parcel): boolean {
  return ask?.mode !== 'abandoned';
}
