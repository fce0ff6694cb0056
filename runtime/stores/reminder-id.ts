/**
 * The message of a schedule has one id, and one deduplication key, whoever sends it and however often: both follow from
 * (actor, key, name, dueAt). The id has the form of `message-id.ts`, with the schedule's time as its time and a hash where
 * others have a counter and random bits, 74 bits in all: two schedules of one millisecond share an id with a chance of
 * 1 in 10^22.
 */
import { createHash } from 'node:crypto';
import type { ReminderName } from './reminder.js';

export interface ReminderMessage {
  readonly messageId: string;
  readonly dedupe: string;
}

export function reminderMessage({ actor, key, name }: ReminderName, dueAt: number): ReminderMessage {
  // JSON, so that no two lists of texts look alike.
  const hash = createHash('sha256')
    .update(JSON.stringify(['reminder', actor, key, name, dueAt]))
    .digest();
  hash[0] = 0x70 | ((hash[0] ?? 0) & 0x0f);
  hash[2] = 0x80 | ((hash[2] ?? 0) & 0x3f);
  const time = dueAt.toString(16).padStart(12, '0');
  const rest = hash.toString('hex', 0, 10);
  const messageId = `${time.slice(0, 8)}-${time.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`;
  return { messageId, dedupe: `reminder:${messageId}` };
}
