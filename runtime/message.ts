/**
 * Messages as an actor and its senders see them, with the types that hold them together.
 *
 * A body is plain data: it may cross to another thread or wait on the log, so it is what msgpack can carry (objects, arrays,
 * strings, numbers, bigints, booleans, null, Date, Map, Set, Uint8Array, actor references). Inside one thread it is handed over
 * as it is, without a copy: sender and receiver share it, so neither changes it after the sending.
 */

/** Where the reply's type hangs on a body's type. Never a property of a value. */
declare const REPLY: unique symbol;

/** Makes a body's type a question: `{ type: 'balance' } & Asks<number>` is answered with a number. */
export interface Asks<Reply> {
  /** In a tuple, so that a reply may be undefined. */
  readonly [REPLY]?: readonly [Reply];
}

/** What a body is answered with; never for one that asks nothing. */
export type ReplyOf<Body> = unknown extends Body
  ? unknown
  : Body extends unknown
    ? typeof REPLY extends keyof Body
      ? Exclude<Body[typeof REPLY], undefined> extends readonly [infer Reply]
        ? Reply
        : never
      : never
    : never;

/**
 * What `Asked` is answered with by an actor of `Body`. By the actor's questions of that form or, where lists in it are inferred as
 * read-only, of that `type`: a literal that is asked has not got the reply's type on it.
 */
export type AnswerOf<Body, Asked> = unknown extends Body
  ? unknown
  : Question<Body> extends infer Each
    ? Each extends unknown
      ? Asked extends Each
        ? ReplyOf<Each>
        : Asked extends { readonly type: infer Type }
          ? Each extends { readonly type: Type }
            ? ReplyOf<Each>
            : never
          : never
      : never
    : never;

/** The bodies among `Body` that ask something. */
export type Question<Body> = unknown extends Body
  ? Body
  : Body extends unknown
    ? typeof REPLY extends keyof Body
      ? Body
      : never
    : never;

/** A message as it is before anybody looks into it. */
export interface RawMessage {
  readonly key: string;
  /** The envelope's id; empty for a volatile message. */
  readonly id: string;
  /** Idempotency key; empty for a volatile message. */
  readonly dedupe: string;
  /** Milliseconds since the epoch; 0 for a volatile message. */
  readonly receivedAt: number;
  /** W3C trace context of what caused it, or empty. */
  readonly traceparent: string;
  /** The body as bytes. Of a durable message, as they came: a view of a larger buffer, valid as long as it is referred to. */
  readonly payload: Uint8Array;
  /** 1 at the first delivery by this process; a crash starts the count again. */
  readonly attempt: number;
}

export interface MessageOf<Body> extends RawMessage {
  readonly body: Body;
  /** `body.type`: a `switch` over it narrows body and reply. Undefined when the body has none. */
  readonly type: unknown extends Body
    ? unknown
    : Body extends { readonly type: infer Type }
      ? Type
      : undefined;
  /** Whether somebody waits for a reply. */
  readonly asked: boolean;
  /** Answers an ask; the first answer counts. Without an effect when nobody asked, or no longer waits. */
  reply(value: ReplyOf<Body>): void;
  /** Answers an ask with an error: its asker meets an `AskFailedError` with the code and text of `error`. */
  fail(error: unknown): void;
}

/** A message; of a union of bodies, the union of their messages. */
export type Message<Body = unknown> = unknown extends Body
  ? MessageOf<Body>
  : Body extends unknown
    ? MessageOf<Body>
    : never;
