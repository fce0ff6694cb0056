/** What the replay actor is sent: by who made or resumed a replay, and by its own reminder. */
import { Codec } from '../../runtime/kernel/codec.js';
import type { Reminder } from '../../runtime/stores/reminder.js';

export type ReplayMessage =
  | { readonly type: 'go' }
  /** `at`: when the reminder was set, milliseconds since the epoch. */
  | { readonly type: 'tick'; readonly at: number };

export const TYPE = 'replay';
export const REMINDER = 'tick';
export const TICK_MS = 1_000;

/** No address is ever in one. */
const codec = new Codec(() => {
  throw new TypeError('a message of a replay holds an address');
});

/** For who makes a replay: it goes on though whoever made it ends before it can say `go`. */
export function reminderOf(id: string, nowMs: number): Reminder {
  const body: ReplayMessage = { type: 'tick', at: nowMs };
  return {
    actor: TYPE,
    key: id,
    name: REMINDER,
    dueAt: Math.trunc(nowMs) + TICK_MS,
    everyMs: TICK_MS,
    body: codec.pack(body),
  };
}
