/**
 * One actor type in one thread: its activations by key, in the order of their last use, and what they share.
 *
 * An activation that has been idle for `idleMsMax` is passivated, or earlier, longest unused first, when more than
 * `activationsMax` are alive. Its state is put away first where there is a snapshot to keep; messages that come meanwhile wait
 * in its mailbox, and activate it anew.
 */
import type { ActorDefinition } from '../actor.js';
import { ActivationStoppedError } from '../errors.js';
import type { ActorEvent, DropReason, OwnEvent } from '../events.js';
import { causeOf } from '../failure.js';
import type { Logger } from '../logger.js';
import type { RetryPolicy } from '../retry.js';
import { fillSupervision } from '../supervision.js';
import type { Tracing } from '../tracing.js';
import { Activation } from './activation.js';
import type { ActivationHost, Loadable } from './activation-host.js';
import type { Codec } from './codec.js';
import type { ActivationContext } from './context.js';
import { DurableQueue } from './durable-queue.js';
import type { Entry, Outcome } from './entry.js';
import { type DurableMessage, Parcel, type VolatileMessage } from './letter.js';
import type { Limiter } from './limiter.js';
import { QueueDelay } from './queue-delay.js';
import type { Scheduler } from './scheduler.js';
import { Supervisor } from './supervisor.js';

export interface TypeHostOptions {
  readonly definition: ActorDefinition;
  readonly resources: unknown;
  readonly logger: Logger;
  readonly outcome: Outcome;
}

const BATCH_MAX = { thread: 500, key: 64 };
const IDLE_MS_MAX = 60_000;
const ACTIVATIONS_MAX = 10_000;
const MAILBOX_MAX = 10_000;
/** Calls under way in one reentrant activation. */
const CALLS_MAX = 100;
/** How many are looked at for one that may go, when there are too many. */
const CANDIDATES_MAX = 16;

type Batch = readonly (VolatileMessage | DurableMessage)[];

/** The kernel, as the types in it see it. */
export type HostKernel = ActivationHost<Activation>['kernel'] & {
  readonly retry: RetryPolicy;
  readonly scheduler: Scheduler;
  readonly codec: Codec;
  readonly onEvent: (event: ActorEvent) => void;
  /** While calls have spans. */
  readonly tracing: Tracing | undefined;
  /** Sends on what came for an activation that has moved. */
  forward(type: string, key: string, mail: unknown): Promise<void> | undefined;
};

export class TypeHost implements ActivationHost<Activation> {
  readonly type: string;
  readonly kernel: HostKernel;
  readonly scheduler: Scheduler;
  readonly codec: Codec;
  readonly logger: Logger;
  readonly resources: unknown;
  readonly supervisor: Supervisor;
  readonly delay: QueueDelay;
  readonly limiter: Limiter | undefined = undefined;
  readonly batchMax: number;
  readonly lingerMs: number;
  readonly mailboxMax: number;
  readonly overflow: 'backpressure' | 'reject' | 'drop-oldest';
  readonly urgent: ((body: unknown) => boolean) | undefined;
  readonly reentrant: boolean;
  readonly callsMax = CALLS_MAX;
  readonly #definition: ActorDefinition;
  readonly #outcome: Outcome;
  readonly #idleMsMax: number;
  readonly #activationsMax: number;
  /** Of those that owe nobody an answer: an error of its own costs more than the rest of a short life. */
  readonly #passivatedQuietly: Error;
  readonly #byKey = new Map<string, Activation>();
  /** By last use. */
  #oldest: Activation | undefined;
  #newest: Activation | undefined;
  /** Since the last `flushEvents`. */
  #activated = 0;
  #passivated = 0;
  readonly #dropped: Record<DropReason, number> = { 'mailbox-full': 0, stopped: 0, unreachable: 0 };

  constructor(kernel: HostKernel, { definition, resources, logger, outcome }: TypeHostOptions) {
    this.type = definition.type;
    this.kernel = kernel;
    this.scheduler = kernel.scheduler;
    this.codec = kernel.codec;
    this.logger = logger;
    this.resources = resources;
    this.delay = new QueueDelay(kernel.clock);
    this.supervisor = new Supervisor(this, fillSupervision(definition.supervision));
    this.batchMax = definition.batchMax ?? BATCH_MAX[definition.scope];
    this.lingerMs = definition.lingerMs ?? 0;
    this.mailboxMax = definition.mailboxMax ?? MAILBOX_MAX;
    this.overflow = definition.overflow ?? 'backpressure';
    this.urgent = definition.urgent?.bind(definition);
    this.reentrant = definition.reentrant ?? false;
    this.#passivatedQuietly = new ActivationStoppedError(`an activation of ${this.type} was passivated`);
    this.#definition = definition;
    this.#outcome = outcome;
    this.#idleMsMax = definition.idleMsMax ?? IDLE_MS_MAX;
    this.#activationsMax =
      definition.scope === 'thread'
        ? Number.POSITIVE_INFINITY
        : (definition.activationsMax ?? ACTIVATIONS_MAX);
  }

  /** Activations alive. */
  get live(): number {
    return this.#byKey.size;
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
    return this.#definition.group === undefined ? key : this.#definition.group(key);
  }

  /** `body` as it goes into a mailbox. */
  mail(key: string, body: unknown): unknown {
    return this.keyed ? body : new Parcel(key, body, '', undefined);
  }

  receive(messages: Batch, context: ActivationContext): Promise<void> | void {
    const { tracing } = this.kernel;
    if (tracing === undefined) return this.#definition.receive(messages as never, context);
    return tracing.receive({ type: this.type, key: context.key, messages }, () =>
      this.#definition.receive(messages as never, context),
    );
  }

  loadAndReceive(messages: Batch, context: ActivationContext, activation: Activation): Promise<void> | void {
    const { tracing } = this.kernel;
    if (tracing === undefined) return this.#loadAndReceive(messages, context, activation);
    return tracing.receive({ type: this.type, key: context.key, messages }, () =>
      this.#loadAndReceive(messages, context, activation),
    );
  }

  #loadAndReceive(messages: Batch, context: ActivationContext, activation: Activation): Promise<void> | void {
    const loading = this.#load(activation, context);
    if (loading === undefined) return this.#definition.receive(messages as never, context);
    return loading.then(() => this.#definition.receive(messages as never, context));
  }

  receiveDurable(
    batch: readonly Entry[],
    context: ActivationContext,
    activation: Activation,
  ): Promise<void> | void {
    this.delay.began(batch);
    const messages = batch.map(({ message }) => message);
    return activation.loaded
      ? this.receive(messages, context)
      : this.loadAndReceive(messages, context, activation);
  }

  /** Gives an activation its state. */
  #load(activation: Loadable, context: ActivationContext): Promise<void> | undefined {
    const made = this.#definition.state?.(activation.key, context);
    if (made instanceof Promise) {
      return made.then((state) => {
        activation.state = state;
        activation.loaded = true;
      });
    }
    activation.state = made;
    activation.loaded = true;
    return undefined;
  }

  durableQueue(activation: Activation): DurableQueue {
    const { clock, random, retry } = this.kernel;
    return new DurableQueue({ retry, outcome: this.#outcome, clock, random }, () => activation.wake());
  }

  /** Was just used. */
  touch(activation: Activation): void {
    activation.turn = this.scheduler.turn;
    activation.usedAt = this.kernel.clock.now();
    if (activation === this.#newest || activation.mode === 'stopped') return;
    this.#unlink(activation);
    this.#link(activation);
  }

  /** A message is not delivered: its asker is told, a tell is counted. */
  refuse(mail: unknown, reason: Error, why: DropReason): void {
    if (mail instanceof Parcel && mail.ask !== undefined) mail.ask.reject(reason);
    else this.#dropped[why]++;
  }

  /** What was sent to an activation that has moved. */
  misdirected(key: string, mail: unknown): Promise<void> | undefined {
    return this.kernel.forward(this.type, key, mail);
  }

  failed(key: string, error: Error): void {
    this.event({ kind: 'failed', key, cause: causeOf(error) });
  }

  event(event: OwnEvent): void {
    this.kernel.onEvent({ actor: this.type, ...event } as ActorEvent);
  }

  /** Tells of what is only counted. */
  flushEvents(): void {
    if (this.#activated > 0) this.event({ kind: 'activated', count: this.#activated });
    if (this.#passivated > 0) this.event({ kind: 'passivated', count: this.#passivated });
    this.#activated = 0;
    this.#passivated = 0;
    for (const reason of Object.keys(this.#dropped) as DropReason[]) {
      if (this.#dropped[reason] > 0) this.event({ kind: 'dropped', reason, count: this.#dropped[reason] });
      this.#dropped[reason] = 0;
    }
  }

  /** When the oldest call under way began to be waited for, milliseconds; undefined when none is. */
  suspendedSince(): number | undefined {
    let since: number | undefined;
    for (const { suspendedAt } of this.#byKey.values()) {
      if (suspendedAt !== 0 && (since === undefined || suspendedAt < since)) since = suspendedAt;
    }
    return since;
  }

  /** Passivates what has been idle for too long. */
  sweep(): void {
    if (!this.keyed) return;
    const idleSince = this.kernel.clock.now() - this.#idleMsMax;
    for (let at = this.#oldest; at !== undefined && at.usedAt <= idleSince; ) {
      const { newer } = at;
      if (at.quiet && !at.owesAnswers) this.passivate(at);
      at = newer;
    }
  }

  passivate(activation: Activation): void {
    this.#remove(activation);
    const reason = activation.owesAnswers
      ? new ActivationStoppedError(`${this.type}/${activation.key} was passivated`)
      : this.#passivatedQuietly;
    activation.stop(reason);
    this.#passivated++;
  }

  /** What is sent to these in this thread is placed elsewhere from now on. */
  closeMailboxes(chosen: (key: string) => boolean): void {
    for (const [key, { mailbox }] of this.#byKey) if (chosen(key)) mailbox.close(undefined);
  }

  /**
   * Lets the chosen activations handle what they have, and ends them. False, with all of them as they were, when that takes more
   * than `ms`.
   */
  async release(chosen: (key: string) => boolean, ms: number): Promise<boolean> {
    const activations = [...this.#byKey.values()].filter(({ key }) => chosen(key));
    let cancel = () => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.kernel.clock.after(ms, () => resolve(false));
    });
    const handled = Promise.all(activations.map((activation) => activation.handled())).then(() => true);
    const released = await Promise.race([handled, late]);
    cancel();
    if (!released) {
      for (const { mailbox } of activations) mailbox.reopen();
      return false;
    }
    for (const activation of activations) if (activation.mode !== 'stopped') this.passivate(activation);
    return true;
  }

  async drain(): Promise<void> {
    await Promise.all(Array.from(this.#byKey.values(), (activation) => activation.drained()));
  }

  stop(reason: Error): void {
    for (const activation of this.#byKey.values()) activation.stop(reason);
    this.#byKey.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
  }

  close(): Promise<void> | void {
    return this.#definition.close?.(this.resources);
  }

  #activate(key: string): Activation {
    if (this.#byKey.size >= this.#activationsMax) this.#passivateOldest();
    const activation = new Activation(this, key);
    this.#byKey.set(key, activation);
    activation.turn = this.scheduler.turn;
    activation.usedAt = this.kernel.clock.now();
    this.#link(activation);
    this.#activated++;
    return activation;
  }

  /** All may be busy: then there are more by them, which their mailboxes and the dispatcher's credit bound. */
  #passivateOldest(): void {
    let at = this.#oldest;
    for (let looked = 0; at !== undefined && looked < CANDIDATES_MAX; looked++) {
      if (at.quiet) {
        this.passivate(at);
        return;
      }
      at = at.newer;
    }
  }

  #remove(activation: Activation): void {
    this.#byKey.delete(activation.key);
    this.#unlink(activation);
  }

  #link(activation: Activation): void {
    activation.older = this.#newest;
    activation.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = activation;
    else this.#oldest = activation;
    this.#newest = activation;
  }

  #unlink(activation: Activation): void {
    const { older, newer } = activation;
    if (older !== undefined) older.newer = newer;
    else if (this.#oldest === activation) this.#oldest = newer;
    if (newer !== undefined) newer.older = older;
    else if (this.#newest === activation) this.#newest = older;
    activation.older = undefined;
    activation.newer = undefined;
  }
}
