/**
 * Sends the messages of reminders when they are due: first the message is made durable (`append`), then the store is moved
 * on. What may happen between the two decides what a consumer sees:
 *
 * - A crash, or an outage of the store, after the append: the reminder is still due, and is sent once more with the same
 *   message id and deduplication key (`reminder-id.ts`). That is a redelivery, never a second schedule.
 * - `schedule` or `cancel` while the message is sent: the message comes, as it was due; the store then keeps what they
 *   wrote. A message that has come is not taken back.
 *
 * No reminder is sent before its time, by the clock of this process. One that was due while nobody ran is sent at the start.
 * Of a periodic one only the latest missed schedule is: a day of downtime must not become 86,400 messages. It goes on
 * along its own grid, without drift. A schedule is one of (actor, key, name, dueAt): a reminder that is scheduled again for a
 * time for which it was sent already repeats that message id.
 *
 * One service to a store sends: two would send everything twice, with the same ids. Others may schedule and cancel there (mode `new`).
 *
 * | mode       | entered                                     | left                                                   |
 * |------------|---------------------------------------------|--------------------------------------------------------|
 * | `new`      | at the beginning                            | by `start` or `stop`                                   |
 * | `firing`   | by `start`, by an alarm, by a due `schedule` | when nothing is due any more, by a failure, by `stop`   |
 * | `waiting`  | when nothing is due                         | when the next one is, after `lookMsMax` at the latest   |
 * | `retrying` | by a failure of the store or of an append   | after a delay that grows to some seconds                |
 * | `stopping` | by `stop`                                   | when the turn under way has ended, or after `stopMsMax` |
 * | `stopped`  | after that                                  | never                                                  |
 */
import { type Clock, systemClock } from '../clock.js';
import { type Logger, silentLogger } from '../logger.js';
import { backoffMs, type RetryPolicy } from '../retry.js';
import { assertReminder, type Reminder, type ReminderStore, scheduleAt } from './reminder.js';
import { reminderMessage } from './reminder-id.js';

export type ReminderServiceMode = 'new' | 'firing' | 'waiting' | 'retrying' | 'stopping' | 'stopped';

/**
 * Appends one durable message to the key's log; resolves when it is acknowledged, rejects when it is not known to be.
 * `reminder.dueAt` is the schedule that the message is of.
 */
export type AppendReminder = (reminder: Reminder, messageId: string, dedupe: string) => Promise<void>;

export interface ReminderServiceOptions {
  readonly store: ReminderStore;
  readonly append: AppendReminder;
  /** Default: the system's. */
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Messages sent at once, 1 to 1,000; default 100. */
  readonly batchMax?: number;
  /** How long `stop` waits for what is under way; default 5,000. */
  readonly stopMsMax?: number;
  /** Between two looks at the store: what others put there is late by as much. Default 60,000, milliseconds. */
  readonly lookMsMax?: number;
  /** [0, 1), for the delay between retries. */
  readonly random?: () => number;
}

const RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 100, delayMsMax: 5_000 };
/** The wall clock may be set, a machine may sleep, and a timer above 2 ** 31 ms rings at once: no wait is longer. */
const LOOK_MS_MAX = 60_000;
const BATCH_MAX_DEFAULT = 100;
const BATCH_MAX_MAX = 1_000;
const STOP_MS_MAX_DEFAULT = 5_000;

const NEXT_MODES: Readonly<Record<ReminderServiceMode, readonly ReminderServiceMode[]>> = {
  new: ['firing', 'stopping'],
  firing: ['waiting', 'retrying', 'stopping'],
  waiting: ['firing', 'stopping'],
  retrying: ['firing', 'stopping'],
  stopping: ['stopped'],
  stopped: [],
};

export class ReminderService {
  readonly #options: Required<ReminderServiceOptions>;
  #mode: ReminderServiceMode = 'new';
  /** While `waiting` or `retrying`: when the alarm rings, and what takes it back. */
  #alarm: { readonly at: number; readonly cancel: () => void } | undefined;
  /** The earliest time scheduled during the turn under way, which may have missed it. */
  #scheduled = Number.POSITIVE_INFINITY;
  #failures = 0;
  #sent = 0;
  #run: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: ReminderServiceOptions) {
    const { batchMax = BATCH_MAX_DEFAULT } = options;
    if (!(Number.isInteger(batchMax) && batchMax >= 1 && batchMax <= BATCH_MAX_MAX)) {
      throw new RangeError(`batchMax is ${batchMax}, allowed is 1 to ${BATCH_MAX_MAX}`);
    }
    this.#options = {
      store: options.store,
      append: options.append,
      clock: options.clock ?? systemClock,
      logger: options.logger ?? silentLogger,
      batchMax,
      stopMsMax: options.stopMsMax ?? STOP_MS_MAX_DEFAULT,
      lookMsMax: options.lookMsMax ?? LOOK_MS_MAX,
      random: options.random ?? Math.random,
    };
  }

  get mode(): ReminderServiceMode {
    return this.#mode;
  }

  /** Messages appended by this service, repeated ones included. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Adds the reminder or replaces the one of its name; durable when it resolves.
   * @throws ReminderRefusedError when it is out of its limits, and what the store says
   */
  async schedule(reminder: Reminder): Promise<void> {
    assertReminder(reminder);
    await this.#options.store.put(reminder);
    this.#wake(reminder.dueAt);
  }

  /** Whether there was one; it may be on its way already. */
  cancel(actor: string, key: string, name: string): Promise<boolean> {
    return this.#options.store.delete(actor, key, name);
  }

  list(actor: string, key: string): Promise<readonly Reminder[]> {
    return this.#options.store.list(actor, key);
  }

  /** Sends what is due and goes on; once. */
  start(): void {
    if (this.#mode !== 'new') throw new Error(`a service of reminders cannot start when it is ${this.#mode}`);
    this.#fire();
  }

  /** Begins nothing more, waits for what is under way. What was not finished comes again with the next start. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#to('stopping');
    this.#cancelAlarm();
    const { clock, logger, stopMsMax } = this.#options;
    let cancel = (): void => {};
    const tooLong = new Promise<'too long'>((resolve) => {
      cancel = clock.after(stopMsMax, () => resolve('too long'));
    });
    if ((await Promise.race([this.#run, tooLong])) === 'too long') {
      logger.warn(
        { stopMsMax },
        'stopped without waiting for the reminders under way: they will be sent again',
      );
    }
    cancel();
    this.#to('stopped');
  }

  #to(mode: ReminderServiceMode): void {
    if (!NEXT_MODES[this.#mode].includes(mode)) throw new Error(`reminders: ${this.#mode} to ${mode}`);
    this.#mode = mode;
  }

  #wake(dueAt: number): void {
    if (this.#mode === 'firing') this.#scheduled = Math.min(this.#scheduled, dueAt);
    else if (this.#mode === 'waiting' && this.#alarm !== undefined && dueAt < this.#alarm.at) {
      this.#cancelAlarm();
      if (dueAt <= this.#options.clock.now()) this.#fire();
      else this.#setAlarm(dueAt);
    }
  }

  #setAlarm(at: number): void {
    const { clock, lookMsMax } = this.#options;
    const now = clock.now();
    const waitMs = Math.min(Math.max(at - now, 0), lookMsMax);
    const cancel = clock.after(waitMs, () => this.#fire());
    this.#alarm = { at: now + waitMs, cancel };
  }

  #cancelAlarm(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  #fire(): void {
    this.#alarm = undefined;
    this.#to('firing');
    this.#run = this.#fireDue();
  }

  /** Turns until nothing is due. Never rejects. */
  async #fireDue(): Promise<void> {
    const { clock, logger, random } = this.#options;
    for (;;) {
      this.#scheduled = Number.POSITIVE_INFINITY;
      let next: number;
      try {
        next = await this.#turn();
      } catch (error) {
        if (this.#mode !== 'firing') return;
        this.#failures++;
        logger.error({ err: error, failures: this.#failures }, 'reminders cannot be sent yet');
        this.#to('retrying');
        this.#setAlarm(clock.now() + backoffMs(this.#failures, RETRY, random));
        return;
      }
      if (this.#mode !== 'firing') return;
      this.#failures = 0;
      next = Math.min(next, this.#scheduled);
      if (next > clock.now()) {
        this.#to('waiting');
        this.#setAlarm(next);
        return;
      }
      // Others have their turn of the event loop, however many are due.
      await new Promise(setImmediate);
      if (this.#mode !== 'firing') return;
    }
  }

  /**
   * One batch. When the next one is due: now, if there may be more.
   * @throws the first failure, after the others of the batch have ended
   */
  async #turn(): Promise<number> {
    const { store, clock, batchMax } = this.#options;
    const now = clock.now();
    const batch = await store.due(now, batchMax);
    const ends = await Promise.allSettled(batch.map((reminder) => this.#send(reminder, now)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    if (batch.length === batchMax) return now;
    return (await store.next()) ?? Number.POSITIVE_INFINITY;
  }

  /** Calls `append` before its first await: the batch is appended in the order of its times. */
  async #send(reminder: Reminder, now: number): Promise<void> {
    if (this.#mode !== 'firing') return;
    const { store, append } = this.#options;
    const { latest, next } = scheduleAt(reminder, now);
    const { messageId, dedupe } = reminderMessage(reminder, latest);
    await append({ ...reminder, dueAt: latest }, messageId, dedupe);
    this.#sent++;
    await store.advance(reminder, next);
  }
}
