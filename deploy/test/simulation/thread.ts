/**
 * A worker thread of a simulated node: the real kernel, which runs the simulation's actor, at the other end of a port. What crosses the port
 * takes a moment, in order.
 */
import { type ActorDefinition, defineActor } from '../../../runtime/actor.js';
import { decodeEnvelope } from '../../../runtime/envelope.js';
import { FRAME_ITEM_OVERHEAD, frameItems } from '../../../runtime/frame.js';
import type { Entry, Outcome } from '../../../runtime/kernel/entry.js';
import { Kernel } from '../../../runtime/kernel/kernel.js';
import { DurableMessage } from '../../../runtime/kernel/letter.js';
import type { TypeHost } from '../../../runtime/kernel/type-host.js';
import type { Logger } from '../../../runtime/logger.js';
import type { RetryPolicy } from '../../../runtime/retry.js';
import type { Dead, Deliver, Done, Forgotten, Parked } from '../../../runtime/worker-protocol.js';
import type { Process } from './process.js';

export type ToThread =
  | Deliver
  | { readonly type: 'owned'; readonly partition: number; readonly here: boolean }
  | { readonly type: 'release' | 'discard'; readonly partition: number; readonly id: number };
export type FromThread =
  | Done
  | Dead
  | Forgotten
  | Parked
  | { readonly type: 'released'; readonly id: number; readonly done: boolean };

export interface ThreadOptions {
  readonly process: Process;
  readonly partitions: number;
  readonly definition: ActorDefinition;
  readonly random: () => number;
  readonly logger: Logger;
  readonly toMain: (news: FromThread) => void;
}

const RETRY: RetryPolicy = { attemptsMax: 4, delayMs: 50, delayMsMax: 400 };
const RECEIVE_MS_MAX = 60_000;
const RELEASE_MS = 20_000;

export class Thread {
  readonly #options: ThreadOptions;
  readonly #kernel: Kernel;
  readonly #host: TypeHost;

  constructor(options: ThreadOptions) {
    const { process, random, logger, definition, partitions } = options;
    this.#options = options;
    this.#kernel = new Kernel({
      clock: process.wall,
      random,
      retry: RETRY,
      receiveMsMax: RECEIVE_MS_MAX,
      waitingMax: 1_000,
      logger,
      transport: undefined,
      onEvent: () => {},
      id: 0,
    });
    this.#host = this.#kernel.host({
      definition: defineActor(definition),
      resources: undefined,
      logger,
      outcome: this.#outcome(),
    });
    this.#kernel.own(definition.type, new Array<boolean>(partitions).fill(false));
  }

  take(message: ToThread): void {
    const { definition, toMain } = this.#options;
    switch (message.type) {
      case 'deliver':
        for (const entry of entriesOf(message, this.#host))
          this.#host.activation(entry.message.key).push(entry);
        this.#kernel.scheduler.flush();
        break;
      case 'owned':
        this.#kernel.moved(definition.type, message.partition, message.here);
        break;
      case 'release':
        this.#kernel.leave(definition.type, message.partition);
        void this.#kernel
          .release(definition.type, message.partition, RELEASE_MS)
          .then((done) => toMain({ type: 'released', id: message.id, done }));
        break;
      case 'discard':
        void this.#kernel
          .discard(definition.type, message.partition)
          .then(() => toMain({ type: 'released', id: message.id, done: true }));
    }
  }

  #outcome(): Outcome {
    const { toMain, definition } = this.#options;
    const parked = { messages: 0, bytes: 0 };
    return {
      done(entries) {
        const ranges = entries.flatMap(({ partition, offset }) => [partition, offset, offset + 1]);
        toMain({ type: 'done', ranges, count: entries.length, bytes: bytesOf(entries), live: 0 });
      },
      dead({ partition, offset, bytes, message }, cause) {
        const { id, key, dedupe, receivedAt, traceparent, payload, attempt } = message;
        const envelope = { id, actor: definition.type, key, dedupe, receivedAt, traceparent, payload };
        toMain({ type: 'dead', partition, offset, bytes, envelope, cause, attempts: attempt });
      },
      parked(messages, bytes) {
        parked.messages += messages;
        parked.bytes += bytes;
        toMain({ type: 'parked', ...parked });
      },
      forgotten(entries) {
        toMain({ type: 'forgotten', messages: entries.length, bytes: bytesOf(entries) });
      },
      outage: () => {},
    };
  }
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function* entriesOf({ slices, epochs, body }: Deliver, host: TypeHost): Iterable<Entry> {
  const items = frameItems(body);
  for (let at = 0; at < slices.length; at += 3) {
    const [partition, first, count] = slices.slice(at, at + 3) as [number, number, number];
    for (let offset = first; offset < first + count; offset++) {
      const item = items.next().value as Uint8Array;
      const message = new DurableMessage(decodeEnvelope(item), host.codec);
      yield { partition, epoch: epochs?.[at / 3], offset, bytes: item.length + FRAME_ITEM_OVERHEAD, message };
    }
  }
}
