/**
 * P1, P2 and P3 under SIGKILL: the whole process tree, Postgres included, is killed at random moments under load, again and
 * again, also while it starts. Afterwards every acknowledged message has exactly one row, and per key in order.
 *
 * CHAOS_KILLS (default 15: three of them while it starts) and SEED repeat a run; `npm run test:chaos` kills 200 times.
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
import { LaneLoad } from './lane-load.js';
import { startNodeProcess } from './node-process.js';

const KILLS = Number(process.env.CHAOS_KILLS ?? 15);
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

  const load = new LaneLoad({ url: `http://127.0.0.1:${port}`, lanes: LANES, random: fraction });
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
  const { kyc, payments, total } = load.acknowledged;
  t.comment(`${total} messages acknowledged, load in ${inServing} of ${KILLS} lives`);
  t.ok(total > KILLS * 10, 'the load was worth the name');
  await until('everything acknowledged is processed', async () => (await lag(last.url)) === 0, 60_000);

  const lost: string[] = [];
  const { rows: events } = await pool.query<EventRow>(
    'select key, reported_status, payload, seq from events order by seq',
  );
  const numbers = new Map<string, number[]>();
  const statuses = new Map<string, string[]>();
  for (const { key, reported_status, payload } of events) {
    const number = new URLSearchParams(payload.toString()).get('number');
    if (number === null) statuses.set(key, [...(statuses.get(key) ?? []), reported_status ?? '']);
    else numbers.set(key, [...(numbers.get(key) ?? []), Number(number)]);
  }
  for (const [lane, acknowledged] of kyc) {
    const stored = numbers.get(lane) ?? [];
    for (const number of acknowledged) if (!stored.includes(number)) lost.push(`${lane}/${number}`);
    t.strictSame(
      stored,
      [...new Set(stored)].sort((a, b) => a - b),
      `${lane}: each once, in order`,
    );
  }
  for (const [id, acknowledged] of payments) {
    const stored = statuses.get(id) ?? [];
    for (const status of acknowledged) if (!stored.includes(status)) lost.push(`${id}/${status}`);
    if (new Set(stored).size < stored.length) t.fail(`payment ${id} has an event twice: ${stored}`);
    if (stored.join() === 'approved,pending_async') t.fail(`payment ${id} is out of order`);
  }
  t.strictSame(lost, [], 'nothing acknowledged is lost');
  const { rows: wrong } = await pool.query(
    `select p.id, p.status from payments p
     where p.status <> case when exists (select from events e where e.endpoint = p.endpoint and e.key = p.id
                                          and e.reported_status = 'approved') then 'approved' else 'pending_async' end`,
  );
  t.strictSame(wrong, [], 'every payment has the state that its events give');
  await pool.end();
  t.equal(await last.stop('SIGINT'), 0, 'and it still ends in an orderly way');
});

interface EventRow {
  readonly key: string;
  readonly reported_status: string | null;
  readonly payload: Buffer;
  readonly seq: string;
}

/** Messages on the log that are not done. */
async function lag(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^tether_log_lag_messages (\d+)$/m.exec(metrics)?.[1] ?? Number.NaN);
}

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
