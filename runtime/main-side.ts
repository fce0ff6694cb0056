/**
 * The main thread's side of a system's mesh: a kernel without actors of its own, from which messages go out, the broker, and
 * what actors in threads ask of the main thread: appends to the log, and reminders.
 */
import type { Transferable } from 'node:worker_threads';
import type { ActorDefinition } from './actor.js';
import type { Clock } from './clock.js';
import { encodeEnvelope } from './envelope.js';
import { ReminderRefusedError, UnknownActorError } from './errors.js';
import type { ActorEvent } from './events.js';
import { asError } from './failure.js';
import type { Answerable } from './kernel/ask.js';
import { Kernel } from './kernel/kernel.js';
import type { Logger } from './logger.js';
import { Broker } from './mesh/broker.js';
import { ELSEWHERE, MAIN_PLACE, Mesh, type Place } from './mesh/mesh.js';
import type { MeshToMain, MeshToWorker } from './mesh/protocol.js';
import { MessageIdSource } from './message-id.js';
import type { MessageLog } from './message-log.js';
import { partitionOf } from './partition.js';
import { THREADS_MAX } from './pool/pool-size.js';
import type { RetryPolicy } from './retry.js';
import type { ReminderStore } from './stores/reminder.js';
import { ReminderService } from './stores/reminder-service.js';
import { findTracing, PROVIDER_LOOK_MS } from './tracing.js';

export interface MainSideOptions {
  readonly log: MessageLog;
  readonly reminders: ReminderStore | undefined;
  /** Other processes put reminders into the store as well. */
  readonly remindersShared: boolean;
  readonly retry: RetryPolicy;
  readonly receiveMsMax: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly onEvent: (event: ActorEvent) => void;
  /** Somebody has something to send to a thread of that type which is not there. */
  readonly onWanted: (actor: string) => void;
}

/** Sends to a thread, over its control port. */
export type PostToThread = (message: MeshToWorker, transfer?: readonly Transferable[]) => void;

/** What `Mesh` sends to the service `$log`. */
interface Append {
  readonly type: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly dedupe: string | undefined;
  readonly traceparent: string;
  readonly asSender: boolean;
}

type ReminderRequest =
  | {
      readonly set: {
        readonly type: string;
        readonly key: string;
        readonly name: string;
        readonly afterMs: number;
        readonly everyMs?: number;
        readonly body: Uint8Array;
      };
    }
  | { readonly cancel: { readonly type: string; readonly key: string; readonly name: string } };

/** By which a reminder may be late that another process has set. */
const SHARED_LOOK_MS = 1_000;
/** Of a release, within the deadline of the move that it belongs to. */
const RELEASE_MS = 20_000;

export class MainSide {
  readonly kernel: Kernel;
  readonly #options: MainSideOptions;
  readonly #mesh: Mesh;
  readonly #broker: Broker;
  readonly #ids = new MessageIdSource();
  /** Until it sends, it schedules and cancels only. */
  #reminders: ReminderService | undefined;
  /** Of each type: the place of its pool's thread 0. */
  readonly #places = new Map<string, Place>();
  #cancelLook = () => {};

  constructor(options: MainSideOptions) {
    this.#options = options;
    this.#mesh = new Mesh({
      connect: (to) => this.#broker.connect(MAIN_PLACE, to),
      lost: (count, reason, error) => {
        if (error !== undefined)
          options.logger.warn({ err: error }, 'a message cannot be sent, and is dropped');
        options.onEvent({ kind: 'dropped', actor: '', reason, count });
      },
    });
    this.kernel = new Kernel({
      ...options,
      // It hosts nothing.
      waitingMax: 0,
      transport: this.#mesh,
      id: MAIN_PLACE,
    });
    this.#mesh.attach(this.kernel);
    this.#mesh.shut('the actor system has not started');
    this.#broker = new Broker(this.#mesh, (place) => this.#wanted(place));
    this.#mesh.serve('$log', (body, answer, from) => void this.#appended(body as Append, answer, from));
    this.#mesh.serve('$reminders', (body, answer) => void this.#reminded(body as ReminderRequest, answer));
    this.#reminders = this.#makeReminders();
  }

  /** Asks without an answer, counted by their deadlines and over links: none when nothing is leaked. */
  get asksPending(): number {
    return this.kernel.pendingDeadlines + this.#mesh.pending;
  }

  #wanted(place: Place): void {
    for (const [actor, first] of this.#places) {
      if (place >= first && place < first + THREADS_MAX) this.#options.onWanted(actor);
    }
  }

  /** The place of thread 0 of a type's pool. */
  placesOf(actor: string): Place {
    const known = this.#places.get(actor);
    if (known !== undefined) return known;
    const place = 1 + this.#places.size * THREADS_MAX;
    this.#places.set(actor, place);
    return place;
  }

  /** Makes a type known, before its threads are. `owners`: of each partition, the thread. */
  add({ type, group }: ActorDefinition, owners: readonly (number | undefined)[]): void {
    if (group !== undefined) this.kernel.setGroup(type, group);
    const first = this.placesOf(type);
    void this.#broker.route({
      actor: type,
      owners: owners.map((thread) => (thread === undefined ? ELSEWHERE : first + thread)),
    });
  }

  start(): void {
    this.#lookForProvider();
    this.#mesh.open();
  }

  /** Sends reminders when they are due, from now on. Of all processes that share a store, one does. */
  remind(): void {
    if (this.#reminders?.mode === 'new') this.#reminders.start();
  }

  /** Another process sends them from now on. */
  async remindNoMore(): Promise<void> {
    const before = this.#reminders;
    this.#reminders = this.#makeReminders();
    await before?.stop();
  }

  joined(actor: string, thread: number, post: PostToThread): void {
    this.#broker.join(this.placesOf(actor) + thread, post);
  }

  left(actor: string, thread: number): void {
    this.#broker.leave(this.placesOf(actor) + thread);
  }

  received(actor: string, thread: number, message: MeshToMain): void {
    this.#broker.received(this.placesOf(actor) + thread, message);
  }

  /** The hook of a handover: what a thread has of a partition, besides messages of the log, is handled and let go. */
  async release(actor: string, partition: number, from: number, signal: AbortSignal): Promise<void> {
    const place = this.placesOf(actor) + from;
    const released = await this.#broker.release(actor, partition, place, RELEASE_MS, signal);
    if (!released) throw new Error('its activations did not come to an end in time');
  }

  moved(actor: string, partition: number, to: number): void {
    void this.#broker.moved(actor, partition, this.placesOf(actor) + to);
  }

  /** The hook of a drop: the thread ends what it has of a partition. */
  discard(actor: string, partition: number, from: number): Promise<void> {
    return this.#broker.discard(actor, partition, this.placesOf(actor) + from);
  }

  /** A partition was adopted by a thread, or (undefined) is not this process's. */
  owned(actor: string, partition: number, thread: number | undefined, epoch: number | undefined): void {
    const place = thread === undefined ? ELSEWHERE : this.placesOf(actor) + thread;
    void this.#broker.moved(actor, partition, place, epoch);
  }

  /** Threads end for good from now on, and no reminder comes any more. */
  async stopping(): Promise<void> {
    this.#broker.close();
    await this.#reminders?.stop();
  }

  /** Everything that is asked from here is refused. */
  stop(): void {
    this.#cancelLook();
    this.#mesh.close('the actor system has stopped');
    this.kernel.stop(new Error('the actor system has stopped'));
  }

  #makeReminders(): ReminderService | undefined {
    const { reminders: store, clock, logger, random, remindersShared } = this.#options;
    if (store === undefined) return undefined;
    return new ReminderService({
      store,
      append: ({ actor, key, body }, id, dedupe) =>
        this.#append({ type: actor, key, body, dedupe, traceparent: '' }, id, false).then(() => undefined),
      clock,
      logger,
      random,
      ...(remindersShared ? { lookMsMax: SHARED_LOOK_MS } : {}),
    });
  }

  #lookForProvider(): void {
    this.kernel.tracing = findTracing(this.kernel.tracing);
    this.#cancelLook = this.#options.clock.after(PROVIDER_LOOK_MS, () => this.#lookForProvider());
  }

  /** What comes from a thread, an actor sends: a full log is emptied by it. From here senders send. */
  async #appended(append: Append, answer: Answerable, from: Place): Promise<void> {
    try {
      const passesOn = from !== MAIN_PLACE && !append.asSender;
      answer.resolve(await this.#append(append, this.#ids.next(this.#options.clock.now()), passesOn));
    } catch (error) {
      answer.reject(asError(error));
    }
  }

  #append(
    { type, key, body, dedupe, traceparent }: Omit<Append, 'asSender'>,
    id: string,
    passesOn: boolean,
  ): Promise<string> {
    const { log, clock } = this.#options;
    if (!this.#places.has(type)) throw new UnknownActorError(`no actor ${type} is registered`);
    const partition = log.open(type)[partitionOf(this.kernel.groupOf(type, key), log.partitions)];
    if (partition === undefined) throw new RangeError(`the log has no partition for ${type}/${key}`);
    const envelope = {
      id,
      actor: type,
      key,
      dedupe: dedupe ?? id,
      receivedAt: clock.now(),
      traceparent,
      payload: body,
    };
    return new Promise((resolve, reject) => {
      const waiter = { appended: () => resolve(id), appendFailed: reject };
      partition.append(encodeEnvelope(envelope), waiter, passesOn);
    });
  }

  async #reminded(request: ReminderRequest, answer: Answerable): Promise<void> {
    try {
      const service = this.#reminders;
      if (service === undefined) {
        throw new ReminderRefusedError('the actor system has no store of reminders');
      }
      if ('cancel' in request) {
        const { type, key, name } = request.cancel;
        answer.resolve(await service.cancel(type, key, name));
        return;
      }
      const { type, key, name, afterMs, everyMs, body } = request.set;
      const dueAt = Math.ceil(this.#options.clock.now() + afterMs);
      await service.schedule({ actor: type, key, name, dueAt, everyMs, body });
      answer.resolve(undefined);
    } catch (error) {
      answer.reject(asError(error));
    }
  }
}
