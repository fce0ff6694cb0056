/**
 * The envelope: what travels from the edge to an actor.
 *
 * It is encoded once, where the message is accepted, and decoded once, in the thread that runs the actor. Everything
 * between (log, dispatcher, ports) moves the bytes and never looks inside.
 *
 * Encoding: one msgpack array of fixed length, version first, so that a later version can be told apart and decoded
 * by its own rule. An array, not a map: field names would be a third of a typical message.
 */
import { Packr } from 'msgpackr';
import { EnvelopeError } from './errors.js';

export interface Envelope {
  /** Unique and sortable by time of acceptance: a UUID of version 7, see `message-id.ts`. */
  readonly id: string;
  /** The type of the actor that handles it. */
  readonly actor: string;
  /** The actor's key: messages with equal keys are handled in order, one at a time. */
  readonly key: string;
  /** Idempotency key: of the messages with equal `dedupe`, one takes effect. */
  readonly dedupe: string;
  /** When the edge accepted it, milliseconds since the epoch. */
  readonly receivedAt: number;
  /** W3C trace context of the request, or empty. */
  readonly traceparent: string;
  /** The message as it came; its meaning is the actor's. */
  readonly payload: Uint8Array;
}

const VERSION = 1;
const FIELDS = 8;
// useRecords would make a decoder depend on structures sent earlier; each envelope must stand alone on disk.
const packr = new Packr({ useRecords: false });

/** The bytes of `envelope`: a view of a buffer of its own, safe to keep. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return packr.pack([
    VERSION,
    envelope.id,
    envelope.actor,
    envelope.key,
    envelope.dedupe,
    envelope.receivedAt,
    envelope.traceparent,
    envelope.payload,
  ]);
}

/**
 * The envelope in `bytes`. `payload` is a view of `bytes`, not a copy.
 * @throws EnvelopeError when `bytes` are not an envelope of a known version
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  let fields: unknown;
  try {
    fields = packr.unpack(bytes);
  } catch (cause) {
    throw new EnvelopeError('an envelope is not msgpack', { cause });
  }
  if (!Array.isArray(fields) || fields.length !== FIELDS || fields[0] !== VERSION) {
    throw new EnvelopeError(`an envelope is not an array of ${FIELDS} fields of version ${VERSION}`);
  }
  const [, id, actor, key, dedupe, receivedAt, traceparent, payload] = fields as unknown[];
  if (
    typeof id !== 'string' ||
    typeof actor !== 'string' ||
    typeof key !== 'string' ||
    typeof dedupe !== 'string' ||
    typeof receivedAt !== 'number' ||
    typeof traceparent !== 'string' ||
    !(payload instanceof Uint8Array)
  ) {
    throw new EnvelopeError('a field of an envelope has a wrong type');
  }
  return { id, actor, key, dedupe, receivedAt, traceparent, payload };
}
