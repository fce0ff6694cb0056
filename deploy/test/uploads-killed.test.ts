/**
 * Uploads under SIGKILL: the whole process tree is killed in every state of an upload, at a random moment of it, and started again on the same
 * data. What was acknowledged ends with exactly the rows of its file; what was not can be sent again; in the object store is nothing
 * that no row knows.
 *
 * UPLOAD_KILLS (default 4: half of the moments, from a random one on) and TEST_SEED repeat a run.
 */
import { Readable } from 'node:stream';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { until } from '../../runtime/testing/until.js';
import { createRandom } from '../send/random.js';
import { DebtorFile } from './debtor-file.js';
import { UploadClients } from './upload-clients.js';
import { keptBy, letTimePass } from './upload-leftovers.js';
import { idOf, UploadNode } from './upload-node.js';

interface Moment {
  /**
   * What an upload is at when the node is killed: `cancelling` after some of its rows were written, `refusing` while it comes in and was
   * cancelled by somebody else; `starting`: the node is.
   */
  readonly at: 'receiving' | 'stored' | 'processing' | 'cancelling' | 'refusing' | 'starting';
  readonly via: 'raw' | 'form' | 'tus';
  readonly rows: number;
  /** From then to the kill, at most. */
  readonly msMax: number;
}

const MOMENTS: readonly Moment[] = [
  { at: 'receiving', via: 'raw', rows: 40_000, msMax: 350 },
  { at: 'processing', via: 'raw', rows: 25_000, msMax: 750 },
  { at: 'receiving', via: 'tus', rows: 40_000, msMax: 700 },
  { at: 'cancelling', via: 'raw', rows: 30_000, msMax: 50 },
  { at: 'stored', via: 'form', rows: 10_000, msMax: 20 },
  { at: 'receiving', via: 'form', rows: 15_000, msMax: 150 },
  { at: 'refusing', via: 'raw', rows: 30_000, msMax: 400 },
  { at: 'starting', via: 'tus', rows: 10_000, msMax: 2_000 },
];
const KILLS = Number(process.env.UPLOAD_KILLS ?? MOMENTS.length / 2);
/** Files of different seeds share no account; there are so many seeds. */
const SEEDS_MAX = 100;
const FINAL = ['completed', 'failed', 'cancelled'];

t.setTimeout(180_000 + KILLS * 20_000);
// The second test mostly waits.
t.jobs = 2;

interface Sent {
  readonly file: DebtorFile;
  /** When the node has acknowledged it. */
  readonly id: Promise<string>;
  end: 'completed' | 'cancelled' | 'removed';
}

t.test(`${KILLS} kills`, { buffered: true }, async (t) => {
  const random = createRandom(testSeed(t));
  const fraction = () => random.next() / 2 ** 32;
  if (KILLS > SEEDS_MAX) throw new RangeError(`UPLOAD_KILLS is at most ${SEEDS_MAX}`);
  const node = await UploadNode.make(t);
  const clients = new UploadClients(node, fraction);
  const sent: Sent[] = [];
  const send = async ({ rows, via }: Moment, kill: number): Promise<Sent> => {
    const file = await DebtorFile.make(rows, kill);
    const id = via === 'tus' ? clients.resumable(file.bytes) : clients.post(file.bytes, `file-${kill}`, via);
    // Looked at in the end.
    id.catch(() => undefined);
    const upload: Sent = { file, id, end: 'completed' };
    sent.push(upload);
    return upload;
  };

  const first = Math.floor(fraction() * MOMENTS.length);
  clients.hold();
  for (let kill = 0; kill < KILLS; kill++) {
    const moment = MOMENTS[(first + kill) % MOMENTS.length];
    if (moment === undefined) throw new RangeError('there are moments');
    if (moment.at === 'starting') {
      node.spawn();
      clients.goOn();
      await send(moment, kill);
    } else {
      await node.start();
      await letTimePass(node, 'minutes');
      clients.goOn();
      await reach(moment, node, await send(moment, kill));
    }
    await passed(fraction() * moment.msMax);
    clients.hold();
    if (moment.at !== 'starting') t.comment(`killed at ${await statesOf(node)}`);
    await node.kill((pids) => shuffle(pids, fraction));
  }

  await node.start();
  await letTimePass(node, 'minutes');
  clients.goOn();
  const pool = await node.pool();
  for (const { file, id, end } of sent) {
    if (end === 'removed') {
      t.equal((await node.ask('GET', `/uploads/${await id}`)).status, 404);
      continue;
    }
    const upload = await node.untilState(await id, FINAL, 60_000);
    t.match(upload, { state: end, sha256: file.sha256 });
    if (end === 'cancelled') {
      t.strictSame(await rowsOf(node, upload.id), { debtors: 0, rejects: 0 }, 'its rows are taken back');
    } else {
      t.strictSame(upload.counts, file.counts);
      t.strictSame(await file.wrongRows(pool, upload.id), [], 'each row has become what it is, once');
    }
  }

  await letTimePass(node, 'all');
  const { rows: open } = await pool.query(`SELECT state FROM uploads WHERE state <> ALL ($1)`, [FINAL]);
  t.strictSame(open, [], 'every upload is over');
  const { rows: stored } = await pool.query<{ key: string; sha256: string }>(
    `SELECT object_key AS key, encode(sha256, 'hex') AS sha256 FROM uploads WHERE stored_at IS NOT NULL ORDER BY key`,
  );
  const removed = sent.filter(({ end }) => end === 'removed').length;
  t.equal(stored.length, KILLS - removed, 'no file is there twice, however often it was sent');
  const { objects, multiparts } = await keptBy(node);
  t.strictSame(
    [...objects],
    stored.map(({ key, sha256 }) => [key, sha256]),
    'the store has what rows know, whole',
  );
  t.strictSame(multiparts, []);
  t.equal(await node.process.stop('SIGINT'), 0, 'and it still ends in an orderly way');
});

/** Sees the upload to where it is to be killed. */
async function reach({ at, via }: Moment, node: UploadNode, upload: Sent): Promise<void> {
  const pool = await node.pool();
  const isThere = async (sql: string, values: readonly unknown[]) =>
    ((await pool.query(sql, values)).rowCount ?? 0) > 0;
  if (at === 'receiving' || at === 'refusing') {
    const sql = `SELECT id FROM uploads WHERE state = 'receiving' AND via = $1`;
    await until('bytes come in', () => isThere(sql, [via]), 25_000);
    const { rows } = at === 'refusing' ? await pool.query<{ id: string }>(sql, [via]) : { rows: [] };
    for (const { id } of rows) await node.ask('DELETE', `/uploads/${id}`);
    return;
  }
  const id = await upload.id;
  if (at === 'stored') return;
  const sql = 'SELECT FROM uploads WHERE id = $1 AND total > 0';
  await until('rows are written', () => isThere(sql, [id]), 30_000);
  if (at === 'processing') return;
  const { status } = await node.ask('DELETE', `/uploads/${id}`);
  // It may have been faster.
  upload.end = status === 204 ? 'removed' : 'cancelled';
}

t.test(
  'what never got on the log, and what came in when the node died, is seen to by the next life',
  {
    buffered: true,
  },
  async (t) => {
    const node = await UploadNode.make(t);
    await node.start();
    const pool = await node.pool();
    const files = [await DebtorFile.make(2_000, 0), await DebtorFile.make(2_000, 1)] as const;
    // Kept only: nothing of them is on the log.
    const keep = async ({ bytes }: DebtorFile) => idOf(await node.post(bytes, { query: '?process=false' }));
    const [unsent, cancelled] = [await keep(files[0]), await keep(files[1])];
    const large = await DebtorFile.make(90_000, 2);
    // Its end does not come in this life, however fast the node is.
    const body = Readable.from(
      (async function* () {
        yield large.bytes.subarray(0, -1_000);
        await new Promise<void>((resolve) => t.teardown(resolve));
      })(),
    );
    const headers = { 'content-type': 'text/csv', 'idempotency-key': 'cut' };
    const cut = node.post(body, { headers }).catch(() => undefined);
    const multiparts = async () => (await keptBy(node)).multiparts;
    await until('a part of the third is there', async () => (await multiparts()).length > 0, 20_000);
    await pool.query(
      `UPDATE uploads SET process = true, updated_at = now() - interval '40 seconds' WHERE id = ANY ($1)`,
      [[unsent, cancelled]],
    );
    await pool.query(`UPDATE uploads SET state = 'cancelling' WHERE id = $1`, [cancelled]);
    await node.kill((pids) => pids);
    t.equal(await cut, undefined);

    await node.start();
    // Not before: its receiver gave signs of life as long as it lived.
    const { rows } = await (await node.pool()).query<{ id: string }>(
      `UPDATE uploads SET updated_at = now() - interval '130 seconds' WHERE state = 'receiving' RETURNING id`,
    );
    const [upload] = [await node.untilState(unsent, FINAL, 60_000)];
    t.match(upload, { state: 'completed', counts: files[0].counts });
    t.strictSame(await files[0].wrongRows(await node.pool(), unsent), []);
    t.match(await node.untilState(cancelled, FINAL), { state: 'cancelled' });
    t.equal(rows.length, 1);
    const abandoned = await node.untilState(rows[0]?.id ?? '', FINAL, 60_000);
    t.match(abandoned, { state: 'failed', failure: { code: 'abandoned' } });
    const clients = new UploadClients(node, () => 0);
    const again = await clients.post(large.bytes, 'cut', 'raw');
    t.not(again, abandoned.id, 'the key is free for it');
    t.match(await node.untilState(again, FINAL, 60_000), { state: 'completed', counts: large.counts });
    await letTimePass(node, 'all');
    t.strictSame((await keptBy(node)).multiparts, [], 'its parts are gone');
    t.equal(await node.process.stop('SIGINT'), 0);
  },
);

async function statesOf(node: UploadNode): Promise<string> {
  const { rows } = await (await node.pool()).query<{ text: string }>(
    `SELECT concat_ws(' ', count(*), via, state) AS text FROM uploads GROUP BY via, state ORDER BY 1`,
  );
  return rows.map(({ text }) => text).join(', ');
}

async function rowsOf(node: UploadNode, id: string): Promise<unknown> {
  const { rows } = await (await node.pool()).query(
    `SELECT (SELECT count(*)::int FROM debtors WHERE upload_id = $1) AS debtors,
       (SELECT count(*)::int FROM upload_rejects WHERE upload_id = $1) AS rejects`,
    [id],
  );
  return { ...rows[0] };
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
