/** Uploads beside the rest of a node: Postgres dies in mid-file, and a flood of files comes in while webhooks do. */
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { DebtorFile } from './debtor-file.js';
import { LaneLoad } from './lane-load.js';
import { commandName, processTree } from './process-tree.js';
import { idOf, UploadNode } from './upload-node.js';

const KILLS = 2;
const FLOOD = 5;
const FINAL = ['completed', 'failed'];

t.setTimeout(180_000);

const node = await UploadNode.make(t);
await node.start();

const postgres = () => processTree(node.process.pid).find((pid) => commandName(pid) === 'postgres');

t.test('Postgres is killed in mid-file: processing goes on, and each row is there once', async (t) => {
  const file = await DebtorFile.make(100_000, 0);
  const id = idOf(await node.post(file.bytes));
  let rows = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    let upload = await node.upload(id);
    await until(
      'rows are written',
      async () => {
        upload = await node.upload(id);
        return upload.counts.total > rows;
      },
      30_000,
    );
    t.equal(upload.state, 'processing', `killed at ${upload.counts.total} rows`);
    rows = upload.counts.total;
    const killed = postgres();
    if (killed === undefined) throw new Error('no Postgres in the tree');
    process.kill(killed, 'SIGKILL');
    await until('a new one is there', () => ![undefined, killed].includes(postgres()), 30_000);
  }
  t.match(await node.untilState(id, FINAL, 60_000), { state: 'completed', counts: file.counts });
  t.strictSame(await file.wrongRows(await node.pool(), id), []);
});

t.test('a flood of uploads does not keep webhooks from being acknowledged and processed', async (t) => {
  const files = await Promise.all(Array.from({ length: FLOOD }, (_, n) => DebtorFile.make(40_000, 1 + n)));
  const load = new LaneLoad({ urls: [node.url], lanes: 4, random: () => 0.5 });
  const ids = (await Promise.all(files.map(({ bytes }) => node.post(bytes)))).map(idOf);
  const before = load.acknowledged.total;
  await until('webhooks are acknowledged', () => load.acknowledged.total > before + 200, 25_000);
  const acknowledged = load.acknowledged.total;
  const pool = await node.pool();
  await until('and processed', async () => {
    const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM events');
    return (rows[0]?.count ?? 0) >= acknowledged;
  });
  const states = await Promise.all(ids.map(async (id) => (await node.upload(id)).state));
  t.ok(
    states.some((state) => !FINAL.includes(state)),
    `meanwhile the uploads were ${states}`,
  );
  await load.stop();
  for (const [n, id] of ids.entries()) {
    const file = files[n];
    t.match(await node.untilState(id, FINAL, 60_000), { state: 'completed', counts: file?.counts });
    t.strictSame(await file?.wrongRows(pool, id), []);
  }
  t.equal(await node.process.stop('SIGINT'), 0);
});
