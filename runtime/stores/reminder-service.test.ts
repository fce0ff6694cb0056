import t from 'tap';
import { ManualClock } from '../clock.js';
import { OutageError } from '../errors.js';
import { MemoryReminders } from '../testing/memory-reminders.js';
import { until } from '../testing/until.js';
import { type Reminder, scheduleAt } from './reminder.js';
import { reminderMessage } from './reminder-id.js';
import { ReminderService, type ReminderServiceOptions } from './reminder-service.js';

class Away extends OutageError {
  readonly code = 'AWAY';
}

function reminder(change: Partial<Reminder> = {}): Reminder {
  return {
    actor: 'a',
    key: 'k',
    name: 'n',
    dueAt: 10_000,
    everyMs: undefined,
    body: Buffer.from('hi'),
    ...change,
  };
}

function setUp(change: Partial<ReminderServiceOptions> = {}) {
  const clock = new ManualClock(5_000);
  const store = new MemoryReminders();
  const sent: string[] = [];
  const options: ReminderServiceOptions = {
    store,
    clock,
    random: () => 0,
    append: async ({ name, dueAt }) => {
      sent.push(`${name}@${dueAt}`);
    },
    ...change,
  };
  const service = new ReminderService(options);
  const waits = () => until('it waits', () => service.mode === 'waiting');
  return { clock, store, sent, options, service, waits };
}

t.test('sent when it is due, not before, and once', async (t) => {
  const { clock, store, sent, service, waits } = setUp();
  service.start();
  await waits();
  await service.schedule(reminder());
  t.strictSame(await service.list('a', 'k'), [reminder()]);
  clock.advance(4_999);
  t.strictSame([service.mode, sent], ['waiting', []]);
  clock.advance(1);
  await waits();
  t.strictSame(sent, ['n@10000']);
  t.equal(await store.next(), undefined);
  clock.advance(1_000_000);
  await waits();
  t.strictSame(sent, ['n@10000']);
  t.equal(service.sent, 1);
});

t.test('the message is the one of its schedule', async (t) => {
  const appended: unknown[] = [];
  const { clock, service, waits } = setUp({ append: async (...all) => void appended.push(all) });
  await service.schedule(reminder({ everyMs: 2_000 }));
  clock.advance(5_500);
  service.start();
  await waits();
  const { messageId, dedupe } = reminderMessage(reminder(), 10_000);
  t.strictSame(appended, [[reminder({ everyMs: 2_000 }), messageId, dedupe]]);
});

t.test('an earlier one, and one that is due at once, wake it', async (t) => {
  const { clock, sent, service, waits } = setUp();
  service.start();
  await service.schedule(reminder({ name: 'late', dueAt: 20_000 }));
  await service.schedule(reminder({ name: 'now', dueAt: 1 }));
  await until('it was sent', () => sent.length === 1);
  await waits();
  await service.schedule(reminder({ name: 'early', dueAt: 6_000 }));
  clock.advance(1_000);
  await until('it was sent', () => sent.length === 2);
  await waits();
  t.strictSame(sent, ['now@1', 'early@6000']);
});

t.test('one that comes after the turn under way has asked for the next is not overlooked', async (t) => {
  const store = new MemoryReminders();
  const next = store.next.bind(store);
  store.next = async () => {
    const found = await next();
    store.next = next;
    await service.schedule(reminder({ dueAt: 6_000 }));
    return found;
  };
  const { clock, sent, service, waits } = setUp({ store });
  service.start();
  await waits();
  clock.advance(1_000);
  await waits();
  t.strictSame(sent, ['n@6000']);
});

t.test('a periodic one keeps to its grid; of those missed the latest is sent', async (t) => {
  const { clock, sent, service, waits } = setUp();
  await service.schedule(reminder({ everyMs: 1_500 }));
  clock.advance(5_000 + 4 * 1_500 + 700);
  service.start();
  await waits();
  t.strictSame(sent, ['n@16000']);
  for (let i = 0; i < 3; i++) {
    clock.advance(1_500);
    await waits();
  }
  t.strictSame(sent, ['n@16000', 'n@17500', 'n@19000', 'n@20500']);
});

t.test('which schedule is the latest', async (t) => {
  t.strictSame(scheduleAt({ dueAt: 10, everyMs: undefined }, 99), { latest: 10, next: undefined });
  t.strictSame(scheduleAt({ dueAt: 10, everyMs: 1_000 }, 1_009), { latest: 10, next: 1_010 });
  t.strictSame(scheduleAt({ dueAt: 10, everyMs: 1_000 }, 1_010), { latest: 1_010, next: 2_010 });
  t.strictSame(scheduleAt({ dueAt: 10, everyMs: 1_000 }, 0), { latest: 10, next: 1_010 });
  const last = 2 ** 48 - 1;
  t.strictSame(scheduleAt({ dueAt: last, everyMs: 1_000 }, last), { latest: last, next: undefined });
});

t.test('a time that is weeks away does not overflow a timer', async (t) => {
  const delays: number[] = [];
  const clock = new ManualClock(5_000);
  const { sent, service } = setUp({
    clock: {
      now: () => clock.now(),
      after: (ms, action) => {
        delays.push(ms);
        return clock.after(ms, action);
      },
    },
  });
  const days = 60 * 24 * 3_600_000;
  await service.schedule(reminder({ dueAt: days }));
  service.start();
  await until('it waits', () => service.mode === 'waiting');
  clock.advance(1_000_000);
  await until('it waits', () => service.mode === 'waiting');
  t.strictSame(sent, []);
  t.ok(Math.max(...delays) <= 60_000);
  clock.advance(days);
  await until('it was sent', () => sent.length === 1);
});

t.test('a batch is bounded, and the next one comes in another turn', async (t) => {
  let underWay = 0;
  let most = 0;
  const { store, service, waits } = setUp({
    batchMax: 7,
    append: async () => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
    },
  });
  for (let i = 0; i < 30; i++) await service.schedule(reminder({ name: `n${i}`, dueAt: i }));
  service.start();
  await waits();
  t.strictSame([most, service.sent, await store.next()], [7, 30, undefined]);
});

t.test('an outage is waited out, and the others of the batch are not held up', async (t) => {
  let away = true;
  const sent: string[] = [];
  const { clock, store, service, waits } = setUp({
    append: async ({ name }) => {
      if (away && name === 'b') throw new Away('away');
      sent.push(name);
    },
  });
  for (const name of ['a', 'b', 'c']) await service.schedule(reminder({ name, dueAt: 1 }));
  service.start();
  for (const delayMs of [50, 100, 200, 400, 800, 1_600, 2_500, 2_500]) {
    await until('it waits to try again', () => service.mode === 'retrying');
    clock.advance(delayMs - 1);
    t.equal(service.mode, 'retrying', `${delayMs} ms`);
    clock.advance(1);
  }
  t.strictSame(sent, ['a', 'c']);
  await until('it waits to try again', () => service.mode === 'retrying');
  away = false;
  clock.advance(2_500);
  await waits();
  t.strictSame(sent, ['a', 'c', 'b']);
  t.equal(await store.next(), undefined);
});

t.test('a change while it is sent is kept', async (t) => {
  const { clock, store, service, waits } = setUp({
    append: async ({ name }) => {
      if (name === 'changed') await service.schedule(reminder({ name, dueAt: 30_000 }));
      if (name === 'cancelled') t.equal(await service.cancel('a', 'k', name), true);
      if (name === 'no longer periodic') await service.schedule(reminder({ name }));
    },
  });
  for (const name of ['changed', 'cancelled', 'no longer periodic']) {
    await service.schedule(reminder({ name, everyMs: 1_000 }));
  }
  clock.advance(5_000);
  service.start();
  await waits();
  t.strictSame(await store.list('a', 'k'), [reminder({ name: 'changed', dueAt: 30_000 })]);
  t.equal(service.sent, 4, 'the one that was replaced at the same time is sent again, under the same id');
  t.equal(await service.cancel('a', 'k', 'none'), false);
});

t.test('stop waits for what is under way, with a bound, and begins nothing more', async (t) => {
  let settle = (): void => {};
  const appended: string[] = [];
  const { clock, store, service, waits } = setUp({
    append: ({ name }) => {
      appended.push(name);
      return new Promise((resolve) => {
        settle = resolve;
      });
    },
    batchMax: 1,
    stopMsMax: 3_000,
  });
  service.start();
  await waits();
  await service.schedule(reminder({ name: 'first', dueAt: 1 }));
  await service.schedule(reminder({ name: 'second', dueAt: 2 }));
  await until('it is sent', () => appended.length === 1);
  const stopped = service.stop();
  t.equal(service.stop(), stopped);
  t.equal(service.mode, 'stopping');
  settle();
  await stopped;
  t.equal(service.mode, 'stopped');
  t.equal(clock.pending, 0, 'no alarm is left');
  t.strictSame(appended, ['first']);
  t.equal((await store.list('a', 'k')).length, 1, 'the one under way was finished');
  t.throws(() => service.start());
});

t.test('stop gives up on what does not end', async (t) => {
  const { clock, service } = setUp({ append: () => new Promise(() => {}), stopMsMax: 3_000 });
  await service.schedule(reminder({ dueAt: 1 }));
  service.start();
  const stopped = service.stop();
  clock.advance(3_000);
  await stopped;
  t.equal(service.mode, 'stopped');
  const unused = setUp();
  await unused.service.stop();
  t.equal(unused.service.mode, 'stopped');
});

t.test('what is out of its limits is refused', async (t) => {
  const { service, store } = setUp();
  const refused: Partial<Reminder>[] = [
    { everyMs: 999 },
    { everyMs: Number.NaN },
    { everyMs: 1_000.5 },
    { everyMs: Number.POSITIVE_INFINITY },
    { name: '' },
    { name: 'x'.repeat(201) },
    { dueAt: -1 },
    { dueAt: Number.NaN },
    { dueAt: 2 ** 48 },
    { body: Buffer.alloc(1024 * 1024 + 1) },
  ];
  for (const change of refused) {
    await t.rejects(service.schedule(reminder(change)), { code: 'TETHER_REMINDER_REFUSED' });
  }
  t.equal(await store.next(), undefined);
  await service.schedule(reminder({ everyMs: 1_000, name: 'x'.repeat(200), dueAt: 2 ** 48 - 1 }));
  t.throws(() => setUp({ batchMax: 0 }), RangeError);
});
