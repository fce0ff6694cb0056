/**
 * P1, P2 and P3 under SIGKILL: the whole process tree, Postgres included, is killed at random moments under load, again and
 * again, also while it starts. Afterwards every acknowledged message has exactly one row, and per key in order.
 *
 * CHAOS_KILLS (default 4: some of them while it starts) and SEED repeat a run; `npm run test:chaos` kills 200 times.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { freePort } from '../../storage/test-free-port.js';
import { createRandom } from '../send/random.js';
import { checkLanes } from './lane-check.js';
import { LaneLoad } from './lane-load.js';
import { lagOf } from './node-metrics-text.js';
import { startNodeProcess } from './node-process.js';

const KILLS = Number(process.env.CHAOS_KILLS ?? 4);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
const LANES = 24;
/** A kill comes up to this long after the node serves. */
const SERVING_MS_MAX = 800;
/** Or up to this long after its start, whether it serves by then or not. */
const STARTING_MS_MAX = 1_500;
/** That is one kill of so many, the first of all as often as any other: so a run of few has its share too. */
const STARTING_EVERY = 5;

t.setTimeout(120_000 + KILLS * 10_000);

t.test(`${KILLS} kills of the whole process tree`, async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = createRandom(SEED);
  const fraction = () => random.next() / 2 ** 32;
  const dataDir = mkdtempSync(join(tmpdir(), 'tether-chaos-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const port = await freePort();
  const start = () => startNodeProcess({ port, dataDir });

  const load = new LaneLoad({ urls: [`http://127.0.0.1:${port}`], lanes: LANES, random: fraction });
  const startingAt = Math.floor(fraction() * STARTING_EVERY);
  let inServing = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const node = start();
    if (kill % STARTING_EVERY === startingAt) {
      await passed(fraction() * STARTING_MS_MAX);
    } else {
      await node.ready;
      const before = load.acknowledged.total;
      await passed(fraction() * SERVING_MS_MAX);
      if (load.acknowledged.total > before) inServing++;
    }
    await node.killTree((pids) => shuffle(pids, fraction));
  }
  const last = start();
  await last.ready;
  const before = load.acknowledged.total;
  await until(
    'messages are acknowledged after the last kill',
    () => load.acknowledged.total > before + LANES,
  );
  await load.stop();

  const url = await embeddedPostgresUrl(join(dataDir, 'postgres'));
  if (url === undefined) throw new Error('the node serves without its Postgres');
  const pool = new Pool({ connectionString: url, max: 1 });
  pool.on('error', t.threw);
  const { total } = load.acknowledged;
  t.comment(`${total} messages acknowledged, load in ${inServing} of ${KILLS} lives`);
  t.ok(total > KILLS * 10, 'the load was worth the name');
  await until('everything acknowledged is processed', async () => (await lagOf(last.url)) === 0, 60_000);

  await checkLanes(t, pool, load.acknowledged);
  await pool.end();
  t.equal(await last.stop('SIGINT'), 0, 'and it still ends in an orderly way');
});

/** The random moment of a kill: what is waited for is the time itself. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function shuffle(pids: number[], fraction: () => number): number[] {
  return pids
    .map((pid) => ({ pid, at: fraction() }))
    .sort((a, b) => a.at - b.at)
    .map(({ pid }) => pid);
}
