/** The process is killed between any two steps: no payload is lost, none is changed, and what is left over goes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { empBody, jsonBody, openBench } from './test/bench.js';
import type { KilledTask, Step } from './test/killed-process.js';

t.setTimeout(60_000);

/** Transactions of a segment: it is chosen, its row is written, its events refer to it. The first UPDATE is of what others have left. */
const STEPS: readonly Step[] = [
  'after COMMIT 2',
  'before put 1',
  'after put 1',
  'before read 1',
  'after UPDATE 3',
  'before COMMIT 3',
  'after COMMIT 3',
  'before COMMIT 6',
];
const bench = await openBench(t);
const { pool, objects } = bench;

async function live(step: Step | undefined, keepDays = 0): Promise<NodeJS.Signals | null> {
  const child = fork(fileURLToPath(new URL('./test/killed-process.js', import.meta.url)));
  t.teardown(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const task: KilledTask = { databaseUrl: bench.url, directory: bench.directory, step, keepDays };
  child.send(task);
  const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
  return signal;
}

t.test('at each step of the writing', async (t) => {
  const bodies = Array.from({ length: 120 }, (_, n) => (n % 2 === 0 ? empBody(n) : jsonBody(n)));
  const ids = await bench.insert(bodies);
  const wrong = async () => {
    const found: number[] = [];
    for (const [at, id] of ids.entries()) if (!bodies[at]?.equals(await bench.payloadOf(id))) found.push(at);
    return found;
  };
  for (const step of STEPS) {
    t.equal(await live(step), 'SIGKILL', step);
    t.strictSame(await wrong(), [], `${step}: each payload is where its event says`);
    const [row] = await bench.rows<{ n: number }>(
      'SELECT count(*)::int AS n FROM events WHERE (payload IS NULL) = (segment IS NULL)',
    );
    t.equal(row?.n, 0, 'and in one place');
    // All of it again for the next step, but for what is left over.
    if (step.endsWith('6')) break;
    await restore(ids, bodies);
  }
  t.equal(await live(undefined), null);
  t.strictSame(await wrong(), []);
  await pool.query(
    `UPDATE archive_segments SET created_at = created_at - interval '1 hour' WHERE state = 'writing'`,
  );
  t.equal(await live(undefined), null);
  const written = await bench.rows<{ key: string }>(
    `SELECT object_key AS key FROM archive_segments WHERE state = 'written' ORDER BY 1`,
  );
  t.strictSame(
    await bench.stored(),
    written.map(({ key }) => key),
    'nothing is in the store but what is referred to',
  );
});

t.test('at each step of the removal', async (t) => {
  await pool.query('TRUNCATE events, archive_segments');
  for (const key of await bench.stored()) await objects.delete(key);
  const ids = await bench.insert([empBody(1)]);
  await pool.query(`UPDATE events SET processed_at = now() - interval '5 days'`);
  t.equal(await live(undefined), null);
  t.equal((await bench.stored()).length, 1);
  for (const step of ['after COMMIT 1', 'before delete 1', 'after delete 1'] as const) {
    t.equal(await live(step, 4), 'SIGKILL', step);
  }
  t.equal(await live(undefined, 4), null);
  t.strictSame(await bench.stored(), []);
  await t.rejects(bench.payloadOf(ids[0] ?? ''), { code: 'TETHER_PAYLOAD_GONE' });
  t.strictSame(await bench.rows(`SELECT state FROM archive_segments WHERE removed_at IS NULL`), []);
});

/** As if nothing of it had been archived yet; the segments that were written are given up. */
async function restore(ids: readonly string[], bodies: readonly Buffer[]): Promise<void> {
  await pool.query(
    `UPDATE events e SET segment = NULL, payload = decode(b.body, 'base64') FROM unnest($1::uuid[], $2::text[]) AS b (id, body) WHERE e.id = b.id`,
    [ids, bodies.map((body) => body.toString('base64'))],
  );
  await pool.query(`UPDATE archive_segments SET state = 'dropping' WHERE state = 'written'`);
}
