/** The process is killed again and again in the middle of a replay: it goes on, each key in order, each event with one effect. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { LogFullError } from '../../runtime/errors.js';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { until } from '../../runtime/testing/until.js';
import { createReminderStore } from '../../storage/postgres/reminders.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { EventReplays } from './replays.js';
import type { KilledTask } from './test/killed-process.js';
import { writeEvents } from './test/system.js';
import { SEEN } from './test/witness.js';

t.setTimeout(60_000);

const COUNT = 10_000;
const KEYS = 200;
/** Events told at which the process is killed. */
const KILLS = [1, 5_000];

t.test('single effects, forced ones once more, in order', async (t) => {
  const { pool, url } = await startTestPostgres(t);
  await pool.query(SEEN);
  await writeEvents(pool, { count: COUNT, keys: KEYS, from: 1_700_000_000_000 });
  const ids = new MessageIdSource();
  const replays = new EventReplays({
    pool,
    reminders: createReminderStore(pool),
    // Whoever makes it cannot say go: it begins all the same.
    tell: () => Promise.reject(new LogFullError('it is full')),
    newId: () => ids.next(Date.now()),
    now: Date.now,
    logger: silentLogger,
  });
  const selection = { filter: { endpoint: 'shop' } };
  const directory = t.testdir();
  for (const forced of [false, true]) {
    const { id } = await replays.create({ selection, target: undefined, forced, rate: 6_000, by: 'anna' });
    const told = async () => (await replays.get(id))?.told ?? 0;
    for (const enough of [...KILLS, COUNT]) {
      const child = fork(fileURLToPath(new URL('./test/killed-process.js', import.meta.url)));
      const exited = once(child, 'exit');
      t.teardown(() => void child.kill('SIGKILL'));
      child.send({ directory, databaseUrl: url } satisfies KilledTask);
      await once(child, 'message');
      await until('it works', async () => (await told()) >= enough, 20_000);
      if (enough === COUNT) {
        const effects = forced ? 2 * COUNT : COUNT;
        await until(
          'all have come',
          async () => (await pool.query('SELECT 1 FROM seen')).rowCount === effects,
          20_000,
        );
        await until('it is done', async () => (await replays.get(id))?.state === 'done', 20_000);
      }
      child.kill('SIGKILL');
      await exited;
    }
  }
  const { rows } = await pool.query<{ forced: boolean; effects: number; wrong: number }>(
    `SELECT forced, count(*)::int AS effects, (count(*) FILTER (WHERE is_wrong))::int AS wrong FROM (
       SELECT forced, id < lag(id) OVER (PARTITION BY key, forced ORDER BY seq) AS is_wrong FROM seen) o
     GROUP BY forced ORDER BY forced`,
  );
  t.strictSame(rows, [
    { forced: false, effects: COUNT, wrong: 0 },
    { forced: true, effects: COUNT, wrong: 0 },
  ]);
  t.strictSame((await pool.query('SELECT 1 FROM dead_letters')).rows, []);
});
