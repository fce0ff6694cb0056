/** An actor that stands in for another: it keeps what it gets, and answers as the test says. It lives through crashes. */
import { type ActorDefinition, defineActor } from '../actor.js';
import type { ActorRef } from '../actor-ref.js';
import type { Message, MessageOf, ReplyOf } from '../message.js';
import { bodyOf, textOf } from './trace.js';

export interface ProbeHost {
  /** Runs the system, its time too, until `condition` holds or `ms` are over. */
  pass(ms: number, condition: () => boolean): Promise<void>;
  ref(type: string, key: string): ActorRef;
}

export interface NextOptions {
  /** Milliseconds of the system's time, which passes meanwhile. Default 3,000. */
  readonly withinMs?: number;
}

const WITHIN_MS = 3_000;
const MESSAGES_IN_TEXT_MAX = 10;

/** No message came that was waited for, or one came that should not. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';
}

export class Probe<Body = unknown> {
  readonly type: string;
  readonly #host: ProbeHost;
  readonly #messages: Message<Body>[] = [];
  /** Not yet returned by `next`. */
  #unread: Message<Body>[] = [];
  #reply: ((message: Message<Body>) => unknown) | undefined;

  constructor(type: string, host: ProbeHost) {
    this.type = type;
    this.#host = host;
  }

  /** All that it got, the oldest first. */
  get messages(): readonly Message<Body>[] {
    return this.#messages;
  }

  get bodies(): readonly Body[] {
    return this.#messages.map((message) => bodyOf(message as Message) as Body);
  }

  /** Its address; all keys of its type come here. */
  ref(key = 'probe'): ActorRef<Body> {
    return this.#host.ref(this.type, key) as ActorRef<Body>;
  }

  /** What it answers from now on; an error that `answer` throws is the answer, too. */
  replyWith(answer: (message: Message<Body>) => ReplyOf<Body> | Promise<ReplyOf<Body>>): this {
    this.#reply = answer;
    return this;
  }

  /**
   * The first message that no `next` has returned, of those of which `predicate` is true. Waits for it; the system's time goes on
   * meanwhile.
   * @throws ProbeError
   */
  async next(
    predicate: (message: Message<Body>) => boolean = () => true,
    { withinMs = WITHIN_MS }: NextOptions = {},
  ): Promise<Message<Body>> {
    let found: Message<Body> | undefined;
    const look = () => {
      found ??= this.#unread.find((message) => predicate(message));
      return found !== undefined;
    };
    if (!look()) await this.#host.pass(withinMs, look);
    if (found === undefined) {
      throw new ProbeError(
        `probe ${this.type} got no message ${this.#unread.length > 0 ? 'that matches ' : ''}in ${withinMs} ms; ${this.#said()}`,
      );
    }
    this.#unread = this.#unread.filter((message) => message !== found);
    return found;
  }

  /** Resolves when nothing has come for `ms` of the system's time. @throws ProbeError */
  async silence(ms: number): Promise<void> {
    const before = this.#messages.length;
    await this.#host.pass(ms, () => this.#messages.length > before);
    if (this.#messages.length > before) {
      throw new ProbeError(`probe ${this.type} should get nothing for ${ms} ms; ${this.#said()}`);
    }
  }

  /** @internal Of the system. */
  definition(): ActorDefinition {
    return defineActor<Body>({
      type: this.type,
      scope: 'thread',
      receive: (messages) => {
        for (const message of messages) this.#take(message);
      },
    }) as ActorDefinition;
  }

  #take(message: Message<Body>): void {
    this.#messages.push(message);
    this.#unread.push(message);
    if (this.#reply === undefined || !message.asked) return;
    // Of one that is answered at once, the reply goes out in this turn.
    let answer: unknown;
    const asked = message as MessageOf<unknown>;
    try {
      answer = this.#reply(message);
    } catch (error) {
      asked.fail(error);
      return;
    }
    if (answer instanceof Promise) {
      answer.then(
        (value) => asked.reply(value as never),
        (error: unknown) => asked.fail(error),
      );
    } else asked.reply(answer as never);
  }

  #said(): string {
    const { length } = this.#messages;
    if (length === 0) return 'it got nothing at all';
    const last = this.#messages
      .slice(-MESSAGES_IN_TEXT_MAX)
      .map((message) => `${message.key} <- ${textOf(bodyOf(message as Message))}`);
    const unread = length - this.#unread.length;
    return `it got ${length} (${unread} returned by next before), the last: ${last.join('; ')}`;
  }
}
