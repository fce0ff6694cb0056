/**
 * Random schedules, cancellations, outages and crashes against the service of reminders on a store of them: each due schedule
 * leads to exactly one message id, none is sent early, and none is sent that was cancelled.
 */
import fc from 'fast-check';
import { ManualClock } from '../clock.js';
import { OutageError } from '../errors.js';
import type { Reminder, ReminderStore } from '../stores/reminder.js';
import { reminderMessage } from '../stores/reminder-id.js';
import { ReminderService } from '../stores/reminder-service.js';

class Away extends OutageError {
  readonly code = 'AWAY';
}

/** What a call of the service does: `lost` is done, but says that it is not; `crash` ends the process after it, `dead` before. */
type Fault = 'away' | 'lost' | 'crash' | 'dead';

export type ReminderCommand =
  | { readonly do: 'schedule'; readonly name: number; readonly inMs: number; readonly everyMs: number }
  | { readonly do: 'cancel'; readonly name: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'waitForNext' }
  | { readonly do: 'restart'; readonly downMs: number }
  | { readonly do: 'fault'; readonly after: number; readonly fault: Fault };

export const reminderCommand: fc.Arbitrary<ReminderCommand> = fc.oneof(
  fc.record({
    do: fc.constant('schedule' as const),
    name: fc.nat(4),
    inMs: fc.integer({ min: -3_000, max: 20_000 }),
    everyMs: fc.constantFrom(0, 0, 1_000, 1_700, 9_000),
  }),
  fc.record({ do: fc.constant('cancel' as const), name: fc.nat(4) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(10_000) }),
  fc.constant({ do: 'waitForNext' as const }),
  fc.constant({ do: 'waitForNext' as const }),
  fc.record({ do: fc.constant('restart' as const), downMs: fc.nat(30_000) }),
  fc.record({
    do: fc.constant('fault' as const),
    after: fc.nat(6),
    fault: fc.constantFrom<Fault>('away', 'lost', 'crash', 'dead'),
  }),
);

/** Of the real clock, for a busy disk. */
const SETTLE_MS_MAX = 10_000;

export class ReminderWorld {
  readonly clock = new ManualClock(1_000_000);
  readonly #open: () => Promise<ReminderStore>;
  #store: ReminderStore;
  /** What is scheduled, by name, and which of its schedules were sent since. */
  readonly #model = new Map<string, { readonly reminder: Reminder; readonly sent: Set<number> }>();
  readonly #scheduleOfId = new Map<string, string>();
  #life = 0;
  #crashed = false;
  #broken: unknown;
  faulty = false;
  #countdown = 0;
  #fault: Fault | undefined;
  service: ReminderService;

  private constructor(open: () => Promise<ReminderStore>, store: ReminderStore) {
    this.#open = open;
    this.#store = store;
    this.service = this.#start();
  }

  /** `open` opens the store, again and again on the same data, empty the first time. */
  static async begin(open: () => Promise<ReminderStore>): Promise<ReminderWorld> {
    return new ReminderWorld(open, await open());
  }

  async end(): Promise<void> {
    await this.service.stop();
    await this.#store.close();
  }

  async #startAgain(): Promise<void> {
    await this.#store.close();
    this.#store = await this.#open();
    this.service = this.#start();
  }

  /** A process: after its end nothing of it does anything, and what it waits for never comes. */
  #start(): ReminderService {
    const life = ++this.#life;
    const lives = () => life === this.#life;
    const never = new Promise<never>(() => {});
    const call = async <T>(action: () => Promise<T>): Promise<T> => {
      if (!lives()) return never;
      const fault = this.#countdown-- === 0 ? this.#fault : undefined;
      if (fault === 'away') throw new Away('away');
      if (fault !== 'dead') {
        const result = await action();
        if (fault === 'lost') throw new Away('lost');
        if (fault === undefined) return lives() ? result : never;
      }
      this.#life++;
      this.#crashed = true;
      return never;
    };
    const store = this.#store;
    const wrapped: ReminderStore = {
      put: (reminder) => store.put(reminder),
      delete: (actor, key, name) => store.delete(actor, key, name),
      list: (actor, key) => store.list(actor, key),
      close: () => store.close(),
      due: (atMs, limit) => call(() => store.due(atMs, limit)),
      next: () => call(() => store.next()),
      advance: (reminder, next) => call(() => store.advance(reminder, next)),
    };
    const service = new ReminderService({
      store: wrapped,
      append: (reminder, messageId, dedupe) => call(async () => this.#appended(reminder, messageId, dedupe)),
      clock: {
        now: () => this.clock.now(),
        after: (ms, action) => this.clock.after(ms, () => lives() && action()),
      },
      batchMax: 2,
      random: () => 0.5,
    });
    service.start();
    return service;
  }

  #appended(reminder: Reminder, messageId: string, dedupe: string): void {
    try {
      this.#judge(reminder, messageId, dedupe);
    } catch (error) {
      // Thrown here it would be one more failed append, which the service tries again.
      this.#broken ??= error;
    }
  }

  #judge(reminder: Reminder, messageId: string, dedupe: string): void {
    const { name, dueAt } = reminder;
    const place = `${name}@${dueAt}`;
    if (dueAt > this.clock.now()) throw new Error(`${place} is early: it is ${this.clock.now()}`);
    const scheduled = this.#model.get(name);
    if (scheduled === undefined) throw new Error(`${place} was cancelled, or sent and let go of`);
    const since = dueAt - scheduled.reminder.dueAt;
    const onGrid = since === 0 || (since > 0 && since % (scheduled.reminder.everyMs ?? Infinity) === 0);
    if (!onGrid) throw new Error(`${place} is not on the grid of ${scheduled.reminder.dueAt}`);
    if (reminderMessage(reminder, dueAt).messageId !== messageId || !dedupe.endsWith(messageId)) {
      throw new Error(`${place} has another id`);
    }
    if ((this.#scheduleOfId.get(messageId) ?? place) !== place) throw new Error(`${place}: its id is taken`);
    this.#scheduleOfId.set(messageId, place);
    if (scheduled.sent.has(dueAt) && !this.faulty) throw new Error(`${place} twice, and nothing had failed`);
    scheduled.sent.add(dueAt);
  }

  async run(command: ReminderCommand): Promise<void> {
    const { clock } = this;
    if (command.do === 'schedule') {
      const { inMs, everyMs } = command;
      const name = `n${command.name}`;
      const dueAt = clock.now() + inMs;
      const reminder = {
        ...{ actor: 'a', key: 'k', name, dueAt, body: Buffer.from(name) },
        everyMs: everyMs === 0 ? undefined : everyMs,
      };
      this.#model.set(name, { reminder, sent: new Set() });
      await this.service.schedule(reminder);
    } else if (command.do === 'cancel') {
      const name = `n${command.name}`;
      const there = await this.service.cancel('a', 'k', name);
      if (there !== this.#model.delete(name)) throw new Error(`${name}: cancel said ${there}`);
    } else if (command.do === 'wait') {
      clock.advance(command.ms);
    } else if (command.do === 'waitForNext') {
      clock.advance(Math.max(0, ((await this.#store.next()) ?? 0) - clock.now()));
    } else if (command.do === 'fault') {
      this.faulty = true;
      this.#countdown = command.after;
      this.#fault = command.fault;
    } else {
      await this.service.stop();
      clock.advance(command.downMs);
      await this.#startAgain();
    }
    await this.#settle();
    if (this.#broken !== undefined) throw this.#broken;
    await this.#check();
  }

  /** Until the service, or the one after its crash, waits for what is not yet due. */
  async #settle(): Promise<void> {
    for (const endMs = Date.now() + SETTLE_MS_MAX; Date.now() < endMs; ) {
      await new Promise(setImmediate);
      if (this.#crashed) {
        this.#crashed = false;
        this.clock.advance(2_500);
        await this.#startAgain();
      } else if (this.service.mode === 'retrying') this.clock.advance(500);
      else if (this.service.mode === 'waiting') return;
    }
    throw new Error(`does not settle: ${this.service.mode}`);
  }

  async #check(): Promise<void> {
    const now = this.clock.now();
    for (const [name, { reminder, sent }] of this.#model) {
      if (reminder.dueAt > now) continue;
      const every = reminder.everyMs;
      const periods = every === undefined ? 0 : Math.floor((now - reminder.dueAt) / every);
      const latest = reminder.dueAt + periods * (every ?? 0);
      if (!sent.has(latest)) throw new Error(`${name}@${latest} was not sent by ${now}`);
      if (every === undefined) this.#model.delete(name);
    }
    const stored = await this.#store.list('a', 'k');
    const names = stored.map(({ name }) => name);
    if (String(names) !== String([...this.#model.keys()].sort())) throw new Error(`stored are ${names}`);
    for (const { name, dueAt } of stored) if (dueAt <= now) throw new Error(`${name}@${dueAt} still waits`);
  }
}
