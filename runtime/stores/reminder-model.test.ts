import fc from 'fast-check';
import t from 'tap';
import { MemoryReminders } from '../testing/memory-reminders.js';
import { ReminderWorld, reminderCommand } from '../testing/reminder-world.js';

const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

t.test('each due schedule leads to one message id, whatever fails', async (t) => {
  t.comment(`TEST_SEED=${seed}`);
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(reminderCommand, { maxLength: 60, size: 'max' }), async (commands) => {
      const store = new MemoryReminders();
      const world = await ReminderWorld.begin(async () => store);
      for (const command of commands) await world.run(command);
      sent += world.service.sent;
      await world.end();
    }),
    { seed, numRuns: 400 },
  );
  t.ok(sent > 500, `${sent} were sent by the last services`);
});
