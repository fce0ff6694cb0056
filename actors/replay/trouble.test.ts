/** Replays in a real system: to others than the routes say, and what is in the way of one. */
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { ReplayRefusedError, ReplaysFullError } from './errors.js';
import { AT, openDay } from './test/day.js';
import { ROUTED, writeEvents } from './test/system.js';

t.setTimeout(60_000);
const { pool, start, seen } = await openDay(t, 1_000);

t.test('to another actor; of what no route takes, and of EMP', async (t) => {
  await writeEvents(pool, {
    count: 30,
    keys: 3,
    from: AT + 3_600_000,
    endpoint: 'emp',
    status: 'applied',
    meta: false,
  });
  await writeEvents(pool, { count: 20, keys: 3, from: AT + 3_600_100, endpoint: 'kept', status: 'unrouted' });
  t.teardown(() => pool.query(`DELETE FROM events WHERE endpoint <> 'shop'`));
  const { preview, replay, get, ended } = await start(t, { endpoints: { ...ROUTED, kept: {} } });
  const selection = { filter: { from: AT + 3_600_000 } };
  t.match(await preview({ selection }), { summary: { total: 50 }, leftOut: { payment: 30 } });
  const routed = await replay({ selection });
  await ended(routed.id);
  t.match(await get(routed.id), { state: 'done', told: 0, leftOut: { payment: 30, unrouted: 20 } });
  const other = await replay({ selection, target: 'replay-witness' });
  await ended(other.id);
  t.match(await get(other.id), { state: 'done', told: 50, leftOut: {} });
  t.match(await seen(), { effects: 50, wrong: 0 });
  for (const forced of [true, false]) {
    await t.rejects(replay({ target: 'payment', forced }), ReplayRefusedError);
  }
  await t.rejects(replay({ target: 'Nobody!' }), ReplayRefusedError);
  await t.rejects(replay({ target: 'replay' }), ReplayRefusedError);
});

t.test('nobody there: it fails, and says why', async (t) => {
  const { replay, get, ended } = await start(t);
  const { id } = await replay({ target: 'nobody', selection: { filter: { to: AT + 10 } } });
  await ended(id);
  t.match(await get(id), { state: 'failed', told: 0, reason: /TETHER_ACTOR_UNKNOWN.*nobody/ });
});

t.test('an endpoint that is not known yet: it waits, and leaves nothing out', async (t) => {
  const { system, settings, replays, replay, get, ended } = await start(t, { endpoints: {} });
  const { id } = await replay({ selection: { filter: { to: AT + 100 } } });
  await until('it runs', async () => (await get(id)).state === 'running');
  await system.caughtUp('replay', 10_000);
  t.match(await get(id), { state: 'running', told: 0, leftOut: {}, cursor: undefined });
  await system.changeSettings('replay', { ...settings, endpoints: ROUTED });
  await ended(id);
  t.match(await replays.get(id), { state: 'done', told: 100, leftOut: {} });
});

t.test('connections to Postgres are cut at every other commit: it waits, and goes on', async (t) => {
  const { replay, get, ended } = await start(t);
  await pool.query(`
    CREATE SEQUENCE cuts;
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('cuts') % 2 = 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NULL;
      END $$;
    CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON replays DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()`);
  t.teardown(() => pool.query('DROP TRIGGER cut ON replays'));
  const { id } = await replay({ selection: { filter: { to: AT + 1_000 } } });
  await ended(id);
  t.match(await get(id), { state: 'done', told: 1_000, leftOut: {} });
  t.match(await seen(), { effects: 1_000, wrong: 0 });
  t.ok(((await seen())?.repeats ?? 0) > 0, 'a page that was not noted is told again');
});

t.test('the log is full for senders: it waits, and goes on when others have made room', async (t) => {
  const journal = { segmentBytes: 65_536, bytesMax: 8 * 65_536 };
  await pool.query(`UPDATE events SET payload = convert_to(repeat('x', 2000), 'UTF8')`);
  const { system, log, replay, get, ended } = await start(t, { journal });
  await system.pausePool('replay-witness');
  const { id } = await replay({ selection: { filter: { to: AT + 400 } } });
  await until('it is full', () => log.state === 'full');
  await system.caughtUp('replay', 10_000);
  t.match(await get(id), { state: 'running', told: 0, leftOut: {} });
  t.ok(log.stats().diskBytes <= journal.bytesMax, `${log.stats().diskBytes}`);
  await system.resumePool('replay-witness');
  await ended(id);
  t.match(await get(id), { state: 'done', told: 400 });
  t.match(await seen(), { effects: 400, wrong: 0 });
});

t.test('so many run, the others wait; and so many are open', async (t) => {
  const { replays, replay } = await start(t);
  const slow = { selection: { filter: { to: AT + 1_000 } } };
  for (let n = 0; n < 5; n++) await replay(slow, 1);
  const states = async () => (await replays.list()).map(({ state }) => state.charAt(0)).join('');
  await until('four run', async () => [...(await states())].sort().join('') === 'rrrrw');
  const running = (await replays.list(['running']))[0]?.id ?? '';
  await replays.command(running, 'cancel');
  await until('the fifth begins', async () => [...(await states())].sort().join('') === 'crrrr');
  await pool.query(
    `INSERT INTO replays (id, state, selection, forced, rate, created_by)
     SELECT gen_random_uuid(), 'paused', '{"filter":{}}', false, 1, 'x' FROM generate_series(1, 96)`,
  );
  await t.rejects(replay(slow), ReplaysFullError);
});
