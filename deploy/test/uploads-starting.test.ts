/** Uploads at a node that has just started: Postgres is there, and the actors have not begun. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../runtime/clock.js';
import { until } from '../../runtime/testing/until.js';
import { within } from '../../runtime/within.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { isAlive, startNodeProcess } from './node-process.js';

const API_TOKEN = 'token-of-a-test-0123456789';
const FILE = 'first_name,last_name,iban,amount\nEarly,Bird,DE02120300000000202051,1.00\n';

/** Half of what a file waits for a node that goes on. */
const TOLD_MS_MAX = 5_000;

t.setTimeout(120_000);

const { pool, url: databaseUrl } = await startTestPostgres(t);
const states = async () =>
  (await pool.query<{ state: string }>('SELECT state FROM uploads ORDER BY id')).rows.map(
    ({ state }) => state,
  );

/** A node that finds its schema locked, so that it goes no further, and a file that it has taken. */
async function startHeld(t: Test) {
  await pool.query('DELETE FROM uploads');
  const holder = await pool.connect();
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE tether_migrations IN ACCESS EXCLUSIVE MODE');
  let isHeld = true;
  const letGo = async () => {
    if (!isHeld) return;
    isHeld = false;
    await holder.query('ROLLBACK');
    holder.release(false);
  };
  t.teardown(letGo);
  const dataDir = mkdtempSync(join(tmpdir(), 'tether-starting-'));
  const env = { TETHER_API_TOKEN: API_TOKEN, TETHER_DATABASE_URL: databaseUrl };
  const node = startNodeProcess({ port: await freePort(), dataDir, env });
  t.teardown(async () => {
    if (isAlive(node.pid)) await node.killTree((pids) => pids);
    rmSync(dataDir, { recursive: true, force: true });
  });
  await node.ready;
  const answer = fetch(`${node.url}/uploads?filename=early.csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'text/csv' },
    body: FILE,
  });
  await until('the file is in the store', async () => (await states())[0] === 'stored', 30_000);
  t.match(await (await fetch(`${node.url}/readyz`)).json(), { checks: { actors: 'new' } });
  return { node, answer, letGo };
}

t.test('the file waits for the actors, and is taken', async (t) => {
  const { answer, letGo } = await startHeld(t);
  await letGo();
  t.equal((await answer).status, 201);
  await until('it is read', async () => (await states())[0] === 'completed', 30_000);
  t.equal((await states()).length, 1);
});

t.test('a node that is stopped before they begin does not keep it, and says so', async (t) => {
  const { node, answer, letGo } = await startHeld(t);
  const ends = node.stop('SIGTERM');
  t.match(await within(systemClock, TOLD_MS_MAX, answer), { status: 503 }, 'at once');
  t.strictSame(await states(), ['failed'], 'it may be sent again');
  await letGo();
  t.equal(await ends, 0);
});
