/**
 * The actors of one thread: the types that it hosts, the run queue, the asks under way, and the way out to other threads.
 *
 * A kernel knows nothing of threads. In a worker thread its `transport` goes to the others; in the main thread it hosts no type
 * and has only the way out; in a test system it is alone.
 */
import type { Reminders } from '../actor.js';
import type { ActorRef, DurableOptions } from '../actor-ref.js';
import type { Clock } from '../clock.js';
import { ActivationStoppedError, UnknownActorError } from '../errors.js';
import type { ActorEvent } from '../events.js';
import { asError } from '../failure.js';
import type { Logger } from '../logger.js';
import { type Group, groupOf, partitionOf } from '../partition.js';
import type { RetryPolicy } from '../retry.js';
import type { Tracing } from '../tracing.js';
import type { Activation } from './activation.js';
import type { Ask } from './ask.js';
import { Codec } from './codec.js';
import type { ActivationContext } from './context.js';
import { Deadlines } from './deadlines.js';
import { Parcel } from './letter.js';
import { type HopSource, Ref, type RefKernel } from './ref.js';
import { Scheduler } from './scheduler.js';
import { TypeHost } from './type-host.js';
import type { HostKernel, TypeHostOptions } from './type-host-options.js';

export interface Address {
  readonly type: string;
  readonly key: string;
}

/** The way to actors of other threads, and to the log. */
export interface Transport {
  /** Returns a promise when the sender should wait for room. @throws UnknownActorError, BodyError */
  tell(address: Address, body: unknown, traceparent: string): Promise<void> | undefined;
  /** The reply, or why there is none, comes by `ask`. @throws UnknownActorError, BodyError */
  ask(address: Address, body: unknown, traceparent: string, ask: Ask): void;
  /** Resolves with the message's id once it is on the log. */
  tellDurably(address: Address, body: Uint8Array, options: DurableOptions): Promise<string>;
  reminders(address: Address): Reminders;
}

export interface KernelOptions {
  readonly clock: Clock;
  /** Returns [0, 1). */
  readonly random: () => number;
  readonly retry: RetryPolicy;
  readonly receiveMsMax: number;
  /** Volatile messages that may wait in all mailboxes together. */
  readonly waitingMax: number;
  readonly logger: Logger;
  readonly transport: Transport | undefined;
  readonly onEvent: (event: ActorEvent) => void;
  /** Unique among the kernels of a system, from 0 to 2^20. */
  readonly id: number;
  /** Of the scheduler; for tests that try orders. */
  readonly choose?: (length: number) => number;
  readonly runs?: () => number;
}

/** Of a hosted type, by partition. */
interface Placement {
  readonly owned: boolean[];
  /** Partitions that are about to move. */
  readonly leaving: Set<number>;
  /** What cancels the release of a partition. */
  readonly releasing: Map<number, () => void>;
}

/** Calls that a kernel can number. */
const CALLS_PER_KERNEL = 2 ** 32;

export class Kernel implements HostKernel, RefKernel {
  readonly clock: Clock;
  readonly random: () => number;
  readonly retry: RetryPolicy;
  readonly receiveMsMax: number;
  readonly deadlines: Deadlines;
  readonly scheduler: Scheduler;
  readonly codec: Codec;
  readonly onEvent: (event: ActorEvent) => void;
  /** Volatile messages in mailboxes. */
  waiting = 0;
  draining = false;
  /** Of the call of `receive` that runs this very moment. */
  running: ActivationContext | undefined = undefined;
  /** While a provider is registered in this thread. */
  tracing: Tracing | undefined = undefined;
  readonly #hosts = new Map<string, TypeHost>();
  readonly #waitingMax: number;
  readonly #transport: Transport | undefined;
  readonly #placements = new Map<string, Placement>();
  /** Of types with groups that are not hosted here. */
  readonly #groups = new Map<string, Group>();
  #nextCall: number;

  constructor(options: KernelOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.retry = options.retry;
    this.receiveMsMax = options.receiveMsMax;
    this.onEvent = options.onEvent;
    this.#waitingMax = options.waitingMax;
    this.#transport = options.transport;
    this.#nextCall = options.id * CALLS_PER_KERNEL + 1;
    this.deadlines = new Deadlines(options.clock);
    this.scheduler = new Scheduler(
      (error) => {
        options.logger.error({ err: asError(error) }, 'an activation met an error of the runtime');
      },
      options.choose,
      options.runs,
    );
    this.codec = new Codec((type, key) => this.ref(type, key, undefined));
  }

  /** What runs the actors of that type here, if it does. */
  hostOf(type: string): TypeHost | undefined {
    return this.#hosts.get(type);
  }

  /** Whether all mailboxes together hold as much as they may. */
  get full(): boolean {
    return this.waiting >= this.#waitingMax;
  }

  get roomy(): boolean {
    return this.waiting < this.#waitingMax / 2;
  }

  /** Asks under way by actors of this thread, and limits of calls. */
  get pendingDeadlines(): number {
    return this.deadlines.size;
  }

  host(options: TypeHostOptions): TypeHost {
    const host = new TypeHost(this, options);
    this.#hosts.set(host.type, host);
    return host;
  }

  /** Says which partitions of a hosted type are this thread's. Before, none is; all are of a kernel without a transport. */
  own(type: string, partitions: readonly boolean[]): void {
    this.#placements.set(type, { owned: [...partitions], leaving: new Set(), releasing: new Map() });
  }

  /** A partition has an owner now, this thread or another. */
  moved(type: string, partition: number, here: boolean, epoch?: number): void {
    if (here) this.#hosts.get(type)?.epochs.heard(partition, epoch);
    const placement = this.#placements.get(type);
    if (placement === undefined) return;
    placement.owned[partition] = here;
    placement.leaving.delete(partition);
    placement.releasing.get(partition)?.();
    if (here) this.#hosts.get(type)?.setLeaving((key) => this.partitionOf(type, key) === partition, false);
  }

  /** How keys of a type are grouped that is not hosted here. */
  setGroup(type: string, group: Group): void {
    this.#groups.set(type, group);
  }

  groupOf(type: string, key: string): string {
    const host = this.#hosts.get(type);
    if (host !== undefined) return host.group(key);
    return groupOf(this.#groups.get(type), key);
  }

  /**
   * A partition is about to move: what is sent in this thread goes to the transport from now on; what comes from others is still
   * taken.
   */
  leave(type: string, partition: number): void {
    this.#placements.get(type)?.leaving.add(partition);
    this.#hosts.get(type)?.setLeaving((key) => this.partitionOf(type, key) === partition, true);
  }

  /**
   * Handles what a partition's activations have, and ends them. False when `ms` were not enough, or it was said to be here again
   * (`moved`): then it stays.
   */
  async release(type: string, partition: number, ms: number): Promise<boolean> {
    const host = this.#hosts.get(type);
    if (host === undefined) return true;
    const releasing = this.#placements.get(type)?.releasing;
    const cancelled = new Promise<void>((resolve) => releasing?.set(partition, resolve));
    const released = await host.release((key) => this.partitionOf(type, key) === partition, ms, cancelled);
    releasing?.delete(partition);
    return released;
  }

  /** A partition is another process's: what is here of it ends at once, without a trace. Resolves when no call is under way. */
  async discard(type: string, partition: number): Promise<void> {
    this.moved(type, partition, false);
    const host = this.#hosts.get(type);
    await host?.discard((key) => this.partitionOf(type, key) === partition, partition);
  }

  /** @throws TypeError for what is no address: a number would get as far as another thread */
  ref(type: string, key: string, owner?: HopSource): ActorRef {
    if (typeof type !== 'string' || typeof key !== 'string')
      throw new TypeError(`an actor has a type and a key, both strings, not ${type} and ${key}`);
    return new Ref(type, key, this, owner);
  }

  nextCall(): number {
    return this.#nextCall++;
  }

  /** The activation of that type and key, if what this thread sends there belongs in this thread. */
  here(type: string, key: string): Activation | undefined {
    const host = this.#hosts.get(type);
    if (host === undefined) return undefined;
    const placement = this.#placements.get(type);
    if (placement === undefined) return this.#transport === undefined ? host.activation(key) : undefined;
    const partition = this.partitionOf(type, key);
    if (!placement.owned[partition] || placement.leaving.has(partition)) return undefined;
    return host.activation(key);
  }

  /** The same, for what others send. */
  hosted(type: string, key: string): Activation | undefined {
    const host = this.#hosts.get(type);
    if (host === undefined) return undefined;
    return this.#placements.get(type)?.owned[this.partitionOf(type, key)] ? host.activation(key) : undefined;
  }

  /** `body` as it goes into the mailbox of `activation`. */
  mail(
    { host }: { readonly host: Pick<TypeHost, 'mail'> },
    key: string,
    body: unknown,
    traceparent: string,
  ): unknown {
    return traceparent === '' ? host.mail(key, body) : new Parcel(key, body, traceparent, undefined);
  }

  tellAnywhere(address: Address, body: unknown, traceparent: string): Promise<void> | undefined {
    const activation = this.here(address.type, address.key);
    if (activation === undefined) return this.tellElsewhere(address, body, traceparent);
    return activation.tell(this.mail(activation, address.key, body, traceparent));
  }

  tellElsewhere(address: Address, body: unknown, traceparent: string): Promise<void> | undefined {
    return this.#elsewhere(address).tell(address, body, traceparent);
  }

  ask(address: Address, body: unknown, ask: Ask, traceparent = ''): void {
    try {
      const activation = this.here(address.type, address.key);
      if (activation === undefined) this.#elsewhere(address).ask(address, body, traceparent, ask);
      else
        activation.asked(new Parcel(address.key, body, traceparent, ask) as Parcel & { readonly ask: Ask });
    } catch (error) {
      ask.reject(asError(error));
    }
  }

  async tellDurably(address: Address, body: unknown, options: DurableOptions): Promise<string> {
    const { tracing } = this;
    const traced =
      tracing === undefined || options.traceparent !== undefined
        ? options
        : { ...options, traceparent: tracing.active() };
    return this.#elsewhere(address).tellDurably(address, this.codec.pack(body), traced);
  }

  remindersOf(type: string, key: string): Reminders {
    return this.#elsewhere({ type, key }).reminders({ type, key });
  }

  /** Sends on what came for an activation that has moved. */
  forward(type: string, key: string, mail: unknown): Promise<void> | undefined {
    const parcel = mail instanceof Parcel ? mail : new Parcel(key, mail, '', undefined);
    const { body, traceparent, ask } = parcel;
    if (ask !== undefined) {
      this.ask({ type, key: parcel.key }, body, ask as Ask, traceparent);
      return undefined;
    }
    return this.tellElsewhere({ type, key: parcel.key }, body, traceparent);
  }

  /**
   * Handles what is queued, and what that sends to actors of this thread, but waits for no backoff and no outage. Actors that send
   * to each other without end are never drained: whoever calls this has a deadline. After `hurryMs` calls under way hear of it by
   * their signal, and states that do not change any more are stored: what comes after may be cut off.
   */
  async drain(hurryMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.draining = true;
    if (hurryMs === Number.POSITIVE_INFINITY) return this.#drain();
    const reason = new ActivationStoppedError(
      `the thread ends, and ${hurryMs} ms were not enough to drain it`,
    );
    const cancel = this.clock.after(hurryMs, () => {
      for (const host of this.#hosts.values()) {
        host.hurry(reason).catch((error: unknown) => {
          host.logger.warn({ actor: host.type, err: error }, 'snapshots cannot be stored before the end');
        });
      }
    });
    await this.#drain().finally(cancel);
  }

  async #drain(): Promise<void> {
    for (;;) {
      const waits = Array.from(this.#hosts.values(), (host) => host.drained()).flat();
      if (waits.length === 0) break;
      await Promise.all(waits);
    }
    await Promise.all(Array.from(this.#hosts.values(), (host) => host.saveAll()));
  }

  /** Ends every activation. */
  stop(reason: Error): void {
    for (const host of this.#hosts.values()) host.stop(reason);
    this.deadlines.clear();
  }

  /** Tells of what is only counted. */
  flushEvents(): void {
    for (const host of this.#hosts.values()) host.flushEvents();
  }

  sweep(): void {
    for (const host of this.#hosts.values()) host.sweep();
  }

  partitionOf(type: string, key: string): number {
    return partitionOf(this.groupOf(type, key), this.#placements.get(type)?.owned.length ?? 1);
  }

  #elsewhere({ type }: Address): Transport {
    if (this.#transport === undefined) throw new UnknownActorError(`no actor ${type} is registered`);
    return this.#transport;
  }
}
