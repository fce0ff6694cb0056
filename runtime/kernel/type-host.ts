/**
 * One actor type in one thread: its activations by key, in the order of their last use, and what they share.
 *
 * An activation that has been idle for `idleMsMax` is passivated, or earlier, longest unused first, when more than
 * `activationsMax` are alive. Its state is put away first where there is a snapshot to keep; messages that come meanwhile wait
 * in its mailbox, and activate it anew.
 */
import type { ActorDefinition } from '../actor.js';
import { type Batching, batchingOf } from '../batching.js';
import { ActivationStoppedError } from '../errors.js';
import type { ActorEvent, DropReason, OwnEvent } from '../events.js';
import type { Logger } from '../logger.js';
import { groupOf } from '../partition.js';
import { fillSupervision } from '../supervision.js';
import { within } from '../within.js';
import { Activation } from './activation.js';
import type { ActivationHost } from './activation-host.js';
import { suspendedSince } from './calls.js';
import type { Codec } from './codec.js';
import type { ActivationContext } from './context.js';
import { DurableQueue } from './durable-queue.js';
import type { Entry, Outcome } from './entry.js';
import { Epochs } from './epochs.js';
import { type DurableMessage, Parcel, type VolatileMessage } from './letter.js';
import type { Limiter } from './limiter.js';
import { longestIdle } from './passivation.js';
import { QueueDelay } from './queue-delay.js';
import { Recency } from './recency.js';
import type { Scheduler } from './scheduler.js';
import { Snapshots } from './snapshots.js';
import { States } from './states.js';
import { Supervisor } from './supervisor.js';
import { Tally } from './tally.js';
import type { HostKernel, TypeHostOptions } from './type-host-options.js';
import { limiterOf } from './type-limiter.js';

const IDLE_MS_MAX = 60_000;
const ACTIVATIONS_MAX = 10_000;
const MAILBOX_MAX = 10_000;
/** Calls under way in one reentrant activation. */
const CALLS_MAX = 100;

type Batch = readonly (VolatileMessage | DurableMessage)[];

export class TypeHost implements ActivationHost<Activation> {
  readonly type: string;
  readonly kernel: HostKernel;
  readonly scheduler: Scheduler;
  readonly codec: Codec;
  readonly logger: Logger;
  readonly resources: unknown;
  readonly supervisor: Supervisor;
  readonly delay: QueueDelay;
  meter: TypeHostOptions['meter'];
  readonly limiter: Limiter | undefined;
  batchMax = 1;
  volatileMax = 1;
  lingerMs = 0;
  readonly mailboxMax: number;
  readonly overflow: 'backpressure' | 'reject' | 'drop-oldest';
  readonly urgent: ((body: unknown) => boolean) | undefined;
  readonly reentrant: boolean;
  /** Whether its states are kept in snapshots. */
  readonly saves: boolean;
  readonly callsMax = CALLS_MAX;
  readonly epochs = new Epochs();
  readonly #definition: ActorDefinition;
  readonly #outcome: Outcome;
  readonly #idleMsMax: number;
  readonly #activationsMax: number;
  /** Of those that owe nobody an answer: an error of its own costs more than the rest of a short life. */
  readonly #passivatedQuietly: Error;
  readonly #byKey = new Map<string, Activation>();
  readonly #recency = new Recency<Activation>();
  readonly #states: States;
  #stopped: Error | undefined;
  readonly #tally = new Tally();

  constructor(kernel: HostKernel, options: TypeHostOptions) {
    const { definition, resources, logger, outcome, snapshots } = options;
    this.type = definition.type;
    this.kernel = kernel;
    this.scheduler = kernel.scheduler;
    this.codec = kernel.codec;
    this.logger = logger;
    this.resources = resources;
    this.delay = new QueueDelay(kernel.clock);
    this.meter = options.meter;
    this.supervisor = new Supervisor(this, fillSupervision(definition.supervision));
    this.mailboxMax = definition.mailboxMax ?? MAILBOX_MAX;
    this.overflow = definition.overflow ?? 'backpressure';
    this.urgent = definition.urgent?.bind(definition);
    this.reentrant = definition.reentrant ?? false;
    this.#passivatedQuietly = new ActivationStoppedError(`an activation of ${this.type} was passivated`);
    const { type, codec } = this;
    const { snapshot: policy } = definition;
    this.saves = policy !== undefined && snapshots !== undefined;
    this.#states = new States(
      definition,
      policy && snapshots && new Snapshots({ type, policy, codec, ...snapshots }),
      (key) => this.epochs.of(kernel.partitionOf(type, key)),
    );
    this.#definition = definition;
    this.batch(options.batching ?? batchingOf(definition));
    this.limiter = limiterOf(this, definition.limits, options.limits);
    this.#outcome = outcome;
    this.#idleMsMax = definition.idleMsMax ?? IDLE_MS_MAX;
    const { activationsMax = ACTIVATIONS_MAX } = definition;
    this.#activationsMax = this.keyed ? activationsMax : Number.POSITIVE_INFINITY;
  }

  /** From the next batch on; one that lingers may have enough now. */
  batch({ batchMax, lingerMs }: Batching): void {
    this.batchMax = batchMax;
    this.volatileMax = Math.min(this.#definition.batchMax ?? 1, batchMax);
    this.lingerMs = lingerMs;
    for (const activation of this.#byKey.values()) activation.wake();
  }

  /** Activations alive. */
  get live(): number {
    return this.#byKey.size;
  }

  /** The activation that was used last. */
  get newest(): Activation | undefined {
    return this.#recency.newest;
  }

  get keyed(): boolean {
    return this.#definition.scope === 'key';
  }

  /** The activation that handles the messages of `key`; made when there is none. */
  activation(key: string): Activation {
    const name = this.keyed ? key : '';
    return this.#byKey.get(name) ?? this.#activate(name);
  }

  /** The keys of a group live in one thread. */
  group(key: string): string {
    return groupOf(this.#definition.group, key);
  }

  /** `body` as it goes into a mailbox. */
  mail(key: string, body: unknown): unknown {
    return this.keyed ? body : new Parcel(key, body, '', undefined);
  }

  receive(messages: Batch, context: ActivationContext): Promise<void> | void {
    if (this.kernel.tracing === undefined) return this.#definition.receive(messages as never, context);
    return this.#traced(messages, context, () => this.#definition.receive(messages as never, context));
  }

  /** In a span, while a provider is registered. */
  #traced(
    messages: Batch,
    context: ActivationContext,
    call: () => Promise<void> | void,
  ): Promise<void> | void {
    const { tracing } = this.kernel;
    if (tracing === undefined) return call();
    return tracing.receive({ type: this.type, key: context.key, messages }, call);
  }

  /** As `receive`, of one without a state, or with one that is kept in snapshots. */
  loadAndReceive(messages: Batch, context: ActivationContext, activation: Activation): Promise<void> | void {
    return this.#traced(messages, context, () => {
      if (this.saves)
        return this.#states.receive(messages as readonly VolatileMessage[], context, activation);
      const loading = this.#states.load(activation, context);
      if (loading === undefined) return this.#definition.receive(messages as never, context);
      return loading.then(() => this.#definition.receive(messages as never, context));
    });
  }

  receiveDurable(
    batch: readonly Entry[],
    context: ActivationContext,
    activation: Activation,
  ): Promise<void> | void {
    this.delay.began(batch);
    this.meter?.began(batch, this.keyed);
    const messages = batch.map(({ message }) => message);
    if (!this.saves) {
      return activation.loaded
        ? this.receive(messages, context)
        : this.loadAndReceive(messages, context, activation);
    }
    return this.#traced(messages, context, () => this.#states.receiveDurable(batch, context, activation));
  }

  durableQueue(activation: Activation): DurableQueue {
    const { clock, random, retry } = this.kernel;
    return new DurableQueue({ retry, outcome: this.#outcome, clock, random }, () => activation.wake());
  }

  /** Was just used. */
  touch(activation: Activation): void {
    activation.turn = this.scheduler.turn;
    activation.usedAt = this.kernel.clock.now();
    if (activation.mode !== 'stopped') this.#recency.touch(activation);
  }

  /** A message is not delivered: its asker is told, a tell is counted. */
  refuse(mail: unknown, reason: Error, why: DropReason): void {
    if (mail instanceof Parcel && mail.ask !== undefined) mail.ask.reject(reason);
    else this.#tally.dropped[why]++;
  }

  /** What was sent to an activation that has moved. */
  misdirected(key: string, mail: unknown): Promise<void> | undefined {
    return this.kernel.forward(this.type, key, mail);
  }

  event(event: OwnEvent): void {
    this.kernel.onEvent({ actor: this.type, ...event } as ActorEvent);
  }

  /** Tells of what is only counted. */
  flushEvents(): void {
    this.#tally.tell((event) => this.event(event));
  }

  /** When the oldest call under way began to be waited for, milliseconds; undefined when none is. */
  suspendedSince(): number | undefined {
    return suspendedSince(this.#byKey.values());
  }

  /** Passivates what has been idle for too long. */
  sweep(): void {
    this.limiter?.sweep();
    if (!this.keyed) return;
    const idleSince = this.kernel.clock.now() - this.#idleMsMax;
    for (let at = this.#recency.oldest; at !== undefined && at.usedAt <= idleSince; ) {
      const { newer } = at;
      if (at.quiet && !at.owesAnswers) this.passivate(at);
      at = newer;
    }
  }

  /** Ends an activation that is quiet, its state put away before where there is a snapshot to keep. */
  passivate(activation: Activation): void {
    if (activation.unsaved) void this.#putAway(activation);
    else this.#end(activation);
  }

  /** Messages that come meanwhile wait in its mailbox: it lives on then. As it does when its state cannot be stored. */
  async #putAway(activation: Activation): Promise<void> {
    activation.mode = 'passivating';
    let stored = true;
    try {
      await this.#states.save(activation);
    } catch (error) {
      stored = false;
      this.logger.warn(
        { actor: this.type, key: activation.key, err: error },
        'a snapshot cannot be stored yet',
      );
    }
    if (activation.mode !== 'passivating') return;
    activation.mode = 'idle';
    if (stored && activation.quiet) this.#end(activation);
    else activation.wake();
  }

  /** Stores what is not stored yet. @throws what the store throws */
  saveAll(): Promise<void> {
    return this.#states.saveAll([...this.#byKey.values()]);
  }

  /** There is little time left: calls under way hear of it, and the states of those that have none are stored. */
  async hurry(reason: Error): Promise<void> {
    const all = [...this.#byKey.values()];
    const quiet = all.filter((activation) => activation.quiet);
    for (const { calls } of all) calls.abort(reason);
    await this.#states.saveAll(quiet);
  }

  #end(activation: Activation): void {
    this.#remove(activation);
    const reason = activation.owesAnswers
      ? new ActivationStoppedError(`${this.type}/${activation.key} was passivated`)
      : this.#passivatedQuietly;
    activation.stop(reason);
    this.#tally.passivated++;
  }

  /** What is sent to these in this thread is placed elsewhere from now on, or here again. */
  setLeaving(chosen: (key: string) => boolean, leaving: boolean): void {
    if (!this.keyed) return;
    for (const [key, { mailbox }] of this.#byKey) if (chosen(key)) mailbox.leaving = leaving;
  }

  /**
   * Lets the chosen activations handle what they have, and ends them. False, with all of them as they were, when that takes more
   * than `ms`, or `cancelled` resolves before. The activation of many keys stays; what it had when this was called is handled.
   */
  async release(chosen: (key: string) => boolean, ms: number, cancelled: Promise<void>): Promise<boolean> {
    const ready = this.keyed ? this.#putAllAway(chosen) : Promise.resolve(this.#byKey.get('')?.caughtUp());
    const ended = ready.catch((error: unknown) => {
      this.logger.warn({ actor: this.type, err: error }, 'snapshots cannot be stored, and their keys stay');
      return 'late';
    });
    const early = cancelled.then(() => 'late');
    const released = (await within(this.kernel.clock, ms, Promise.race([ended, early]))) !== 'late';
    if (!this.keyed) return released;
    if (released) for (const activation of this.#chosen(chosen)) this.#end(activation);
    else this.setLeaving(chosen, false);
    return released;
  }

  /**
   * A partition is another process's: forgets its messages, and ends the chosen activations, whatever they are at. Their states are not
   * stored. Resolves when the calls under way are over.
   */
  async discard(chosen: (key: string) => boolean, partition: number): Promise<void> {
    const reason = new ActivationStoppedError(`a partition of ${this.type} is read by another process`);
    const all = [...this.#byKey.values()];
    await Promise.all(
      all.map((activation) => {
        if (!this.keyed || !chosen(activation.key)) return activation.discard(partition);
        this.#remove(activation);
        const discarded = activation.discard(partition);
        activation.stop(reason);
        this.#tally.passivated++;
        return discarded;
      }),
    );
  }

  /** Resolves when the chosen ones are quiet, all at once, and their states stored. */
  async #putAllAway(chosen: (key: string) => boolean): Promise<void> {
    for (;;) {
      const activations = this.#chosen(chosen);
      if (activations.every(({ quiet, unsaved }) => quiet && !unsaved)) return;
      await Promise.all(activations.map((activation) => activation.handled()));
      await this.#states.saveAll(activations);
    }
  }

  #chosen(chosen: (key: string) => boolean): Activation[] {
    return [...this.#byKey.values()].filter(({ key }) => chosen(key));
  }

  /** Of each activation that has something to do: when it is done. */
  drained(): Promise<void>[] {
    return [...this.#byKey.values()].flatMap((activation) => activation.drained() ?? []);
  }

  /** Nothing is activated any more. */
  stop(reason: Error): void {
    this.#stopped = reason;
    this.#tally.passivated += this.#byKey.size;
    for (const activation of this.#byKey.values()) activation.stop(reason);
    this.#byKey.clear();
    this.#recency.clear();
  }

  close(): Promise<void> | void {
    return this.#definition.close?.(this.resources);
  }

  #activate(key: string): Activation {
    if (this.#stopped !== undefined) {
      const activation = new Activation(this, key);
      activation.stop(this.#stopped);
      return activation;
    }
    if (this.#byKey.size >= this.#activationsMax) this.#passivateOldest();
    const activation = new Activation(this, key);
    this.#byKey.set(key, activation);
    activation.turn = this.scheduler.turn;
    activation.usedAt = this.kernel.clock.now();
    this.#recency.add(activation);
    this.#tally.activated++;
    return activation;
  }

  /** All may be busy: then there are more by them, which their mailboxes and the dispatcher's credit bound. */
  #passivateOldest(): void {
    const idle = longestIdle(this.#recency.oldest);
    if (idle !== undefined) this.passivate(idle);
  }

  #remove(activation: Activation): void {
    this.#byKey.delete(activation.key);
    this.#recency.remove(activation);
  }
}
