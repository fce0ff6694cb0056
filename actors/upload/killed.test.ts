/** The process is killed at random moments, again and again: each row has its outcome once. `TEST_SEED` repeats the moments, about. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { until } from '../../runtime/testing/until.js';
import { madeFile, openBench } from './test/bench.js';
import type { KilledTask } from './test/killed-process.js';

t.setTimeout(120_000);

const KILLS = Number(process.env.UPLOAD_KILLS ?? 4);
const ROWS = 2_000;
const seed = testSeed(t);

t.test('no row is lost or doubled', async (t) => {
  const bench = await openBench(t);
  const directory = t.testdir();
  // Two of one owner share a third of their IBANs.
  const numbers = (from: number) =>
    Array.from({ length: ROWS }, (_, n) => (n % 10 === 0 ? -1 : n % 13 === 0 ? from : from + n));
  const ids = await Promise.all([
    bench.store('acme', madeFile(numbers(0), 1_000)),
    bench.store('acme', madeFile(numbers(1_400), 1_000)),
    bench.store('other', madeFile(numbers(0), 1_000)),
  ]);
  const cancelled = await bench.store('other', madeFile(numbers(50_000), 1_000));
  const all = [...ids, cancelled];
  const progress = async () => {
    const [row] = await bench.database.rows<{ total: number; open: number }>(
      `SELECT sum(total)::int AS total, count(*) FILTER (WHERE state NOT IN ('completed', 'cancelled'))::int AS open FROM uploads`,
    );
    return row ?? { total: 0, open: 0 };
  };

  for (let life = 0; ; life++) {
    const child = fork(fileURLToPath(new URL('./test/killed-process.js', import.meta.url)));
    const exited = once(child, 'exit');
    t.teardown(() => void child.kill('SIGKILL'));
    const task: KilledTask = {
      directory,
      databaseUrl: bench.database.url,
      objects: bench.objectsDirectory,
      ids: life === 0 ? all : [],
    };
    child.send(task);
    await once(child, 'message');
    if (life < KILLS) {
      const from = (await progress()).total;
      const enough = ((seed % 1_000) * 7 + life * 389) % ((4 * ROWS) / KILLS);
      await until(
        'it works',
        async () => {
          const { total, open } = await progress();
          return total >= from + enough || open === 0 || child.exitCode !== null;
        },
        30_000,
      );
      if (life === 1) {
        await bench.pool.query(
          `UPDATE uploads SET state = 'cancelling' WHERE id = $1 AND state = 'processing'`,
          [cancelled],
        );
      }
    } else await until('all is done', async () => (await progress()).open === 0, 60_000);
    t.equal(child.exitCode, null, 'it lives until it is killed');
    child.kill('SIGKILL');
    await exited;
    if (life === KILLS) break;
  }

  for (const id of ids) {
    const outcomes = await bench.outcomes(id);
    t.ok(outcomes.length === ROWS && outcomes.every(([line], n) => line === n + 2), 'each line once');
    const count = (word: string) => outcomes.filter(([, outcome]) => outcome.startsWith(word)).length;
    t.match(await bench.look(id), {
      state: 'completed',
      total: ROWS,
      accepted: count('accepted'),
      invalid: count('iban-malformed'),
      skipped: count('duplicate'),
    });
    t.equal(count('iban-malformed'), ROWS / 10);
  }
  const [doubled] = await bench.database.rows<{ n: number }>(
    'SELECT count(*)::int AS n FROM (SELECT FROM debtors GROUP BY owner, iban HAVING count(*) > 1) d',
  );
  t.equal(doubled?.n, 0, 'an IBAN waits once for an owner');
  const look = await bench.look(cancelled);
  if (look?.state === 'cancelled') t.strictSame(await bench.outcomes(cancelled), [], 'taken back');
  else t.match(look, { state: 'completed', total: ROWS });
});
