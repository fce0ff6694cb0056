/**
 * How volatile messages get from one actor to another in a test system, and from the test: by the codec, as between threads, so
 * that what cannot cross a thread fails here; lost or late, when a fault says so.
 *
 * Replies go by the run queue, each on its own: their order is drawn like that of everything else.
 */
import type { Reminders } from '../actor.js';
import type { DurableOptions } from '../actor-ref.js';
import type { Clock } from '../clock.js';
import { ThreadLostError, UnknownActorError } from '../errors.js';
import type { ActorEvent } from '../events.js';
import { asError } from '../failure.js';
import type { Answerable, Ask, AskMode, Debtor, Hop } from '../kernel/ask.js';
import type { Address, Transport } from '../kernel/kernel.js';
import { Parcel } from '../kernel/letter.js';
import type { TypeHost } from '../kernel/type-host.js';
import { senderNow } from './around.js';
import type { FaultPlan } from './faults.js';
import type { Life, PendingAsk } from './life.js';
import type { Order } from './order.js';
import { checkPlain } from './plain.js';
import { type Trace, textOf } from './trace.js';

export interface PostOptions {
  /** Whether bodies and replies go by the codec. */
  readonly encode: boolean;
  readonly clock: Clock;
  readonly order: Order;
  readonly faults: Pick<FaultPlan, 'drops' | 'replyDelayMs'>;
  readonly trace: Trace;
  readonly onEvent: (event: ActorEvent) => void;
  /** The life of now. */
  readonly life: () => Life;
  /** Whether there is such an actor, open or not. */
  readonly known: (type: string) => boolean;
  readonly durable: {
    append(address: Address, payload: Uint8Array, options: DurableOptions): Promise<string>;
    reminders(address: Address): Reminders;
  };
}

export class Post {
  readonly #options: PostOptions;

  constructor(options: PostOptions) {
    this.#options = options;
  }

  /** The way out of `from`; of the test when it is undefined. What is sent after a life is over goes nowhere. */
  transport(from: Life | undefined): Transport {
    const { durable } = this.#options;
    const gone = () => from?.over === true;
    return {
      tell: (address, body, traceparent) => (gone() ? undefined : this.#tell(address, body, traceparent)),
      ask: (address, body, traceparent, ask) => {
        if (!gone()) this.#ask(from, address, body, traceparent, ask);
      },
      tellDurably: (address, body, options) =>
        gone() ? new Promise(() => {}) : durable.append(address, body, options),
      reminders: (address) => durable.reminders(address),
    };
  }

  /** `value` as it arrives. @throws BodyError */
  carry(value: unknown): unknown {
    if (!this.#options.encode || value === undefined) return value;
    checkPlain(value);
    const { codec } = this.#options.life().kernel;
    return codec.unpack(codec.pack(value));
  }

  #tell(address: Address, body: unknown, traceparent: string): Promise<void> | undefined {
    const carried = this.carry(body);
    const { type, key } = address;
    const { life, host } = this.#receiver(type);
    if (host === undefined || this.#options.faults.drops(type, key)) {
      this.#lose(address, body);
      return undefined;
    }
    return this.#send(life, address, carried, () => {
      const activation = host.activation(key);
      return activation.tell(life.kernel.mail(activation, key, carried, traceparent));
    });
  }

  #ask(from: Life | undefined, address: Address, body: unknown, traceparent: string, ask: Ask): void {
    const carried = this.carry(body);
    const { type, key } = address;
    const { life, host } = this.#receiver(type);
    if (host === undefined) {
      ask.reject(new ThreadLostError(`the thread of ${type} has not started again`));
      return;
    }
    if (this.#options.faults.drops(type, key)) {
      this.#lose(address, body);
      return;
    }
    const reply = new Reply(ask, from === undefined, address, this.#options, (value) => this.carry(value));
    ask.onAbandoned = () => reply.abandon();
    const parcel = new Parcel(key, carried, traceparent, reply) as Parcel & { readonly ask: Reply };
    void this.#send(life, address, carried, () => {
      host.activation(key).asked(parcel);
      return undefined;
    });
  }

  /** At once, or by a turn of its own: behind what the same sender has on the way to the same key. */
  #send(
    life: Life,
    { type, key }: Address,
    carried: unknown,
    arrive: () => Promise<void> | undefined,
  ): Promise<void> | undefined {
    const sender = senderNow();
    this.#options.trace.sent(carried, sender);
    const name = JSON.stringify([sender, type, key]);
    const way = life.ways.get(name);
    if (way === undefined && !this.#options.order.travels()) return arrive();
    if (way !== undefined) way.push(arrive);
    else life.ways.set(name, new Way(life, arrive, () => life.ways.delete(name)));
    return undefined;
  }

  #receiver(type: string): { readonly life: Life; readonly host: TypeHost | undefined } {
    if (!this.#options.known(type)) throw new UnknownActorError(`no actor ${type} is registered`);
    const life = this.#options.life();
    return { life, host: life.host(type) };
  }

  #lose({ type, key }: Address, body: unknown): void {
    const { trace, onEvent } = this.#options;
    trace.add(`${type}/${key} <- ${textOf(body)} is lost`);
    onEvent({ kind: 'dropped', actor: type, reason: 'unreachable', count: 1 });
  }
}

/** From one sender to one key: messages that each take a turn, in order. */
class Way {
  readonly #life: Life;
  readonly #queue: (() => void)[];
  readonly #onEmpty: () => void;

  constructor(life: Life, first: () => void, onEmpty: () => void) {
    this.#life = life;
    this.#queue = [first];
    this.#onEmpty = onEmpty;
    life.kernel.scheduler.schedule(this);
  }

  push(arrive: () => void): void {
    this.#queue.push(arrive);
  }

  run(): void {
    const arrive = this.#queue.shift();
    if (this.#queue.length > 0) this.#life.kernel.scheduler.schedule(this);
    else this.#onEmpty();
    if (!this.#life.over) arrive?.();
  }
}

/** What stands at the receiver for the ask of its asker. */
class Reply implements Answerable, PendingAsk {
  mode: AskMode = 'pending';
  debtor: Debtor | undefined = undefined;
  olderDebt: Answerable | undefined = undefined;
  newerDebt: Answerable | undefined = undefined;
  readonly hops: readonly Hop[];
  readonly #ask: Ask;
  readonly #fromOutside: boolean;
  readonly #address: Address;
  readonly #life: Life;
  readonly #options: PostOptions;
  readonly #carry: (value: unknown) => unknown;

  constructor(
    ask: Ask,
    fromOutside: boolean,
    address: Address,
    options: PostOptions,
    carry: (value: unknown) => unknown,
  ) {
    this.hops = ask.hops;
    this.#ask = ask;
    this.#fromOutside = fromOutside;
    this.#address = address;
    this.#life = options.life();
    this.#options = options;
    this.#carry = carry;
    this.#life.asks.add(this);
  }

  resolve(value: unknown): void {
    if (this.mode !== 'pending') return;
    let carried: unknown;
    try {
      carried = this.#carry(value);
    } catch (error) {
      this.reject(asError(error));
      return;
    }
    this.#send(`replies ${textOf(value)}`, () => this.#ask.resolve(carried));
  }

  reject(error: Error): void {
    if (this.mode === 'pending') this.#send(`replies ${error.message}`, () => this.#ask.reject(error));
  }

  abandon(): void {
    this.#life.asks.delete(this);
    if (this.mode === 'pending') this.#end('abandoned');
  }

  lost(error: Error | undefined): void {
    if (this.mode === 'pending') this.#end('answered');
    // An asker in the thread that ended is not there any more.
    if (this.#fromOutside && error !== undefined) this.#ask.reject(error);
  }

  #send(text: string, answer: () => void): void {
    this.#end('answered');
    const { type, key } = this.#address;
    const { clock, faults, trace } = this.#options;
    trace.add(`${type}/${key} -> ${text}`);
    const life = this.#life;
    const arrive = {
      run: () => {
        if (life.asks.delete(this)) answer();
      },
    };
    const delayMs = faults.replyDelayMs(type);
    if (delayMs === 0) life.kernel.scheduler.schedule(arrive);
    else clock.after(delayMs, () => life.kernel.scheduler.schedule(arrive));
  }

  #end(mode: AskMode): void {
    this.mode = mode;
    this.debtor?.askOver(this);
    this.debtor = undefined;
  }
}
