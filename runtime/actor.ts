/**
 * What an actor is: one module that default-exports `defineActor({...})`.
 *
 * An actor is virtual: it is addressed by type and key, never created or destroyed by hand. The runtime activates it in
 * one worker thread at its first message and passivates it when it has been idle.
 *
 * Two scopes:
 * - `key`: one activation per key, with state of its own, handed the messages of that key alone.
 * - `thread`: one activation per worker thread, handed messages of many keys in one batch, for work that is cheaper by
 *   the set (one transaction for 500 payments). Messages of one key still arrive in order, never two calls at once.
 */
import type { ActorRef } from './actor-ref.js';
import { checkLimits, type Limits } from './limits.js';
import type { Logger } from './logger.js';
import type { Message } from './message.js';
import type { Supervision } from './supervision.js';

/** What a thread gives its actors when it starts them. */
export interface ThreadContext {
  readonly actor: string;
  /** From 0; unique among the live threads of the pool. */
  readonly thread: number;
  /** The actor's settings, as the composition root gave them; must survive a structured clone. */
  readonly settings: unknown;
  readonly logger: Logger;
}

/**
 * Messages to oneself, later. They die with the state: when the activation goes, and when its state is made anew after a failure. What
 * must outlive it is a reminder.
 */
export interface Timers {
  /** Sends `body` to this activation after `ms` milliseconds, in place of an earlier timer of that name. */
  after(name: string, ms: number, body: unknown): void;
  /** Sends it every `ms` milliseconds, at least 1. */
  every(name: string, ms: number, body: unknown): void;
  cancel(name: string): void;
}

/** Durable messages to oneself, later: they survive restarts and activate the actor. One message for each time that is due. */
export interface Reminders {
  /** In place of an earlier one of that name. @throws ReminderRefusedError, and what the store throws */
  set(
    name: string,
    schedule: { readonly afterMs: number; readonly everyMs?: number },
    body: unknown,
  ): Promise<void>;
  /** Whether there was one. */
  cancel(name: string): Promise<boolean>;
}

/** A partition of the log as one reader has it. */
export interface PartitionEpoch {
  readonly partition: number;
  readonly epoch: number;
}

export interface ActorContext<State = unknown, Resources = unknown, Body = unknown> {
  readonly actor: string;
  /** The activation's key; empty in scope `thread`. */
  readonly key: string;
  /** What `open` returned. */
  readonly resources: Resources;
  /** What `state` returned, or what was put here since. */
  state: State;
  /** This actor's own address. */
  readonly self: ActorRef<Body>;
  /**
   * Of the call of `receive` under way: fires when its time is nearly up (that of the call itself, or of a drain), when the thread
   * loses the key, and when everybody who waits for its replies has given up.
   */
  readonly signal: AbortSignal;
  /**
   * Of the durable messages of this call: the partitions that they are of, with the epoch under which this process reads each. Who
   * commits what a message does, checks them in the same transaction: a process that has lost a partition and not noticed has another
   * epoch than its new reader. Empty when the log has one owner, and for volatile messages. A partition that was adopted without an epoch
   * among others that have one has epoch 0, which is nobody's.
   */
  readonly epochs: readonly PartitionEpoch[];
  readonly logger: Logger;
  readonly timers: Timers;
  readonly reminders: Reminders;
  /** Those of a key of this type: what is due comes as a message of that key. For scope `thread`, whose own key is empty. */
  remindersOf(key: string): Reminders;
  /** Milliseconds since the epoch; in a test system, of its virtual time. */
  now(): number;
  /**
   * The actor of that type and key. What it is asked knows who asks, so that a cycle is found. Worth keeping in the state where
   * messages are many: a reference remembers where its actor is.
   */
  ref<Body>(actor: ActorType<Body>, key: string): ActorRef<Body>;
}

/** A definition, or its type's name. */
export type ActorType<Body = unknown> = string | { readonly type: string; readonly [BODY]?: Body };

/** Where a definition carries the type of its bodies. Never a property of a value. */
declare const BODY: unique symbol;

export interface SnapshotPolicy<State> {
  /** Of the state's form, a positive integer; raised when it changes. */
  readonly version: number;
  /** The state that an older version left, in this version's form. Without it an older snapshot is an error. */
  migrate?(state: unknown, version: number): State;
  /**
   * - `batch` (default): a batch's messages are done when the state after them is stored, so state and messages never disagree: a
   *   message that is delivered again and is in the state already is skipped
   * - `passivation`: at passivation and drain; a crash loses what came since
   */
  readonly when?: 'batch' | 'passivation';
}

export interface ActorDefinition<Body = unknown, State = unknown, Resources = unknown> {
  /** Stable name: it is written into the log. Lower-case letters, digits, `-`. */
  readonly type: string;
  readonly scope: 'key' | 'thread';
  /**
   * The most messages handed to one `receive`, 1 to 100,000. Default: of durable messages 500 in scope `thread` and 64 in scope
   * `key`; volatile messages come one at a time. Set, it holds for both, and a batch that throws is handed out again in halves, to
   * find the message that is to blame: what `receive` does before it throws must bear that.
   */
  readonly batchMax?: number;
  /**
   * How long a batch that is not full waits for more, milliseconds; default 0: what has gathered while the last batch was
   * handled is the next. Worth it where a batch costs much and a message little.
   */
  readonly lingerMs?: number;
  /** Scope `key`: idle milliseconds after which an activation is passivated. Default 60,000. */
  readonly idleMsMax?: number;
  /** Scope `key`: activations alive in one thread before the least recently used one is passivated. Default 10,000. */
  readonly activationsMax?: number;
  /** Volatile messages that wait for one activation. Default 10,000. */
  readonly mailboxMax?: number;
  /**
   * What a full mailbox does with one more volatile message:
   * - `backpressure` (default): takes it, and `tell` returns a promise for when there is room; at twice the limit, as `reject`, once
   *   all mailboxes of the thread hold half of what they may
   * - `reject`: an ask fails, a tell is dropped and counted
   * - `drop-oldest`: the oldest goes instead, its asker told
   */
  readonly overflow?: 'backpressure' | 'reject' | 'drop-oldest';
  /** Volatile messages of which it is true go before all others. */
  urgent?(body: Body): boolean;
  /**
   * Whether volatile messages are handled while an earlier `receive` still waits for something. Default false: one call at a
   * time. Durable messages are one call at a time in any case.
   */
  readonly reentrant?: boolean;
  /**
   * The group of a key; default: the key itself. The keys of a group live in one thread, and limits count by group. Must not
   * change while the log holds messages: it decides their order.
   */
  group?(key: string): string;
  readonly limits?: Limits;
  readonly supervision?: Supervision;
  readonly snapshot?: SnapshotPolicy<State>;
  /** Once per thread, before its first message: connections, caches. */
  open?(thread: ThreadContext): Promise<Resources> | Resources;
  /**
   * Gives an open thread other settings (`ActorSystem.changeSettings`), between two batches: in scope `thread`, unless it is reentrant,
   * no call is under way; else those that wait for something meanwhile go on with what they have taken of `resources`. Nothing is handed
   * out until it has returned. When it throws, the thread goes on as it was: it changes all that it has to, or nothing. Without it the
   * settings of the type cannot change while its threads run.
   */
  configure?(resources: Resources, settings: unknown): Promise<void> | void;
  /** Once per thread, after its last message. */
  close?(resources: Resources): Promise<void> | void;
  /** The state of a new activation; once, before its first message, when there is no snapshot of it. */
  state?(key: string, context: Omit<ActorContext<State, Resources, Body>, 'state'>): Promise<State> | State;
  /**
   * Handles a batch, at least one message. Returning means that the effect of every message is committed; throwing, that
   * none is (what the error's class means for them: `errors.ts`). After a throw the state is made anew, unless
   * `supervision` says `resume`.
   */
  receive(
    messages: readonly Message<Body>[],
    context: ActorContext<State, Resources, Body>,
  ): Promise<void> | void;
  readonly [BODY]?: Body;
}

const TYPE_NAME = /^[a-z][a-z0-9-]{0,62}$/;
const BATCH_MAX_MAX = 100_000;
/** A misspelt field would else be one that is left out. */
const FIELDS: Readonly<Record<keyof Omit<ActorDefinition, typeof BODY>, true>> = {
  type: true,
  scope: true,
  batchMax: true,
  lingerMs: true,
  idleMsMax: true,
  activationsMax: true,
  mailboxMax: true,
  overflow: true,
  urgent: true,
  reentrant: true,
  group: true,
  limits: true,
  supervision: true,
  snapshot: true,
  open: true,
  configure: true,
  close: true,
  state: true,
  receive: true,
};

/** Checks a definition and gives it its type. @throws TypeError when it is not one */
export function defineActor<Body = unknown, State = unknown, Resources = unknown>(
  definition: ActorDefinition<Body, State, Resources>,
): ActorDefinition<Body, State, Resources> {
  const { type, scope, receive, batchMax, supervision, snapshot, overflow } = Object(
    definition,
  ) as typeof definition;
  if (typeof type !== 'string' || !TYPE_NAME.test(type)) {
    throw new TypeError(`actor type ${JSON.stringify(type)} is not of the form ${TYPE_NAME.source}`);
  }
  const refuse = (reason: string) => {
    throw new TypeError(`actor ${type}: ${reason}`);
  };
  const unknown = Object.keys(definition).find((name) => !(name in FIELDS));
  if (unknown !== undefined) refuse(`a definition has no field ${unknown}`);
  if (scope !== 'key' && scope !== 'thread') refuse("scope is 'key' or 'thread'");
  if (typeof receive !== 'function') refuse('receive is not a function');
  if (definition.configure !== undefined && typeof definition.configure !== 'function')
    refuse('configure is not a function');
  positive(definition, 'batchMax', BATCH_MAX_MAX, refuse);
  positive(definition, 'idleMsMax', Number.MAX_SAFE_INTEGER, refuse);
  positive(definition, 'activationsMax', Number.MAX_SAFE_INTEGER, refuse);
  positive(definition, 'mailboxMax', Number.MAX_SAFE_INTEGER, refuse);
  if (overflow !== undefined && !['backpressure', 'reject', 'drop-oldest'].includes(overflow)) {
    refuse("overflow is 'backpressure', 'reject' or 'drop-oldest'");
  }
  if (definition.limits !== undefined) checkLimits(definition.limits, scope, refuse);
  if (supervision?.onFailure === 'resume' && batchMax !== 1) {
    refuse("supervision 'resume' keeps a state that a batch left half changed: it needs batchMax 1");
  }
  if (snapshot !== undefined) {
    if (scope !== 'key') refuse("snapshots need scope 'key'");
    if (!Number.isInteger(snapshot.version) || snapshot.version < 1)
      refuse('snapshot.version is not a positive integer');
    if (definition.state === undefined) refuse('snapshots need a state');
  }
  return Object.freeze(definition);
}

type Quantity = 'batchMax' | 'idleMsMax' | 'activationsMax' | 'mailboxMax';

function positive(
  definition: { readonly [Name in Quantity]?: number },
  name: Quantity,
  max: number,
  refuse: (reason: string) => void,
): void {
  const value = definition[name];
  if (value === undefined) return;
  if (!(value === Number.POSITIVE_INFINITY && max > BATCH_MAX_MAX) && !Number.isInteger(value))
    refuse(`${name} is no whole number`);
  if (value < 1 || (Number.isFinite(value) && value > max)) refuse(`${name} is not from 1 to ${max}`);
}
