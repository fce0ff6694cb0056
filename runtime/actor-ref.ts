/**
 * The address of an actor, as something to send to. It is always valid: an actor that is not active becomes so by a message.
 *
 * A reference may be kept, compared by `toString`, and sent in a body to actors of this system.
 */
import type { AnswerOf, Question } from './message.js';

export interface TellOptions {
  /** Of the send's cause, W3C trace context. Default: that of the current span, when tracing is on. */
  readonly traceparent?: string;
}

export interface AskOptions extends TellOptions {
  /** How long to wait for the reply, milliseconds, 1 to 3,600,000. Default 5,000. */
  readonly timeoutMs?: number;
  /** Gives up waiting, with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface DurableOptions extends TellOptions {
  /** Idempotency key. Default: the message's id. */
  readonly dedupe?: string;
  /**
   * Refused as soon as senders are: for what an actor sends of its own accord (a clock, a replay), and not because of a message that came to
   * it by the log. Default: false in an actor, whose messages a full log takes still, for it is emptied by them; outside of actors it is
   * always so.
   */
  readonly asSender?: boolean;
}

/** Where a reference carries the type of what it takes. Never a property of a value. */
declare const TAKES: unique symbol;

export interface ActorRef<Body = unknown> {
  /** The actor's type. */
  readonly type: string;
  readonly key: string;
  /**
   * Sends a volatile message: at most once, in order of the sends by this sender to this key. It is gone with the process.
   *
   * Returns nothing as a rule; a promise when the receiver has fallen behind, which resolves when there is room again. The message
   * is sent already: who sends many awaits it, who does not will lose messages once the mailbox is at its limit.
   */
  tell(body: Body, options?: TellOptions): Promise<void> | undefined;
  /**
   * Sends a message by the log: it is delivered at least once, across crashes, in order for the key.
   * @returns the message's id, once it is on the log
   * @throws LogFullError, LogClosedError
   */
  tellDurably(body: Body, options?: DurableOptions): Promise<string>;
  /**
   * Asks and waits for the reply.
   * @throws AskTimeoutError, AskFailedError, AskCycleError, MailboxFullError, ActivationStoppedError, ThreadLostError
   */
  ask<Ref extends Taker, const Asked>(
    this: Ref,
    body: Asked extends Question<TakenBy<Ref>> ? Asked : Question<TakenBy<Ref>>,
    options?: AskOptions,
  ): Promise<AnswerOf<TakenBy<Ref>, Asked>>;
  /** `type/key` */
  toString(): string;
  /** A reference to an actor that takes more is one to an actor that takes less. */
  readonly [TAKES]?: (body: Body) => void;
}

interface Taker {
  readonly [TAKES]?: (body: never) => void;
}

/** What a reference takes. By the reference's type: a signature that named the interface's `Body` would fix it to that very type. */
type TakenBy<Ref extends Taker> =
  Exclude<Ref[typeof TAKES], undefined> extends (body: infer Body) => void ? Body : never;
