import t from 'tap';
import { FencedError } from '../../runtime/errors.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { raiseEpochs } from '../../storage/postgres/fence.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { type Progress, ReplayStore, RUNNING_MAX } from './store.js';

const LOG = '0190a000-0000-7000-8000-00000000000a';
const { pool } = await startTestPostgres(t, { connectionsMax: 10 });
const store = new ReplayStore(pool);
const ids = new MessageIdSource();

async function add(): Promise<string> {
  const id = ids.next(Date.now());
  const selection = { filter: { endpoint: 'shop', to: 5 } };
  await store.add({ id, selection, target: 'a', forced: true, rate: 7, total: undefined, createdBy: 'anna' });
  return id;
}
const page = (cursor: string, more: Partial<Progress> = {}): Progress => ({
  cursor,
  told: 2,
  deliveries: 3,
  leftOut: { unrouted: 1 },
  workedMs: 10.5,
  isEnd: false,
  ...more,
});

t.test('a page is noted once, by whoever is first', async (t) => {
  const id = await add();
  t.match(await store.get(id), {
    state: 'waiting',
    cursor: undefined,
    total: undefined,
    target: 'a',
    forced: true,
  });
  t.ok(await store.begin(id, []));
  t.notOk(await store.begin(id, []), 'it runs already');
  const [first, second] = [ids.next(1), ids.next(2)];
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => store.progress({ id, cursor: undefined }, page(first), [])),
  );
  t.strictSame(outcomes.sort(), ['running', undefined, undefined]);
  t.equal(
    await store.progress({ id, cursor: undefined }, page(second), []),
    undefined,
    'of a cursor that has moved on',
  );
  t.equal(
    await store.progress({ id, cursor: first }, page(second, { leftOut: { unrouted: 2, body: 1 } }), []),
    'running',
  );
  t.match(await store.get(id), {
    cursor: second,
    told: 4,
    deliveries: 6,
    leftOut: { unrouted: 3, body: 1 },
    workedMs: 20,
    startedAt: Number,
    endedAt: undefined,
  });
  t.equal(await store.progress({ id, cursor: second }, page(second, { isEnd: true }), []), 'done');
  t.match(await store.get(id), { state: 'done', endedAt: Number });
  t.equal(await store.become(id, 'cancelled'), undefined);
});

t.test('what was told while it was cancelled counts, and does not make it done', async (t) => {
  const id = await add();
  await store.begin(id, []);
  t.match(await store.become(id, 'cancelled'), { state: 'cancelled', endedAt: Number });
  t.equal(
    await store.progress({ id, cursor: undefined }, page(ids.next(1), { isEnd: true }), []),
    'cancelled',
  );
  t.match(await store.get(id), { state: 'cancelled', told: 2 });
});

t.test('so many run, however many begin at once', async (t) => {
  await pool.query('TRUNCATE replays');
  const all = await Promise.all(Array.from({ length: 9 }, add));
  const begun = await Promise.all(all.map((id) => store.begin(id, [])));
  t.equal(begun.filter(Boolean).length, RUNNING_MAX);
});

t.test('who lost the partition begins nothing and notes nothing', async (t) => {
  await pool.query('TRUNCATE replays');
  const fenced = new ReplayStore(pool, LOG);
  await raiseEpochs(pool, LOG, 'replay', [{ partition: 3, epoch: 7 }]);
  const id = await add();
  await t.rejects(fenced.begin(id, [{ partition: 3, epoch: 6 }]), FencedError);
  t.ok(await fenced.begin(id, [{ partition: 3, epoch: 7 }]));
  const note = (epoch: number) =>
    fenced.progress({ id, cursor: undefined }, page(ids.next(1)), [{ partition: 3, epoch }]);
  await t.rejects(note(6), FencedError);
  t.match(await store.get(id), { told: 0, cursor: undefined });
  t.equal(await note(7), 'running');
});
