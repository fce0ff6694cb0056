import t from 'tap';
import { reminder, testReminderStore } from '../reminder-contract.js';
import { createReminderStore } from './reminders.js';
import { startTestPostgres } from './test-server.js';

const { pool, server } = await startTestPostgres(t);
const store = createReminderStore(pool);

testReminderStore(t, async () => createReminderStore(pool));

t.test('what is due is found by its index', async (t) => {
  const rows = `SELECT sha256(i::text::bytea), 'n', 'a', i::text, i, NULL, ''::bytea FROM generate_series(1, 20000) i`;
  await pool.query(`INSERT INTO reminders (owner, name, actor, key, due_at, every_ms, body) ${rows}`);
  await pool.query('ANALYZE reminders');
  for (const statement of [
    'SELECT * FROM reminders WHERE due_at <= 50 ORDER BY due_at, owner, name LIMIT 100',
    'SELECT min(due_at) FROM reminders',
  ]) {
    const { rows: plan } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`);
    t.match(plan.map((line) => line['QUERY PLAN']).join('\n'), /reminders_due/, statement);
  }
  await pool.query('TRUNCATE reminders');
});

t.test('without a server it is an outage', async (t) => {
  await store.put(reminder());
  await server.stop();
  const outage = { code: 'TETHER_POSTGRES_UNAVAILABLE', outage: true };
  await t.rejects(store.put(reminder()), outage);
  await t.rejects(store.due(0, 1), outage);
  await t.rejects(store.next(), outage);
  await t.rejects(store.advance(reminder(), undefined), outage);
  await t.rejects(store.list('a', 'k'), outage);
});
