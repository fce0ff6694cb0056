/** What `receive` is handed beside its messages: the activation's, or, in a reentrant type, one for each call. */
import type { ActorContext, ActorType, PartitionEpoch, Reminders, Timers } from '../actor.js';
import type { ActorRef } from '../actor-ref.js';
import type { Clock } from '../clock.js';
import { ReceiveTimeoutError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { ThreadMeter } from '../measure/thread-meter.js';
import { HOPS_MAX, type Hop, NO_HOPS } from './ask.js';
import { Deadline, type Deadlines } from './deadlines.js';
import type { Entry } from './entry.js';
import type { VolatileMessage } from './letter.js';

const NO_ENTRIES: readonly Entry[] = [];
const NO_EPOCHS: readonly PartitionEpoch[] = [];

export interface ContextOwner {
  readonly key: string;
  state: unknown;
  readonly mode: string;
  /** Whether a message of its calls waits for an answer. */
  readonly owesAnswers: boolean;
  timersOf(): Timers;
  readonly host: {
    readonly type: string;
    readonly resources: unknown;
    readonly logger: Logger;
    readonly kernel: ContextKernel;
    readonly meter: ThreadMeter | undefined;
  };
}

export interface ContextKernel {
  readonly clock: Clock;
  readonly receiveMsMax: number;
  readonly deadlines: Deadlines;
  ref(type: string, key: string, owner: { hops(): readonly Hop[] }): ActorRef;
  remindersOf(type: string, key: string): Reminders;
  nextCall(): number;
}

export class ActivationContext implements ActorContext {
  /** The volatile messages of the call under way. Of the runtime alone, as the other fields. */
  batch: readonly VolatileMessage[] | undefined = undefined;
  /** The durable messages of the call under way. */
  durable: readonly Entry[] = NO_ENTRIES;
  /** Of the call under way, once it has asked something; 0 before. */
  callId = 0;
  controller: AbortController | undefined = undefined;
  limit: CallLimit | undefined = undefined;
  /** When the call began to be waited for; 0 when it is not. */
  suspendedAt = 0;
  readonly activation: ContextOwner;
  #self: ActorRef | undefined;
  /** When the call under way began, and for how many it stands; 0 when it is not measured. */
  #begunAt = 0;
  #weight = 0;

  constructor(activation: ContextOwner) {
    this.activation = activation;
  }

  get actor(): string {
    return this.activation.host.type;
  }

  get key(): string {
    return this.activation.key;
  }

  get resources(): unknown {
    return this.activation.host.resources;
  }

  get state(): unknown {
    return this.activation.state;
  }

  set state(state: unknown) {
    this.activation.state = state;
  }

  get self(): ActorRef {
    const { host, key } = this.activation;
    this.#self ??= host.kernel.ref(host.type, key, this);
    return this.#self;
  }

  get epochs(): readonly PartitionEpoch[] {
    return this.durable.length === 0 ? NO_EPOCHS : epochsOf(this.durable);
  }

  now(): number {
    return this.activation.host.kernel.clock.now();
  }

  get logger(): Logger {
    return this.activation.host.logger;
  }

  get timers(): Timers {
    return this.activation.timersOf();
  }

  get reminders(): Reminders {
    return this.remindersOf(this.activation.key);
  }

  remindersOf(key: string): Reminders {
    const { host } = this.activation;
    return host.kernel.remindersOf(host.type, key);
  }

  get signal(): AbortSignal {
    // Of a call that is over, and not of the next one.
    if (this.batch === undefined) return AbortSignal.abort(new Error('the call of receive is over'));
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.activation.mode === 'stopped') {
        this.controller.abort(new Error('the activation is stopped'));
      } else {
        this.limit = new CallLimit(this, this.activation.host.kernel.receiveMsMax);
        this.abandoned();
      }
    }
    return this.controller.signal;
  }

  /** A getter, so that it may be taken out of the context. */
  get ref(): <Body>(actor: ActorType<Body>, key: string) => ActorRef<Body> {
    return <Body>(actor: ActorType<Body>, key: string) => {
      const type = typeof actor === 'string' ? actor : actor?.type;
      return this.activation.host.kernel.ref(type, key, this) as ActorRef<Body>;
    };
  }

  /** The calls that wait for what is asked now. */
  hops(): readonly Hop[] {
    const { batch } = this;
    if (batch === undefined) return NO_HOPS;
    const { host, key, owesAnswers } = this.activation;
    if (this.callId === 0) this.callId = host.kernel.nextCall();
    const own: Hop = { type: host.type, key, call: this.callId };
    if (!owesAnswers) return [own];
    const hops: Hop[] = [];
    for (const { parcel } of batch) {
      if (parcel?.ask !== undefined && parcel.ask.mode === 'pending') hops.push(...parcel.ask.hops);
    }
    hops.push(own);
    return hops.length > HOPS_MAX ? hops.slice(-HOPS_MAX) : hops;
  }

  /** Somebody gave up waiting. When everybody has, the call is for nothing. */
  abandoned(): void {
    if (this.controller === undefined || this.batch === undefined || this.batch.length === 0) return;
    if (this.batch.every(({ parcel }) => parcel?.ask?.mode === 'abandoned')) {
      this.abort(new Error('everybody who asked has given up'));
    }
  }

  abort(reason: Error): void {
    this.controller?.abort(reason);
  }

  /** @param messages none of a call for durable ones */
  beginCall(messages: readonly VolatileMessage[]): void {
    this.batch = messages;
    const { meter } = this.activation.host;
    if (meter === undefined) return;
    // A call for durable messages costs more than a look at the time.
    this.#weight = messages.length === 0 ? 1 : meter.volatileWeight();
    if (this.#weight === 0) return;
    this.#begunAt = meter.now();
    for (const { key } of messages) meter.key(key, this.#weight);
  }

  endCall(): void {
    if (this.#weight > 0) this.activation.host.meter?.turn(this.#begunAt, this.#weight);
    this.#weight = 0;
    this.batch = undefined;
    this.durable = NO_ENTRIES;
    this.callId = 0;
    this.suspendedAt = 0;
    if (this.controller === undefined) return;
    this.limit?.lift();
    this.limit = undefined;
    this.controller = undefined;
  }
}

/** Each partition once. None at all when none has an epoch: the log has one owner from start to end. */
function epochsOf(entries: readonly Entry[]): readonly PartitionEpoch[] {
  const epochs: PartitionEpoch[] = [];
  let last = -1;
  let shared = false;
  for (const { partition, epoch } of entries) {
    if (partition === last) continue;
    last = partition;
    shared ||= epoch !== undefined;
    // One that was left out would go unchecked; there is no epoch 0, so this one is refused.
    if (!epochs.some((known) => known.partition === partition)) epochs.push({ partition, epoch: epoch ?? 0 });
  }
  return shared ? epochs : NO_EPOCHS;
}

/** So much of a call's time is over when its signal fires: what is left is for giving up in good order. */
const SIGNAL_SHARE = 0.9;

class CallLimit extends Deadline {
  readonly #context: ActivationContext;

  constructor(context: ActivationContext, receiveMsMax: number) {
    super();
    this.#context = context;
    context.activation.host.kernel.deadlines.set(this, receiveMsMax * SIGNAL_SHARE);
  }

  lift(): void {
    this.#context.activation.host.kernel.deadlines.lift(this);
  }

  expire(): void {
    this.#context.abort(new ReceiveTimeoutError(`receive of actor ${this.#context.actor} takes too long`));
  }
}
