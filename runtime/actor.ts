/**
 * What an actor is: one module that default-exports `defineActor({...})`.
 *
 * An actor is virtual: it is addressed by type and key, never created or destroyed by hand. The runtime activates it in
 * one worker thread at its first message and passivates it when it has been idle.
 *
 * Two scopes:
 * - `key`: one activation per key, with state of its own (`load`), handed the messages of that key alone.
 * - `thread`: one activation per worker thread, handed messages of many keys in one batch, for work that is cheaper by
 *   the set (one transaction for 500 payments). Messages of one key still arrive in order, never two calls at once.
 */
import type { Logger } from './logger.js';

export interface Message {
  /** The envelope's id. */
  readonly id: string;
  readonly key: string;
  readonly dedupe: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly traceparent: string;
  /** A view of a larger buffer, valid as long as it is referred to. */
  readonly payload: Uint8Array;
  /** 1 at the first delivery by this process; a crash starts the count again. */
  readonly attempt: number;
}

/** What a thread gives its actors when it starts them. */
export interface ThreadContext {
  readonly actor: string;
  /** From 0; unique among the live threads of the pool. */
  readonly thread: number;
  /** The actor's settings, as the composition root gave them; must survive a structured clone. */
  readonly settings: unknown;
  readonly logger: Logger;
}

export interface ActorContext<Resources, State> {
  readonly actor: string;
  /** The activation's key; empty in scope `thread`. */
  readonly key: string;
  /** What `open` returned. */
  readonly resources: Resources;
  /** What `load` returned. */
  readonly state: State;
  /** Fires when the thread is told to stop at once. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

export interface ActorDefinition<Resources = unknown, State = unknown> {
  /** Stable name: it is written into the log. Lower-case letters, digits, `-`. */
  readonly type: string;
  readonly scope: 'key' | 'thread';
  /** The most messages handed to one `receive`. Default 500 in scope `thread`, 64 in scope `key`. */
  readonly batchMax?: number;
  /**
   * How long a batch that is not full waits for more, milliseconds; default 0: what has gathered while the last batch was
   * handled is the next. Worth it where a batch costs much and a message little.
   */
  readonly lingerMs?: number;
  /** Scope `key`: idle milliseconds after which an activation is passivated. Default 60,000. */
  readonly idleMsMax?: number;
  /** Once per thread, before its first message: connections, caches. */
  open?(thread: ThreadContext): Promise<Resources> | Resources;
  /** Once per thread, after its last message. */
  close?(resources: Resources): Promise<void> | void;
  /** Scope `key`: the state of a key, at its activation. */
  load?(key: string, context: Omit<ActorContext<Resources, State>, 'state'>): Promise<State> | State;
  /**
   * Handles a batch, at least one message. Returning means that the effect of every message is committed; throwing, that
   * none is (what the error's class means for them: `errors.ts`).
   */
  receive(messages: readonly Message[], context: ActorContext<Resources, State>): Promise<void> | void;
}

const TYPE_NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Checks a definition and gives it its type. @throws TypeError when it is not one */
export function defineActor<Resources = unknown, State = unknown>(
  definition: ActorDefinition<Resources, State>,
): ActorDefinition<Resources, State> {
  if (!TYPE_NAME.test(definition.type)) {
    throw new TypeError(
      `actor type ${JSON.stringify(definition.type)} is not of the form ${TYPE_NAME.source}`,
    );
  }
  if (definition.scope !== 'key' && definition.scope !== 'thread') {
    throw new TypeError(`actor ${definition.type}: scope is 'key' or 'thread'`);
  }
  if (typeof definition.receive !== 'function') {
    throw new TypeError(`actor ${definition.type}: receive is not a function`);
  }
  return Object.freeze(definition);
}
