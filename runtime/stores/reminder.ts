/**
 * Reminders: messages that an actor asked for, to come at a time, once or again and again. They outlive the process.
 *
 * A reminder is named by (actor, key, name). It has one schedule at a time, `dueAt`; a periodic one moves along the grid
 * `dueAt + k * everyMs`. This is the whole contract between the runtime and a store of them (`storage/folder`,
 * `storage/postgres`); `reminder-service.ts` is what sends them.
 */
import { ReminderRefusedError } from '../errors.js';

export interface ReminderName {
  readonly actor: string;
  readonly key: string;
  /** Of this reminder among those of its key. */
  readonly name: string;
}

export interface Reminder extends ReminderName {
  /** Whole milliseconds since the epoch. */
  readonly dueAt: number;
  /** From one schedule to the next; undefined for one that comes once. */
  readonly everyMs: number | undefined;
  /** The message's body; its meaning is the actor's. */
  readonly body: Uint8Array;
}

/** Each promise may reject with an `OutageError`: then nobody knows whether the change was made. Writes are durable. */
export interface ReminderStore {
  /** Adds it, or replaces the one of the same name. */
  put(reminder: Reminder): Promise<void>;
  /** Whether there was one. */
  delete(actor: string, key: string, name: string): Promise<boolean>;
  /** Those whose time is `atMs` or earlier, earliest first, at most `limit`. */
  due(atMs: number, limit: number): Promise<readonly Reminder[]>;
  /** The earliest `dueAt` of all. */
  next(): Promise<number | undefined>;
  /**
   * Moves a reminder on to `nextDueAt`, or deletes it when that is undefined; only if `dueAt` and `everyMs` are still those
   * of `reminder`. Whether it did.
   */
  advance(reminder: Reminder, nextDueAt: number | undefined): Promise<boolean>;
  /** Those of one key, ordered by name (UTF-16 code units). */
  list(actor: string, key: string): Promise<readonly Reminder[]>;
  /** Waits for what is under way. Idempotent. */
  close(): Promise<void>;
}

export const REMINDER_EVERY_MS_MIN = 1_000;
export const REMINDER_NAME_CHARS_MAX = 200;
/** What the 48 bits of a message id hold: the year 10889. */
export const REMINDER_DUE_AT_MAX = 2 ** 48 - 1;
export const REMINDER_BODY_BYTES_MAX = 1024 * 1024;

/** @throws ReminderRefusedError naming what is out of its limits, what was given and what is allowed */
export function assertReminder({ name, dueAt, everyMs, body }: Reminder): void {
  if (typeof name !== 'string' || name.length < 1 || name.length > REMINDER_NAME_CHARS_MAX) {
    throw new ReminderRefusedError(
      `a reminder's name has 1 to ${REMINDER_NAME_CHARS_MAX} characters, not ${name?.length}`,
    );
  }
  check('dueAt', dueAt, 0, 'ms since the epoch');
  if (everyMs !== undefined) check('everyMs', everyMs, REMINDER_EVERY_MS_MIN, 'ms');
  if (!(body instanceof Uint8Array) || body.length > REMINDER_BODY_BYTES_MAX) {
    throw new ReminderRefusedError(
      `a reminder's body is a Uint8Array of at most ${REMINDER_BODY_BYTES_MAX} bytes, not ${body?.length}`,
    );
  }
}

function check(field: string, value: number, min: number, unit: string): void {
  if (Number.isSafeInteger(value) && value >= min && value <= REMINDER_DUE_AT_MAX) return;
  throw new ReminderRefusedError(
    `a reminder's ${field} is an integer of ${min} to ${REMINDER_DUE_AT_MAX} ${unit}, not ${value}`,
  );
}

/**
 * Which schedule of a due reminder to send at `nowMs`, and where it goes on: the latest that is due. Those before it were
 * missed (nobody ran) and are not made up for. `next` is undefined when there is none.
 */
export function scheduleAt(
  { dueAt, everyMs }: Pick<Reminder, 'dueAt' | 'everyMs'>,
  nowMs: number,
): { readonly latest: number; readonly next: number | undefined } {
  if (everyMs === undefined) return { latest: dueAt, next: undefined };
  const latest = dueAt + Math.max(0, Math.floor((nowMs - dueAt) / everyMs)) * everyMs;
  const next = latest + everyMs;
  return { latest, next: next <= REMINDER_DUE_AT_MAX ? next : undefined };
}
