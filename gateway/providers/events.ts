/**
 * Bodies that hold several events. Each becomes a message of its own, with the key and the id of that event: so one event has one effect however
 * the sender packs it when it comes again, and waits for its own key only.
 *
 * The body of such a message is the event alone, as JSON that is written anew: whoever reads it later, in whatever language, finds each name once,
 * and the values that were checked here.
 */
import { malformed } from './proof.js';
import type { Refused } from './provider.js';
import { member, type Reading } from './reading.js';
import type { SenderMessage } from './webhook-provider.js';

export const EVENTS_MAX = 1000;

const NOT_JSON = malformed('the body is not JSON');

/** The elements of the array `name` of the body, at least one. */
export function eventsOf(reading: Reading, name: string): readonly unknown[] | Refused {
  if (reading.json() === undefined) return NOT_JSON;
  const events = member(reading.json(), name);
  if (!Array.isArray(events) || events.length === 0) return malformed(`field ${name} is no list of events`);
  return events.length > EVENTS_MAX ? malformed(`field ${name} has more than ${EVENTS_MAX} events`) : events;
}

export function eventMessage(
  event: unknown,
  told: Pick<SenderMessage, 'type' | 'id' | 'key'>,
): SenderMessage {
  return { ...told, body: Buffer.from(JSON.stringify(event)), contentType: 'application/json' };
}
