/**
 * The reminders of delayed webhooks: one for each, of its key, so that it comes back as a message of that key.
 *
 * Order (P2): they are set in the order of the messages, each for a time that is not before the one before it. Those that are due in the same
 * millisecond come in the order of their names: a name counts up.
 */
import type { Reminders } from '../../runtime/actor.js';
import { waitOrFail } from './handover.js';
import { dueBody } from './incoming.js';
import type { Webhook } from './store.js';

export interface Delayed extends Webhook {
  readonly delayMs: number;
}

/** On their way at once. */
const AT_ONCE_MAX = 128;

/** One for a thread: its names are those of no other, or come later. */
export class Delays {
  #ms = 0;
  #count = 0;

  /** @throws WebhookHandoverError, ReminderRefusedError, and what the store throws */
  async set(
    delayed: readonly Delayed[],
    nowMs: number,
    remindersOf: (key: string) => Pick<Reminders, 'set'>,
  ): Promise<void> {
    for (let at = 0; at < delayed.length; at += AT_ONCE_MAX) {
      const set = await Promise.allSettled(
        delayed.slice(at, at + AT_ONCE_MAX).map(({ webhook, message, key, delayMs }) => {
          const reminders = remindersOf(`${webhook.endpoint}:${key}`);
          return reminders.set(this.#name(nowMs), { afterMs: delayMs }, dueBody(message.dedupe));
        }),
      );
      const failed = set.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw waitOrFail(failed.reason);
    }
  }

  #name(nowMs: number): string {
    // A clock that is set back must not set the names back.
    this.#ms = Math.max(this.#ms, Math.trunc(nowMs));
    this.#count++;
    return `${String(this.#ms).padStart(15, '0')}-${String(this.#count).padStart(12, '0')}`;
  }
}
