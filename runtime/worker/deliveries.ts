/**
 * Takes deliveries apart: each message goes to the activation of its key.
 *
 * One that cannot be decoded is a dead letter, its bytes kept as they are. But one of a later version is nobody's poison: it goes back, with
 * whatever of its partition is behind it, since nobody here knows its key. The partition waits for a process that can read it (P2, P4).
 */
import { decodeEnvelope, type Envelope } from '../envelope.js';
import { EnvelopeVersionError } from '../errors.js';
import { causeOf } from '../failure.js';
import { FRAME_ITEM_OVERHEAD, frameItems } from '../frame.js';
import { DurableMessage } from '../kernel/letter.js';
import type { TypeHost } from '../kernel/type-host.js';
import { BEGUN } from '../measure/thread-meter.js';
import { undecodableId } from '../undecodable.js';
import type { Dead, Deliver, Forgotten, HostTask } from '../worker-protocol.js';

/** Of a partition, the message that cannot be read: what is behind it may be on its way to us. */
interface Unreadable {
  readonly epoch: number | undefined;
  readonly offset: number;
  readonly reason: string;
}

interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly bytes: number;
}

export class Deliveries {
  readonly #host: TypeHost;
  readonly #task: HostTask;
  readonly #unreadable = new Map<number, Unreadable>();
  /** Of the delivery that is taken apart: monotonic, and since the epoch. */
  #arrivedAt = BEGUN;
  #deliveredAt = 0;

  constructor(host: TypeHost, task: HostTask) {
    this.#host = host;
    this.#task = task;
  }

  take({ slices, epochs, body }: Deliver): void {
    const items = frameItems(body);
    this.#arrivedAt = this.#host.meter?.arrival() ?? BEGUN;
    this.#deliveredAt = this.#host.kernel.clock.now();
    for (let at = 0; at < slices.length; at += 3) {
      const partition = slices[at] as number;
      const first = slices[at + 1] as number;
      const count = slices[at + 2] as number;
      this.#takeSlice(items, { partition, first, count, epoch: epochs?.[at / 3] });
    }
  }

  #takeSlice(
    items: Iterator<Uint8Array>,
    slice: {
      readonly partition: number;
      readonly first: number;
      readonly count: number;
      readonly epoch: number | undefined;
    },
  ): void {
    const { partition, first, count, epoch } = slice;
    this.#host.epochs.heard(partition, epoch);
    let unreadable = this.#unreadable.get(partition);
    // It is read anew.
    if (unreadable !== undefined && (first <= unreadable.offset || epoch !== unreadable.epoch)) {
      this.#unreadable.delete(partition);
      unreadable = undefined;
    }
    let back = 0;
    let backBytes = 0;
    for (let offset = first; offset < first + count; offset++) {
      const item = items.next();
      if (item.done) throw new RangeError('a delivery holds fewer envelopes than its slices say');
      const bytes = item.value.length + FRAME_ITEM_OVERHEAD;
      if (unreadable === undefined) {
        const error = this.#takeOne(item.value, { partition, offset, bytes }, epoch);
        if (error === undefined) continue;
        unreadable = { epoch, offset, reason: error.message };
        this.#unreadable.set(partition, unreadable);
      }
      back++;
      backBytes += bytes;
    }
    if (unreadable === undefined || back === 0) return;
    const { offset, reason } = unreadable;
    this.#task.port.postMessage({
      type: 'forgotten',
      messages: back,
      bytes: backBytes,
      unreadable: { partition, offset, reason },
    } satisfies Forgotten);
  }

  /** The error of an envelope that is not for this release. */
  #takeOne(item: Uint8Array, place: Place, epoch: number | undefined): EnvelopeVersionError | undefined {
    let envelope: Envelope;
    try {
      envelope = decodeEnvelope(item);
    } catch (error) {
      if (error instanceof EnvelopeVersionError) return error;
      this.#giveUp(place, item, error);
      return undefined;
    }
    const message = new DurableMessage(envelope, this.#host.codec);
    this.#host.meter?.delivered(envelope.receivedAt, this.#deliveredAt);
    const { partition, offset, bytes } = place;
    const entry = { partition, epoch, offset, bytes, message, arrivedAt: this.#arrivedAt };
    this.#host.delay.arrived(entry);
    this.#host.activation(envelope.key).push(entry);
    return undefined;
  }

  /** Under an id made from its place. */
  #giveUp(place: Place, raw: Uint8Array, error: unknown): void {
    const { actor, port } = this.#task;
    const id = undecodableId({ actor, ...place }, raw);
    const envelope: Envelope = {
      id,
      actor,
      key: '',
      dedupe: id,
      receivedAt: 0,
      traceparent: '',
      payload: Uint8Array.from(raw),
    };
    port.postMessage({
      type: 'dead',
      ...place,
      envelope,
      cause: causeOf(error),
      attempts: 0,
    } satisfies Dead);
  }
}
