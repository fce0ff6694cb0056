/**
 * From the messages of a batch to what has to be done: parsed, and without those that are known to be done.
 *
 * Two filters stand here, both for speed; the truth is the row in `events`. Within the batch the first of equal
 * messages wins, which the one statement that writes them needs. Across batches a bounded memory of recent ones
 * keeps a storm of duplicates from the database.
 */
import type { RawMessage } from '../../runtime/message.js';
import { EmpMalformedError } from '../emp/errors.js';
import { parseNotification } from '../emp/notification.js';
import type { Incoming } from './decide.js';

/** The part of a set that is asked. */
export interface Seen {
  has(key: string): boolean;
}

/** Names a message among those of all endpoints. A deduplication key alone is not enough: see `payments`. */
export function messageKey(endpoint: string, dedupe: string): string {
  return `${endpoint} ${dedupe}`;
}

/**
 * The messages that are new as far as `recent` knows, by their `messageKey`, in order.
 * @throws EmpMalformedError when any of the others cannot be read
 */
export function readBatch(messages: readonly RawMessage[], recent: Seen): Map<string, Incoming> {
  const batch = new Map<string, Incoming>();
  for (const message of messages) {
    const endpoint = endpointOf(message.key);
    const key = messageKey(endpoint, message.dedupe);
    if (recent.has(key) || batch.has(key)) continue;
    const notification = parseNotification(message.payload);
    // The key says whose turn it is. An effect on another payment than that could run beside that payment's own.
    if (
      message.key.length !== endpoint.length + 1 + notification.paymentId.length ||
      !message.key.endsWith(notification.paymentId)
    ) {
      throw new EmpMalformedError('the key of the envelope is not that of the notification');
    }
    batch.set(key, { message, endpoint, notification });
  }
  return batch;
}

/** An endpoint's name holds no colon. */
function endpointOf(key: string): string {
  const colon = key.indexOf(':');
  if (colon <= 0) throw new EmpMalformedError('the key of the envelope names no endpoint');
  return key.slice(0, colon);
}
