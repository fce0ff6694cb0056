/** Pools of two nodes that share a Postgres: what is set on one holds on both, and after a restart. */
import t, { type Test } from 'tap';
import { ManualClock } from '../runtime/clock.js';
import { type Logger, silentLogger } from '../runtime/logger.js';
import type { Recorded } from '../runtime/testing/actors/recorder.js';
import { startSystem } from '../runtime/testing/system.js';
import { until } from '../runtime/testing/until.js';
import { createPool, PoolSettingsTable } from '../storage/postgres/index.js';
import { startTestPostgres } from '../storage/postgres/test-server.js';
import { NodePools } from './pools.js';

t.setTimeout(120_000);

const { pool, url } = await startTestPostgres(t);
const shared = new PoolSettingsTable(pool);
const POOL = 'recorder';

/** A node's pools, as `Node` puts them together. `look`: two seconds pass. */
async function startNode(t: Test, table: PoolSettingsTable = shared) {
  const lines: string[] = [];
  const note: Logger['warn'] = (fields, message) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { ...silentLogger, info: note, warn: note, error: note };
  const clock = new ManualClock();
  const it = await startSystem<Recorded>(t, POOL, {}, 1);
  const pools = new NodePools({ system: it.system, table, clock, logger });
  pools.follow(await pools.load());
  t.teardown(() => pools.stop());
  const state = () => {
    const [state] = pools.list();
    if (state === undefined) throw new Error('there is no pool');
    return state;
  };
  const look = () => clock.advance(2_000);
  const handled = () => it.said.flatMap(({ handled }) => handled).length;
  return { ...it, pools, state, look, lines, handled };
}

t.beforeEach(async () => void (await pool.query('DELETE FROM pool_settings')));

t.test('a change holds here at once, elsewhere at the next look, and after a restart', async (t) => {
  const [one, other] = await Promise.all([startNode(t), startNode(t)]);
  t.match(one.state(), { mode: 'running', settings: { differs: false }, saved: null });
  const after = await one.pools.change(POOL, { max: 3, batchMax: 10 }, 'ann');
  const current = { min: 1, max: 3, batchMax: 10, lingerMs: 0, inFlightMax: 2_048 };
  t.match(after, { settings: { current, file: { max: 1, batchMax: 500 }, differs: true } });
  t.match(after.saved, { paused: false, changedBy: 'ann' });
  t.equal(other.state().settings.differs, false);
  await other.pools.change(POOL, { inFlightMax: 5 }, 'bob');
  t.strictSame(other.state().settings.current, { ...current, inFlightMax: 5 }, 'it is put to what was saved');
  one.look();
  await until('the first follows', () => one.state().settings.current.inFlightMax === 5);
  t.strictSame((await startNode(t)).state().settings, other.state().settings, 'after a restart');

  const back = await one.pools.reset(POOL, 'ann');
  t.match(back, { settings: { differs: false }, saved: null });
  other.look();
  await until('the other follows', () => !other.state().settings.differs);
});

t.test('a pause holds for every node and after a restart; a resume ends it, and a drain', async (t) => {
  const [one, other] = await Promise.all([startNode(t), startNode(t)]);
  t.match(await one.pools.pause(POOL, 'ann'), { mode: 'paused', saved: { paused: true } });
  other.look();
  await until('the other follows', () => other.state().mode === 'paused');
  const restarted = await startNode(t);
  t.equal(restarted.state().mode, 'paused');
  await restarted.tell('1', 'ok');
  await until(
    'its thread is there',
    () => restarted.system.stats().actors[0]?.threads[0] === 'ready',
    60_000,
  );
  t.match(await one.pools.reset(POOL, 'ann'), { mode: 'paused' }, 'the file says nothing of a pause');
  t.match(restarted.state(), { inFlight: 0, done: 0 });
  t.match(await restarted.pools.resume(POOL, 'bob'), { mode: 'running', saved: { paused: false } });
  await until('it works', () => restarted.handled() === 1);
  other.look();
  await until('the other works', () => other.state().mode === 'running');

  other.pools.drain(POOL, 10_000);
  await until('it is drained', () => other.state().mode === 'drained');
  await restarted.pools.change(POOL, { max: 2 }, 'bob');
  other.look();
  await until('it has the settings', () => other.state().settings.current.max === 2);
  t.equal(other.state().mode, 'drained', 'settings do not resume it');
  await restarted.pools.resume(POOL, 'bob');
  other.look();
  await until('it is resumed', () => other.state().mode === 'running');
});

t.test('what is refused is not saved, and changes at once are not lost', async (t) => {
  const { pools, state } = await startNode(t);
  await t.rejects(pools.change(POOL, { batchMax: 501, max: 2 }, 'ann'), { code: 'TETHER_POOL_REQUEST' });
  t.equal(await shared.get(POOL), undefined);
  t.equal(state().settings.differs, false);
  const other = await startNode(t);
  await Promise.all([
    pools.change(POOL, { max: 4 }, 'ann'),
    other.pools.change(POOL, { batchMax: 9 }, 'bob'),
    pools.change(POOL, { lingerMs: 1 }, 'ann'),
    other.pools.change(POOL, { inFlightMax: 7 }, 'bob'),
  ]);
  t.strictSame((await shared.get(POOL))?.settings, { max: 4, batchMax: 9, lingerMs: 1, inFlightMax: 7 });
  pools.drain(POOL, 60_000);
  await until('it is drained', () => state().mode === 'drained');
});

t.test('what does not fit is told of and left out; what fits holds', async (t) => {
  const saved = { min: 3, max: 2, batchMax: 'many', lingerMs: 7, later: true };
  await shared.save(POOL, saved, 'a later release', undefined);
  await shared.save('elsewhere', { max: 2 }, 'ann', undefined);
  const { state, lines, look, pools } = await startNode(t);
  t.match(state().settings.current, { min: 1, max: 1, batchMax: 500, lingerMs: 7 });
  const told = () => lines.filter((line) => line.includes('do not fit') || line.includes('elsewhere'));
  t.match(told(), [/it cannot have 3 to 2.*batchMax.*no later/, /not here.*elsewhere/]);
  look();
  await pools.change(POOL, { max: 2 }, 'ann');
  t.equal(told().length, 2, 'once');
  t.strictSame((await shared.get(POOL))?.settings, { lingerMs: 7, max: 2 });
});

t.test('without Postgres what held holds on, and a change is refused', async (t) => {
  await shared.save(POOL, { max: 2 }, 'ann', undefined);
  const away = new URL(url);
  away.port = '1';
  const gone = createPool({
    url: away.href,
    connectionsMax: 1,
    applicationName: 'test',
    logger: silentLogger,
    connectMsMax: 500,
  });
  t.teardown(() => gone.end());
  const tables = [new PoolSettingsTable(gone), shared];
  // Away at first, then there.
  let at = 0;
  const table = {
    list: () => (tables[at] ?? shared).list(),
    get: (actor: string) => (tables[at] ?? shared).get(actor),
  } as PoolSettingsTable;
  const { pools, state, look, lines } = await startNode(t, table);
  t.equal(state().settings.differs, false);
  const change = pools.change(POOL, { max: 3 }, 'ann');
  await t.rejects(change, { code: 'TETHER_POSTGRES_UNAVAILABLE' });
  look();
  await until('it was looked for', () => lines.some((line) => line.includes('cannot be read')));
  at = 1;
  await until('it follows', () => {
    look();
    return state().settings.current.max === 2;
  });
});

t.test('before the actors have started, who asks is told to wait', async (t) => {
  const { system } = await startSystem<Recorded>(t, POOL, {}, 1);
  const pools = new NodePools({ system, table: shared, clock: new ManualClock(), logger: silentLogger });
  t.throws(() => pools.list(), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
  await t.rejects(pools.pause(POOL, 'ann'), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
});
