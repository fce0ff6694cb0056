/**
 * P1 to P4 of webhooks under SIGKILL: the whole process tree of a node, Postgres included, is killed at random moments while Stripe and EMP send.
 * Afterwards every acknowledged webhook has one event, one effect at the actor of its route and arrived at its target, each in the order of
 * its key; and EMP is as unharmed as when it is alone. `SEED` repeats a run.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import t from 'tap';
import { SECRET as FORWARD_SECRET, openReceiver } from '../../actors/forward/test/receiver.js';
import { until } from '../../runtime/testing/until.js';
import { embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import { createRandom } from '../send/random.js';
import { checkLanes } from './lane-check.js';
import { LaneLoad } from './lane-load.js';
import { lagOf } from './node-metrics-text.js';
import { isAlive, startNodeProcess } from './node-process.js';
import { EFFECTS_MODULE, entryOf, post, stripeEvent } from './webhook-senders.js';

t.setTimeout(120_000);

const KILLS = 2;
const CUSTOMERS = 4;
const EMP_LANES = 4;
const SERVING_MS_MAX = 800;
const PAUSE_MS = 50;
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

t.test(`${KILLS} kills of the whole process tree under webhooks`, async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = createRandom(SEED);
  const fraction = () => random.next() / 2 ** 32;
  const receiver = await openReceiver(t);
  const modules = t.testdir({ 'effects.js': EFFECTS_MODULE });
  const dataDir = mkdtempSync(join(tmpdir(), 'tether-webhooks-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  await copyTestData(postgresDir(dataDir));
  const file = join(dataDir, 'endpoints.yaml');
  const target = {
    url: receiver.url,
    allowPrivate: ['127.0.0.0/8'],
    retry: { delaySeconds: 1, delaySecondsMax: 1 },
  };
  writeFileSync(
    file,
    JSON.stringify({
      endpoints: [
        entryOf('stripe', { routes: [{ to: ['effects', 'forward:erp'] }] }),
        { name: 'emp', provider: 'emp', token: 'dev', secrets: ['test-api-password-1'] },
      ],
      targets: [{ name: 'erp', secrets: [FORWARD_SECRET], ...target }],
    }),
  );
  const port = await freePort();
  const start = () => {
    const env = { TETHER_ENDPOINTS: file, TETHER_ACTORS: join(modules, 'effects.js'), TETHER_THREADS: '1' };
    const node = startNodeProcess({ port, dataDir, env });
    t.teardown(async () => {
      if (isAlive(node.pid)) await node.killTree((pids) => pids);
    });
    return node;
  };

  const url = `http://127.0.0.1:${port}`;
  const acknowledged = new Map<string, string[]>();
  let total = 0;
  let isDone = false;
  /** One at a time, again and again until it is acknowledged: the order of acknowledgement is that of the numbers. */
  const customer = async (name: string) => {
    const kept: string[] = [];
    acknowledged.set(name, kept);
    for (let n = 0; !isDone; n++) {
      const id = `evt_${name}_${String(n).padStart(5, '0')}`;
      while (!isDone) {
        const status = await post(url, stripeEvent(id, name)).then(
          (answer) => answer.status,
          () => 0,
        );
        if (status === 200) {
          kept.push(id);
          total++;
          break;
        }
        if (status !== 0 && status !== 503) throw new Error(`an unexpected answer: ${status}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  };
  const emp = new LaneLoad({ urls: [url], lanes: EMP_LANES, random: fraction, ratePerSecond: 200 });
  const customers = Promise.all(Array.from({ length: CUSTOMERS }, (_, n) => customer(`cus_${n}`)));
  customers.catch(() => undefined);

  for (let kill = 0; kill < KILLS; kill++) {
    const node = start();
    await node.ready;
    const before = total;
    await until('some are acknowledged', () => total > before + CUSTOMERS, 30_000);
    await passed(fraction() * SERVING_MS_MAX);
    await node.killTree((pids) => pids.toSorted(() => fraction() - 0.5));
  }
  const last = start();
  await last.ready;
  const before = total;
  await until('they are acknowledged after the last kill', () => total > before + CUSTOMERS, 30_000);
  isDone = true;
  await Promise.all([customers, emp.stop()]);
  t.comment(`${total} webhooks and ${emp.acknowledged.total} notifications acknowledged`);

  const pool = new Pool({
    connectionString: (await embeddedPostgresUrl(postgresDir(dataDir))) ?? '',
    max: 1,
  });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const rowsOf = async (sql: string) => (await pool.query<{ id: string; key: string }>(sql)).rows;
  await until('all of it is handled', async () => (await lagOf(last.url)) === 0, 30_000);
  await until(
    'none waits for the target',
    async () => (await rowsOf('SELECT key FROM forwards')).length === 0,
    20_000,
  );

  const events = await rowsOf(`SELECT dedupe AS id, key FROM events WHERE endpoint = 'stripe' ORDER BY seq`);
  const effects = await rowsOf(`SELECT replace(dedupe, 'stripe:', '') AS id, key FROM effects ORDER BY seq`);
  const arrived = receiver.taken.map(({ body, id: sign }) => ({ id: String(JSON.parse(body).id), sign }));
  for (const [name, kept] of acknowledged) {
    const ids = events.filter(({ key }) => key === name).map(({ id }) => id);
    t.strictSame(ids, [...new Set(ids)].sort(), `${name}: each has one event, in order`);
    t.strictSame(
      kept.filter((id) => !ids.includes(id)),
      [],
      'nothing acknowledged is lost',
    );
    t.strictSame(
      effects.filter(({ key }) => key === `stripe:${name}`).map(({ id }) => id),
      ids,
      'each has one effect, in order',
    );
    const own = arrived.filter(({ id }) => id.startsWith(`evt_${name}_`));
    t.strictSame([...new Set(own.map(({ id }) => id))], ids, 'each arrived, in order');
    t.equal(new Set(own.map(({ sign }) => sign)).size, ids.length, 'a repeat has the id of the first');
  }
  await checkLanes(t, pool, emp.acknowledged);
  t.strictSame(await rowsOf('SELECT id, key FROM dead_letters'), []);
  t.equal(await last.stop('SIGINT'), 0);
});

/** The random moment of a kill: what is waited for is the time itself. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
