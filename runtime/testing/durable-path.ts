/**
 * Durable messages in a test system: the log in memory, and the real dispatcher of each type, with one thread. So order, credit,
 * retries, suspects after a crash, and dead letters are those of the real system.
 */
import type { ActorDefinition } from '../actor.js';
import type { DurableOptions } from '../actor-ref.js';
import type { Clock } from '../clock.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { decodeEnvelope, type Envelope, encodeEnvelope } from '../envelope.js';
import { LogClosedError, UnknownActorError } from '../errors.js';
import type { ActorEvent } from '../events.js';
import { causeOf } from '../failure.js';
import { FRAME_ITEM_OVERHEAD, frameItems } from '../frame.js';
import type { Entry, Outcome } from '../kernel/entry.js';
import { DurableMessage } from '../kernel/letter.js';
import type { Logger } from '../logger.js';
import { MessageIdSource } from '../message-id.js';
import { partitionOf } from '../partition.js';
import type { DeadLetter, DeadLetterCause } from '../stores/dead-letter.js';
import { DeadLetterWriter } from '../stores/dead-letter-writer.js';
import type { Deliver } from '../worker-protocol.js';
import type { Life } from './life.js';
import { MemoryLog } from './memory-log.js';
import type { Order } from './order.js';
import type { Trace } from './trace.js';

export interface DurablePathOptions {
  readonly clock: Clock;
  readonly order: Order;
  readonly logger: Logger;
  readonly trace: Trace;
  readonly onEvent: (event: ActorEvent) => void;
}

/** A message that was given up. */
export interface TestDeadLetter {
  readonly id: string;
  readonly actor: string;
  readonly key: string;
  readonly dedupe: string;
  /** As `tellDurably` was given it; of other messages the bytes. */
  readonly body: unknown;
  readonly cause: DeadLetterCause;
  readonly attempts: number;
  readonly deadAt: number;
}

/** Few, so that keys share them; more than one, so that they need not. */
const PARTITIONS = 4;
const THREAD = 0;

interface Route {
  readonly definition: ActorDefinition;
  readonly dispatcher: Dispatcher;
  /** To the thread that has it; undefined while none has. */
  lane: Lane | undefined;
}

export class DurablePath {
  readonly #options: DurablePathOptions;
  readonly #log = new MemoryLog(PARTITIONS);
  readonly #writer: DeadLetterWriter;
  readonly #ids: MessageIdSource;
  readonly #routes = new Map<string, Route>();
  readonly #dead = new Map<string, DeadLetter & { readonly body: unknown }>();
  #appending = 0;
  #decode: (payload: Uint8Array) => unknown = (payload) => payload;

  constructor(options: DurablePathOptions) {
    this.#options = options;
    const put = async (letters: readonly DeadLetter[]) => {
      for (const letter of letters) this.#bury(letter);
    };
    this.#writer = new DeadLetterWriter({ put }, options.clock, options.logger);
    this.#ids = new MessageIdSource((bytes) =>
      bytes.forEach((_, at) => {
        bytes[at] = Math.floor(options.order.random() * 256);
      }),
    );
  }

  /** Something is on its way that no run queue knows of. */
  get busy(): boolean {
    return this.#appending > 0 || this.#writer.pending > 0;
  }

  /** Messages that are not done. */
  get lag(): number {
    return this.#log.lag();
  }

  /** The oldest first. */
  get deadLetters(): readonly TestDeadLetter[] {
    return Array.from(this.#dead.values(), ({ envelope, body, cause, attempts, deadAt }) => {
      const { id, actor, key, dedupe } = envelope;
      return { id, actor, key, dedupe, body, cause, attempts, deadAt };
    });
  }

  add(definition: ActorDefinition): void {
    const { clock, logger, order } = this.#options;
    const { type: actor } = definition;
    const partitions = this.#log.open(actor);
    for (const partition of partitions) partition.promiseEvery = order.promiseEvery();
    const dispatcher = new Dispatcher({
      actor,
      partitions,
      threads: 1,
      post: (_, delivery) => this.#routes.get(actor)?.lane?.push(delivery),
      deadLetters: this.#writer,
      clock,
      logger,
    });
    this.#routes.set(actor, { definition, dispatcher, lane: undefined });
  }

  /** The actor is open in `life`: deliveries may come. */
  attach(type: string, life: Life): void {
    const route = this.#route(type);
    route.lane = new Lane(type, life);
    this.#decode = (payload) => life.kernel.codec.unpack(payload);
    route.dispatcher.attach(THREAD);
  }

  /** The thread ended, with whatever it had. */
  detach(): void {
    for (const route of this.#routes.values()) {
      if (route.lane === undefined) continue;
      route.lane = undefined;
      route.dispatcher.suspend(THREAD);
      route.dispatcher.detach(THREAD);
    }
  }

  /** What becomes of the messages of a type in a life; once it is over, its news are not heard. */
  outcome(actor: string, over: () => boolean): Outcome {
    const { onEvent, trace } = this.#options;
    const { dispatcher } = this.#route(actor);
    const parked = { messages: 0, bytes: 0 };
    let out: string | undefined;
    const heard = (news: () => void) => {
      if (!over()) news();
    };
    return {
      done: (entries) =>
        heard(() => {
          const ranges = entries.flatMap(({ partition, offset }) => [partition, offset, offset + 1]);
          const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
          dispatcher.finished(THREAD, { type: 'done', ranges, count: entries.length, bytes, live: 0 });
        }),
      dead: ({ partition, offset, bytes, message }, cause) =>
        heard(() => {
          const { id, key, dedupe, receivedAt, traceparent, payload, attempt: attempts } = message;
          const envelope = { id, actor, key, dedupe, receivedAt, traceparent, payload };
          trace.add(`${actor}/${key} gives up after ${attempts} attempts: ${cause.message}`);
          dispatcher.gaveUp(THREAD, { type: 'dead', partition, offset, bytes, envelope, cause, attempts });
        }),
      parked: (messages, bytes) =>
        heard(() => {
          parked.messages += messages;
          parked.bytes += bytes;
          dispatcher.parked(THREAD, { type: 'parked', ...parked });
        }),
      // It owns every partition from its start to its end.
      forgotten: () => {},
      outage: (error) => {
        const code = error === undefined ? undefined : causeOf(error).code;
        if (code !== out) heard(() => onEvent({ kind: 'outage', actor, thread: THREAD, code }));
        out = code;
      },
    };
  }

  /** Resolves with the message's id once it is on the log. */
  append(
    { type, key }: { readonly type: string; readonly key: string },
    payload: Uint8Array,
    { dedupe, traceparent = '' }: DurableOptions,
  ): Promise<string> {
    const now = this.#options.clock.now();
    const id = this.#ids.next(now);
    return this.#append({
      id,
      actor: type,
      key,
      dedupe: dedupe ?? id,
      receivedAt: now,
      traceparent,
      payload,
    });
  }

  /** Puts a dead letter's message on the log again. @throws RangeError when there is no such letter */
  async replay(id: string): Promise<void> {
    const letter = this.#dead.get(id);
    if (letter === undefined) throw new RangeError(`no dead letter has the id ${id}`);
    this.#dead.delete(id);
    await this.#append(letter.envelope);
  }

  async close(): Promise<void> {
    for (const { dispatcher } of this.#routes.values()) dispatcher.stop();
    await this.#writer.close();
    await this.#log.close();
  }

  async #append(envelope: Envelope): Promise<string> {
    const { actor, key, id } = envelope;
    const { definition } = this.#route(actor);
    if (this.#log.state !== 'open') throw new LogClosedError('the system is stopped');
    const partitions = this.#log.open(actor);
    const partition = partitions[partitionOf(definition.group?.(key) ?? key, partitions.length)];
    this.#appending++;
    try {
      await new Promise<number>((appended, appendFailed) => {
        partition?.append(encodeEnvelope(envelope), { appended, appendFailed });
      });
    } finally {
      this.#appending--;
    }
    return id;
  }

  #bury(letter: DeadLetter): void {
    const { envelope, cause, attempts } = letter;
    const { id, actor, key } = envelope;
    const payload = Uint8Array.from(envelope.payload);
    let body: unknown = payload;
    try {
      body = this.#decode(payload);
    } catch {
      // Not the codec's: the bytes are what it holds.
    }
    this.#dead.set(id, { ...letter, envelope: { ...envelope, payload }, body });
    this.#options.onEvent({ kind: 'dead-letter', actor, key, id, cause, attempts });
  }

  #route(type: string): Route {
    const route = this.#routes.get(type);
    if (route === undefined) throw new UnknownActorError(`no actor ${type} is registered`);
    return route;
  }
}

/** Deliveries on their way to an actor type in one life: in order, each a turn of the run queue. */
class Lane {
  readonly life: Life;
  readonly #type: string;
  readonly #queue: Deliver[] = [];

  constructor(type: string, life: Life) {
    this.#type = type;
    this.life = life;
  }

  push(delivery: Deliver): void {
    if (this.#queue.push(delivery) === 1) this.life.kernel.scheduler.schedule(this);
  }

  run(): void {
    const delivery = this.#queue.shift();
    if (this.#queue.length > 0) this.life.kernel.scheduler.schedule(this);
    const host = this.life.host(this.#type);
    if (delivery === undefined || host === undefined || this.life.over) return;
    for (const entry of entriesOf(delivery, host.codec)) host.activation(entry.message.key).push(entry);
  }
}

function* entriesOf(
  { slices, body }: Deliver,
  codec: ConstructorParameters<typeof DurableMessage>[1],
): Iterable<Entry> {
  const items = frameItems(body);
  for (let at = 0; at < slices.length; at += 3) {
    const [partition, first, count] = slices.slice(at, at + 3) as [number, number, number];
    for (let offset = first; offset < first + count; offset++) {
      const item = items.next().value as Uint8Array;
      const message = new DurableMessage(decodeEnvelope(item), codec);
      yield { partition, offset, bytes: item.length + FRAME_ITEM_OVERHEAD, message };
    }
  }
}
