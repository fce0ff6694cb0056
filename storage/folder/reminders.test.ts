import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { ReminderWorld, reminderCommand } from '../../runtime/testing/reminder-world.js';
import { realFileSystem } from '../journal/file-system.js';
import { FaultyFileSystem, temporaryDirectory } from '../journal/testing.js';
import { reminder, testReminderStore } from '../reminder-contract.js';
import { openFolder } from './open.js';
import { FolderReminders } from './reminders.js';

const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** On one directory, as often as it is called. */
function opener(t: Pick<Test, 'teardown'>): () => Promise<FolderReminders> {
  const directory = join(temporaryDirectory(t), 'reminders');
  return async () => {
    const store = new FolderReminders(realFileSystem, directory);
    await store.prepare();
    return store;
  };
}

testReminderStore(t, opener(t));

t.test('what was opened by way of the folder', async (t) => {
  const directory = temporaryDirectory(t);
  const folder = await openFolder({ directory });
  await folder.reminders.put(reminder());
  await folder.close();
  await t.rejects(folder.reminders.put(reminder()), { code: 'TETHER_FOLDER_CLOSED' });
  await t.rejects(folder.reminders.due(1, 1), { code: 'TETHER_FOLDER_CLOSED' });
  await t.rejects(folder.reminders.next(), { code: 'TETHER_FOLDER_CLOSED' });
  const again = await openFolder({ directory });
  t.teardown(() => again.close());
  t.strictSame(await again.reminders.list('a', 'k'), [reminder()]);
});

t.test('an outage in the middle of a change leaves memory and disk agreed', async (t) => {
  const faulty = new FaultyFileSystem();
  const directory = join(temporaryDirectory(t), 'reminders');
  const store = new FolderReminders(faulty.fs, directory);
  await store.prepare();
  const [one, two] = [reminder({ name: 'one', dueAt: 1 }), reminder({ name: 'two', dueAt: 2 })];
  await store.put(one);
  const unavailable = { code: 'TETHER_FOLDER_UNAVAILABLE', outage: true };
  for (const [call, there] of [
    ['fsync', false],
    ['rename', false],
    ['syncDirectory', true],
  ] as const) {
    faulty.faults.set(call, 'EIO');
    await t.rejects(store.put(two), unavailable, call);
    faulty.faults.clear();
    t.strictSame(await store.due(9, 9), there ? [one, two] : [one], call);
    t.equal(readdirSync(directory).length, there ? 2 : 1);
  }
  faulty.faults.set('syncDirectory', 'EIO');
  await t.rejects(store.advance(one, 5), unavailable);
  await t.rejects(store.advance({ ...one, dueAt: 5 }, undefined), unavailable);
  faulty.faults.clear();
  t.strictSame(await store.due(9, 9), [two]);
  t.equal(await store.delete('a', 'k', 'one'), false, 'removed, and synced now');
});

t.test('with the service: random schedules, outages and crashes', async (t) => {
  t.comment(`TEST_SEED=${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.array(reminderCommand, { maxLength: 40, size: 'max' }), async (commands) => {
      const world = await ReminderWorld.begin(opener(t));
      for (const command of commands) await world.run(command);
      await world.end();
    }),
    { seed, numRuns: 15 },
  );
  t.pass('each due schedule led to one message id');
});
