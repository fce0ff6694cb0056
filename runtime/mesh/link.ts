/**
 * One end of a port to another thread: what is sent in one turn goes as one batch, and no more goes than the other end takes in.
 *
 * Modes: open -> closed. A closed link has refused every ask that was under way over it (`ThreadLostError`), and given up every
 * one that came over it; it is never opened again, the next thread gets the next link.
 *
 * Bounds: bytes that the other end has not taken in (`WINDOW_BYTES`), then items that wait here (`ITEMS_MAX`). Between them
 * senders are asked to wait; beyond, messages are refused. The other end takes a message in when its mailbox has room, so that a
 * slow actor slows down those who send to it.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { BodyError, MailboxFullError, ThreadLostError } from '../errors.js';
import { asError } from '../failure.js';
import type { Answerable, AskMode, Debtor, Hop } from '../kernel/ask.js';
import type { Codec } from '../kernel/codec.js';
import { Room } from '../kernel/room.js';
import { Batch, openBatch } from './batch.js';
import { ABANDON, ASK, BYTES, ERROR, fromWire, REPLY, TELL, TRACED, toWire, type WireError } from './wire.js';

export interface Address {
  readonly type: string;
  readonly key: string;
}

/** An ask of this thread, as a link needs it. */
export interface LinkedAsk {
  readonly hops: readonly Hop[];
  onAbandoned: (() => void) | undefined;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Where the messages of the other end go. */
export interface Receiver {
  /** What takes messages to that actor; it returns a promise when one is not taken in yet. */
  telling(address: Address): (body: unknown, traceparent: string) => Promise<void> | undefined;
  asked(address: Address, body: unknown, traceparent: string, ask: Answerable): void;
  /** All of a batch was handed over. */
  batchEnd(): void;
  /** Messages did not reach the other end; `error` when they cannot be sent at all. */
  lost(count: number, why: 'mailbox-full' | 'unreachable', error?: Error): void;
  closed(link: Link): void;
}

const WINDOW_BYTES = 4 * 1_048_576;
/** Given back when so much is due. */
const CREDIT_BYTES = WINDOW_BYTES / 8;
/** Items that are sent without waiting for the end of the turn. */
const BATCH_ITEMS = 512;
const BATCH_BYTES = 65_536;
const ITEMS_MAX = 16_384;
const BYTES_MAX = 4 * 1_048_576;
/** What a message takes beyond its bytes. */
const OVERHEAD_BYTES = 64;
/** Larger batches change hands instead of being copied. */
const COPY_BYTES_MAX = 4_096;

export class Link {
  readonly #port: MessagePort;
  readonly #codec: Codec;
  readonly #receiver: Receiver;
  #mode: 'open' | 'closed' = 'open';
  readonly #batch: Batch;
  #armed = false;
  /** Bytes that the other end has not taken in. */
  #outstanding = 0;
  /** Bytes that were taken in here, and not said yet. */
  #credit = 0;
  #nextId = 0;
  readonly #asks = new Map<number, LinkedAsk>();
  readonly #answers = new Map<number, RemoteAsk>();
  readonly #room = new Room();

  constructor(port: MessagePort, codec: Codec, receiver: Receiver) {
    this.#port = port;
    this.#codec = codec;
    this.#receiver = receiver;
    this.#batch = new Batch(codec);
    port.on('message', (message: Uint8Array | number) => this.received(message));
    port.on('close', () => this.close());
    port.unref();
  }

  get mode(): 'open' | 'closed' {
    return this.#mode;
  }

  /** Asks under way over this link, in both directions. */
  get pending(): number {
    return this.#asks.size + this.#answers.size;
  }

  /** @param over beyond the bounds: it has waited elsewhere, within others */
  tell(address: Address, body: unknown, traceparent: string, over = false): Promise<void> | undefined {
    if (this.#mode === 'closed') {
      this.#receiver.lost(1, 'unreachable');
      return undefined;
    }
    if (this.#full && !over) {
      this.#receiver.lost(1, 'mailbox-full');
      return this.#room.wait();
    }
    if (traceparent === '') this.#batch.tell(address, body);
    else this.#batch.add(TRACED, address.type, address.key, traceparent, body);
    this.#added();
    return this.#outstanding >= WINDOW_BYTES ? this.#room.wait() : undefined;
  }

  ask(address: Address, body: unknown, traceparent: string, ask: LinkedAsk, over = false): void {
    if (this.#mode === 'closed') {
      ask.reject(new ThreadLostError(`the thread of ${address.type}/${address.key} has ended`));
      return;
    }
    if (this.#full && !over) {
      ask.reject(new MailboxFullError(`too many messages wait for ${address.type}/${address.key}`));
      return;
    }
    const id = this.#nextId++;
    this.#asks.set(id, ask);
    ask.onAbandoned = () => {
      this.#asks.delete(id);
      this.#add(ABANDON, id);
    };
    const hops = ask.hops.flatMap(({ type, key, call }) => [type, key, call]);
    this.#add(ASK, id, address.type, address.key, traceparent, hops, body);
  }

  /** Sends what has gathered, if the other end takes it. */
  flush(): void {
    this.#armed = false;
    if (this.#batch.length === 0 || this.#mode === 'closed' || this.#outstanding >= WINDOW_BYTES) return;
    const { length } = this.#batch;
    const message = this.#batch.take((item, error) => this.#refuse(item, asError(error)));
    this.#outstanding += costOf(message, length);
    this.#port.postMessage(message, message.length > COPY_BYTES_MAX ? [message.buffer] : []);
  }

  /** Resolves when all that was sent is on its way, or the link closed. */
  async flushed(): Promise<void> {
    for (this.flush(); this.#batch.length > 0 && this.#mode === 'open'; this.flush()) await this.#room.wait();
  }

  /** Takes in what has arrived. */
  takeIn(): void {
    for (
      let next = receiveMessageOnPort(this.#port);
      next !== undefined;
      next = receiveMessageOnPort(this.#port)
    ) {
      this.received(next.message);
    }
  }

  /** A batch of the other end, or bytes that it took in. */
  received(message: Uint8Array | number): void {
    if (this.#mode === 'closed') return;
    if (typeof message === 'number') {
      this.#credited(message);
      return;
    }
    const { items, bytesAt } = openBatch(message, this.#codec);
    const waits: Promise<void>[] = [];
    let count = 0;
    let body = message.byteOffset + bytesAt;
    for (let at = 0; at < items.length; ) {
      const kind = items[at++];
      count++;
      switch (kind) {
        case TELL:
        case BYTES: {
          const address = { type: items[at] as string, key: items[at + 1] as string };
          const run = items[at + 2] as number;
          at += 3;
          count += run - 1;
          const tell = this.#receiver.telling(address);
          for (const end = at + run; at < end; at++) {
            let told = items[at];
            if (kind === BYTES) {
              told = new Uint8Array(message.buffer, body, told as number);
              body += items[at] as number;
            }
            const wait = tell(told, '');
            if (wait !== undefined) waits.push(wait);
          }
          break;
        }
        case TRACED: {
          const [type, key, traceparent, told] = items.slice(at, at + 4) as [string, string, string, unknown];
          at += 4;
          const wait = this.#receiver.telling({ type, key })(told, traceparent);
          if (wait !== undefined) waits.push(wait);
          break;
        }
        case ASK:
          this.#asked(items.slice(at, at + 6));
          at += 6;
          break;
        case REPLY:
          this.#settled(items[at] as number)?.resolve(items[at + 1]);
          at += 2;
          break;
        case ERROR: {
          const error = items.slice(at + 1, at + 5) as unknown as WireError;
          this.#settled(items[at] as number)?.reject(fromWire(...error));
          at += 5;
          break;
        }
        case ABANDON:
          this.#answers.get(items[at++] as number)?.abandon();
          break;
        default:
          throw new RangeError(`a batch holds an item of kind ${String(kind)}`);
      }
    }
    this.#receiver.batchEnd();
    const cost = costOf(message, count);
    if (waits.length === 0) this.#takenIn(cost);
    else Promise.all(waits).then(() => this.#takenIn(cost));
  }

  /** Closes after what was sent. */
  end(): void {
    this.flush();
    this.close();
  }

  close(): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#port.close();
    const error = new ThreadLostError('the thread that was asked ended before it replied');
    for (const ask of this.#asks.values()) ask.reject(error);
    this.#asks.clear();
    for (const answer of this.#answers.values()) answer.abandon();
    this.#answers.clear();
    if (this.#batch.length > 0) this.#receiver.lost(this.#batch.length, 'unreachable');
    this.#batch.clear();
    this.#room.give();
    this.#receiver.closed(this);
  }

  #add(...item: unknown[]): void {
    this.#batch.add(...item);
    this.#added();
  }

  #added(): void {
    if (this.#batch.length >= BATCH_ITEMS || this.#batch.bytes >= BATCH_BYTES) {
      this.flush();
    } else if (!this.#armed) {
      this.#armed = true;
      queueMicrotask(() => this.flush());
    }
  }

  get #full(): boolean {
    return this.#batch.length >= ITEMS_MAX || this.#batch.bytes >= BYTES_MAX;
  }

  #asked([id, type, key, traceparent, flat, body]: unknown[]): void {
    const hops: Hop[] = [];
    const parts = flat as (string | number)[];
    for (let at = 0; at < parts.length; at += 3) {
      hops.push({ type: parts[at] as string, key: parts[at + 1] as string, call: parts[at + 2] as number });
    }
    const answer = new RemoteAsk(hops, (item) => {
      this.#answers.delete(id as number);
      if (item !== undefined && this.#mode === 'open') this.#answer(id as number, item);
    });
    this.#answers.set(id as number, answer);
    this.#receiver.asked({ type: type as string, key: key as string }, body, traceparent as string, answer);
  }

  #answer(id: number, item: { readonly value: unknown } | { readonly error: Error }): void {
    if ('error' in item) this.#add(ERROR, id, ...toWire(item.error));
    else this.#add(REPLY, id, item.value);
  }

  #settled(id: number): LinkedAsk | undefined {
    const ask = this.#asks.get(id);
    this.#asks.delete(id);
    return ask;
  }

  #takenIn(cost: number): void {
    this.#credit += cost;
    if (this.#credit < CREDIT_BYTES || this.#mode === 'closed') return;
    // Outside of the batches, and never held back: the other end may wait for it.
    this.#port.postMessage(this.#credit);
    this.#credit = 0;
  }

  #credited(bytes: number): void {
    const full = this.#outstanding >= WINDOW_BYTES;
    this.#outstanding = Math.max(0, this.#outstanding - bytes);
    if (full && this.#outstanding < WINDOW_BYTES) {
      this.flush();
      if (this.#outstanding < WINDOW_BYTES) this.#room.give();
    }
  }

  #refuse(item: readonly unknown[], error: Error): void {
    if (item[0] === ASK) this.#settled(item[1] as number)?.reject(error);
    else if (item[0] === REPLY) {
      this.#answer(item[1] as number, { error: new BodyError(`the reply cannot be sent: ${error.message}`) });
    } else this.#receiver.lost(1, 'unreachable', error);
  }
}

function costOf(bytes: Uint8Array, items: number): number {
  return bytes.length + items * OVERHEAD_BYTES;
}

/** An ask of the other end, to be answered here. */
class RemoteAsk implements Answerable {
  mode: AskMode = 'pending';
  debtor: Debtor | undefined = undefined;
  olderDebt: Answerable | undefined = undefined;
  newerDebt: Answerable | undefined = undefined;
  readonly hops: readonly Hop[];
  readonly #over: (item: { readonly value: unknown } | { readonly error: Error } | undefined) => void;

  constructor(
    hops: readonly Hop[],
    over: (item: { readonly value: unknown } | { readonly error: Error } | undefined) => void,
  ) {
    this.hops = hops;
    this.#over = over;
  }

  resolve(value: unknown): void {
    this.#end('answered', { value });
  }

  reject(error: Error): void {
    this.#end('answered', { error });
  }

  abandon(): void {
    this.#end('abandoned', undefined);
  }

  #end(mode: AskMode, item: { readonly value: unknown } | { readonly error: Error } | undefined): void {
    if (this.mode !== 'pending') return;
    this.mode = mode;
    this.#over(item);
    this.debtor?.askOver(this);
    this.debtor = undefined;
  }
}
