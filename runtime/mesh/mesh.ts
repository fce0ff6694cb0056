/**
 * How a thread reaches the others: which thread has which partition of which actor type, and a link to each that it has sent to.
 *
 * Links are made at the first message, by the broker in the main thread; until then messages wait here, as they do for a
 * partition that moves. Bound: `WAITING_MAX` messages; from `WAITING_FREE` on, whoever tells is asked to wait. What waited is sent over
 * the bounds of a link: they are of the same order.
 *
 * A partition's messages wait while it moves (`hold`), and go to its new owner in their order (`route`): P2.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Reminders } from '../actor.js';
import type { DurableOptions } from '../actor-ref.js';
import {
  ActivationStoppedError,
  MailboxFullError,
  SystemModeError,
  ThreadLostError,
  UnknownActorError,
} from '../errors.js';
import { type Answerable, Ask, NO_HOPS } from '../kernel/ask.js';
import type { Kernel, Transport } from '../kernel/kernel.js';
import { Parcel } from '../kernel/letter.js';
import { Room } from '../kernel/room.js';
import { partitionOf } from '../partition.js';
import { type Address, Link, type LinkedAsk, type Receiver } from './link.js';

/** Where a thread's place is: one number for each thread of each pool. The main thread's is 0. */
export type Place = number;

export const MAIN_PLACE: Place = 0;
/** Of a partition that another process has: nothing is sent there. */
export const ELSEWHERE: Place = -1;

/** A type's partitions, and the place that has each. */
export interface Route {
  readonly actor: string;
  readonly owners: readonly Place[];
  /** Of each partition, that of its ownership by this process; undefined where the log has one owner. */
  readonly epochs?: readonly (number | undefined)[];
}

export interface MeshOptions {
  /** Asks the broker for a link. */
  connect(to: Place): void;
  /** Messages were dropped; `error` when they cannot be sent at all. */
  lost(count: number, why: 'mailbox-full' | 'unreachable', error?: Error): void;
}

/** What the main thread does for actors that ask it, under a name that no actor type can have. */
export type Service = (body: unknown, answer: Answerable, from: Place) => void;

interface Waiting {
  readonly address: Address;
  readonly body: unknown;
  readonly traceparent: string;
  readonly ask: LinkedAsk | undefined;
}

/** Messages that wait for a link or a move, together. */
const WAITING_MAX = 65_536;
const WAITING_FREE = 8_192;
const SERVICE_MS = 30_000;

/** Of a partition that moves, among the places. */
export function nameOf(actor: string, partition: number): string {
  return `${actor}:${partition}`;
}

export class Mesh implements Transport {
  readonly #options: MeshOptions;
  /** Of each type, the owners of its partitions. */
  readonly #routes = new Map<string, Place[]>();
  readonly #links = new Map<Place, Link>();
  /** For places to which a link is asked for, and partitions that move (`actor:partition`). */
  readonly #waiting = new Map<Place | string, Waiting[]>();
  #waits = 0;
  readonly #room = new Room();
  /** What waited is on its way. */
  #resends = false;
  /** Why nothing is sent: before the beginning and after the end. */
  #refusal: SystemModeError | undefined;
  readonly #gone = new Set<Place>([ELSEWHERE]);
  readonly #services = new Map<string, Service>();
  #kernel: Kernel | undefined;

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  /** The kernel whose way out this is, and whose actors the others reach. */
  attach(kernel: Kernel): void {
    this.#kernel = kernel;
  }

  serve(name: string, service: Service): void {
    this.#services.set(name, service);
  }

  /** Nothing is sent before `open`. */
  shut(why: string): void {
    this.#refusal = new SystemModeError(why);
  }

  open(): void {
    this.#refusal = undefined;
  }

  /** Asks under way over all links. */
  get pending(): number {
    let pending = 0;
    for (const link of this.#links.values()) pending += link.pending;
    return pending;
  }

  tell(address: Address, body: unknown, traceparent: string): Promise<void> | undefined {
    const to = this.#locate(address);
    const link = typeof to === 'number' ? this.#links.get(to) : undefined;
    if (link !== undefined) return link.tell(address, body, traceparent, this.#resends);
    if (this.#gone.has(to as Place)) {
      this.#options.lost(1, 'unreachable');
      return undefined;
    }
    if (this.#waits >= WAITING_MAX) this.#options.lost(1, 'mailbox-full');
    else this.#wait(to, { address, body, traceparent, ask: undefined });
    return this.#waits >= WAITING_FREE ? this.#room.wait() : undefined;
  }

  ask(address: Address, body: unknown, traceparent: string, ask: LinkedAsk): void {
    const to = this.#locate(address);
    const link = typeof to === 'number' ? this.#links.get(to) : undefined;
    if (link !== undefined) link.ask(address, body, traceparent, ask, this.#resends);
    else if (this.#gone.has(to as Place)) ask.reject(goneError(address, to as Place));
    else if (this.#waits >= WAITING_MAX) {
      ask.reject(new MailboxFullError(`too many messages wait for ${address.type}/${address.key}`));
    } else this.#wait(to, { address, body, traceparent, ask });
  }

  async tellDurably({ type, key }: Address, body: Uint8Array, options: DurableOptions): Promise<string> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (!this.#routes.has(type)) throw this.#unknown(type);
    const { dedupe, traceparent = '', asSender = false } = options;
    return (await this.#request('$log', { type, key, body, dedupe, traceparent, asSender })) as string;
  }

  reminders({ type, key }: Address): Reminders {
    const { codec } = this.#own;
    return {
      set: async (name, schedule, body) => {
        const packed = codec.pack(body);
        await this.#request('$reminders', { set: { type, key, name, ...schedule, body: packed } });
      },
      cancel: async (name) => (await this.#request('$reminders', { cancel: { type, key, name } })) as boolean,
    };
  }

  /** The broker's answer to `connect`, or another thread's wish. */
  linked(place: Place, port: MessagePort): void {
    const link = new Link(port, this.#own.codec, this.#receiver(place));
    this.#links.get(place)?.close();
    this.#links.set(place, link);
    this.#sendWaiting(place);
  }

  /** The place has no thread now. What it sent before its end counts. */
  unlinked(place: Place): void {
    const link = this.#links.get(place);
    link?.takeIn();
    link?.close();
  }

  /** The system ends, and the place will have no thread any more. */
  gone(place: Place): void {
    this.#gone.add(place);
    this.unlinked(place);
    const waiting = this.#waiting.get(place) ?? [];
    this.#waiting.delete(place);
    this.#left(waiting.length);
    for (const { address, ask } of waiting) {
      if (ask === undefined) this.#options.lost(1, 'unreachable');
      else ask.reject(goneError(address, place));
    }
  }

  /** Says where a type's partitions are, at first. */
  route({ actor, owners }: Route): void {
    this.#routes.set(actor, [...owners]);
  }

  /** A partition has this owner now; what waited for it is sent. */
  moved(actor: string, partition: number, owner: Place): void {
    const owners = this.#routes.get(actor);
    if (owners === undefined) return;
    const before = owners[partition] as Place;
    owners[partition] = owner;
    // Of a thread that was lost before anybody held the partition.
    const unlinked = this.#waiting.get(before) ?? [];
    const moves = this.#ofPartition(actor, partition);
    if (unlinked.some(moves)) {
      this.#waiting.set(
        before,
        unlinked.filter((waiting) => !moves(waiting)),
      );
      const name = nameOf(actor, partition);
      this.#waiting.set(name, [...unlinked.filter(moves), ...(this.#waiting.get(name) ?? [])]);
    }
    this.#sendWaiting(nameOf(actor, partition));
  }

  /** From now on messages for a partition wait. Resolves when those before are on their way. */
  async hold(actor: string, partition: number): Promise<void> {
    const name = nameOf(actor, partition);
    const owner = this.#routes.get(actor)?.[partition];
    if (owner === undefined || this.#waiting.has(name)) return;
    const unlinked = this.#waiting.get(owner) ?? [];
    const moves = this.#ofPartition(actor, partition);
    this.#waiting.set(name, unlinked.filter(moves));
    if (unlinked.length > 0)
      this.#waiting.set(
        owner,
        unlinked.filter((waiting) => !moves(waiting)),
      );
    await this.#links.get(owner)?.flushed();
  }

  /** Takes in at once what others have sent. */
  takeIn(): void {
    for (const link of [...this.#links.values()]) link.takeIn();
  }

  /** Whoever waits is told why, and nothing is sent any more. What was is still taken in at the other ends. */
  close(why: string): void {
    this.shut(why);
    for (const link of [...this.#links.values()]) link.end();
    for (const waiting of this.#waiting.values()) {
      for (const { ask } of waiting) ask?.reject(new ActivationStoppedError(why));
    }
    this.#waiting.clear();
    this.#left(this.#waits);
  }

  get #own(): Kernel {
    if (this.#kernel === undefined) throw new Error('the mesh has no kernel');
    return this.#kernel;
  }

  /** A place, or the name of a partition that moves. */
  #locate({ type, key }: Address): Place | string {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (type.startsWith('$')) return MAIN_PLACE;
    const partition = this.#partitionOf(type, key);
    const name = this.#waiting.size > 0 ? nameOf(type, partition) : '';
    return this.#waiting.has(name) ? name : (this.#routes.get(type)?.[partition] as Place);
  }

  #unknown(type: string): UnknownActorError {
    const known = [...this.#routes.keys()];
    const those = known.length > 0 ? `there is ${known.join(', ')}` : 'none is';
    return new UnknownActorError(`no actor ${type} is registered; ${those}`);
  }

  #ofPartition(actor: string, partition: number): (waiting: Waiting) => boolean {
    return ({ address: { type, key } }) => type === actor && this.#partitionOf(type, key) === partition;
  }

  #partitionOf(type: string, key: string): number {
    const owners = this.#routes.get(type);
    if (owners === undefined) throw this.#unknown(type);
    return partitionOf(this.#own.groupOf(type, key), owners.length);
  }

  #wait(to: Place | string, waiting: Waiting): void {
    this.#waits++;
    const queue = this.#waiting.get(to);
    if (queue !== undefined) {
      queue.push(waiting);
      return;
    }
    this.#waiting.set(to, [waiting]);
    this.#options.connect(to as Place);
  }

  #sendWaiting(to: Place | string): void {
    const waiting = this.#waiting.get(to);
    this.#waiting.delete(to);
    if (waiting === undefined) return;
    const kernel = this.#own;
    this.#resends = true;
    try {
      for (const { address, body, traceparent, ask } of waiting) {
        // The partition may be here now.
        if (ask === undefined) void kernel.tellAnywhere(address, body, traceparent);
        else if (!(ask instanceof Ask) || ask.mode === 'pending')
          kernel.ask(address, body, ask as Ask, traceparent);
      }
    } finally {
      this.#resends = false;
    }
    this.#left(waiting.length);
  }

  /** So many wait no longer. */
  #left(count: number): void {
    this.#waits -= count;
    if (this.#waits < WAITING_FREE) this.#room.give();
  }

  #request(service: string, body: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const kernel = this.#own;
      const timing = { hops: NO_HOPS, timeoutMs: SERVICE_MS };
      const ask = new Ask(service, timing, kernel.deadlines, resolve, reject);
      const own = this.#services.get(service);
      if (own !== undefined) own(body, ask, MAIN_PLACE);
      else this.ask({ type: service, key: '' }, body, '', ask);
    });
  }

  #receiver(place: Place): Receiver {
    const kernel = this.#own;
    return {
      telling: ({ type, key }) => {
        const activation = kernel.hosted(type, key);
        if (activation === undefined) {
          return () => {
            this.#options.lost(1, 'unreachable');
            return undefined;
          };
        }
        return (body, traceparent) =>
          activation.admit(
            traceparent === ''
              ? activation.host.mail(key, body)
              : new Parcel(key, body, traceparent, undefined),
          );
      },
      asked: ({ type, key }, body, traceparent, ask) => {
        if (type.startsWith('$')) {
          this.#serve(type, body, ask, place);
          return;
        }
        const activation = kernel.hosted(type, key);
        if (activation === undefined) {
          ask.reject(new ActivationStoppedError(`${type}/${key} is not in the thread that was asked`));
          return;
        }
        activation.asked(new Parcel(key, body, traceparent, ask) as Parcel & { readonly ask: Answerable });
      },
      batchEnd: () => kernel.scheduler.flush(),
      lost: (count, why, error) => this.#options.lost(count, why, error),
      closed: (link) => {
        if (this.#links.get(place) === link) this.#links.delete(place);
      },
    };
  }

  #serve(name: string, body: unknown, answer: Answerable, from: Place): void {
    const service = this.#services.get(name);
    if (service === undefined) answer.reject(new UnknownActorError(`there is no service ${name}`));
    else service(body, answer, from);
  }
}

function goneError({ type, key }: Address, place: Place): ThreadLostError | ActivationStoppedError {
  if (place === ELSEWHERE) return new ActivationStoppedError(`${type}/${key} is not in this process`);
  return new ThreadLostError(`the thread of ${type}/${key} has ended, and so does the system`);
}
