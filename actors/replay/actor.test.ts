/** Replays in a real system: a day of events over many keys, paused, cancelled, at a rate, to others, and what lasts in the way of one. */
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { ReplayRefusedError, ReplayStateError, ReplaysFullError } from './errors.js';
import type { ReplayRequest } from './replays.js';
import { ROUTED, startReplaySystem, writeEvents } from './test/system.js';
import { SEEN } from './test/witness.js';

t.setTimeout(60_000);
const { pool, url } = await startTestPostgres(t, { connectionsMax: 8 });
await pool.query(SEEN);
const AT = 1_700_000_000_000;
const COUNT = 6_000;
const KEYS = 300;
await writeEvents(pool, { count: COUNT, keys: KEYS, from: AT });
const DAY: ReplayRequest = { selection: { filter: { endpoint: 'shop' } }, target: undefined, forced: false };

async function start(t: Test, endpoints = ROUTED) {
  await pool.query('TRUNCATE seen, replays, reminders');
  const system = await startReplaySystem(t.testdir(), url, endpoints);
  t.teardown(() => system.close());
  const { replays } = system;
  return {
    ...system,
    replay: (request: Partial<ReplayRequest> = {}, rate = 10_000) =>
      replays.create({ ...DAY, ...request, rate, by: 'anna' }),
    get: async (id: string) => {
      const replay = await replays.get(id);
      if (replay === undefined) throw new Error('the replay is gone');
      return replay;
    },
    async ended(id: string) {
      await until('it has ended', async () => (await replays.get(id))?.endedAt !== undefined, 40_000);
      await until('and is handled', () => system.log.lag() === 0, 20_000);
    },
  };
}

async function seen() {
  const { rows } = await pool.query<{ effects: number; repeats: number; wrong: number }>(
    `SELECT count(*)::int AS effects, coalesce(sum(times), 0)::int - count(*)::int AS repeats,
       (SELECT count(*)::int FROM (
         SELECT id < lag(id) OVER (PARTITION BY key, forced ORDER BY seq) AS is_wrong FROM seen) o WHERE is_wrong) AS wrong
     FROM seen`,
  );
  return rows[0] ?? { effects: 0, repeats: 0, wrong: 0 };
}

t.test('a day, paused and resumed; again; forced', async (t) => {
  const { replays, replay, get, ended } = await start(t);
  const first = await replay();
  t.match(first, { total: COUNT, createdBy: 'anna', told: 0 });
  await until('it is on its way', async () => (await get(first.id)).told > 2_000, 20_000);
  t.match(await replays.command(first.id, 'pause'), {
    before: { state: 'running' },
    after: { state: 'paused' },
  });
  // Its last tick finds it paused, and sets no other.
  const noReminder = async () => (await pool.query('SELECT 1 FROM reminders')).rowCount === 0;
  await until('it rests', noReminder);
  const { told } = await get(first.id);
  t.ok(told < COUNT);
  await t.rejects(replays.command(first.id, 'pause'), ReplayStateError);
  t.match(await replays.command(first.id, 'resume'), { after: { state: 'waiting' } });
  for (const id of ['no id', '0190a000-0000-7000-8000-000000000000']) {
    t.equal(await replays.command(id, 'resume'), undefined);
  }
  await ended(first.id);
  t.match(await get(first.id), {
    state: 'done',
    told: COUNT,
    deliveries: COUNT,
    leftOut: {},
    reason: undefined,
  });
  t.strictSame(await seen(), { effects: COUNT, repeats: 0, wrong: 0 });
  await t.rejects(replays.command(first.id, 'cancel'), ReplayStateError);
  await until('an end leaves no reminder', noReminder);

  const again = await replay();
  await ended(again.id);
  t.match(await seen(), { effects: COUNT, repeats: COUNT, wrong: 0 }, 'no second effect');

  const forced = await replay({ forced: true });
  await ended(forced.id);
  t.match(await seen(), { effects: 2 * COUNT, wrong: 0 }, 'one effect more for each');
  const { rows } = await pool.query(`SELECT DISTINCT replay, forced FROM seen ORDER BY forced`);
  t.strictSame(rows, [
    { replay: first.id, forced: false },
    { replay: forced.id, forced: true },
  ]);
});

t.test('cancelled: nothing more within a second; the rest by another one', async (t) => {
  const { replays, replay, get, ended } = await start(t);
  const { id } = await replay({}, 2_000);
  await until('it is on its way', async () => (await get(id)).told > 0);
  await replays.command(id, 'cancel');
  await ended(id);
  const { told, state, endedAt = 0 } = await get(id);
  t.equal(state, 'cancelled');
  t.ok(told > 0 && told < COUNT, `${told}`);
  const { rows } = await pool.query<{ at: Date; n: number }>(
    'SELECT max(at) AS at, count(*)::int AS n FROM seen',
  );
  t.ok((rows[0]?.at.getTime() ?? 0) - endedAt < 1_000);
  const rest = await replay();
  await ended(rest.id);
  t.match(await seen(), { effects: COUNT, wrong: 0 });
});

t.test('at its rate', async (t) => {
  const { replay, ended } = await start(t);
  const { id } = await replay({ selection: { filter: { to: AT + 600 } } }, 200);
  await ended(id);
  const { rows } = await pool.query<{ ms: number; most: number }>(
    `SELECT (extract(epoch FROM max(at) - min(at)) * 1000)::float8 AS ms, max(n)::int AS most FROM (
       SELECT at, count(*) OVER (ORDER BY at RANGE BETWEEN CURRENT ROW AND '900 ms' FOLLOWING) AS n FROM seen) w`,
  );
  t.ok((rows[0]?.ms ?? 0) >= 1_500, `${rows[0]?.ms} ms`);
  t.ok((rows[0]?.most ?? 0) <= 450, `${rows[0]?.most} in a second`);
  t.match(await seen(), { effects: 600 });
});

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
  const { replays, replay, get, ended } = await start(t, { ...ROUTED, kept: {} });
  const selection = { filter: { from: AT + 3_600_000 } };
  t.match(await replays.preview({ ...DAY, selection }), { summary: { total: 50 }, leftOut: { payment: 30 } });
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
  const { system, replays, replay, get, ended } = await start(t, {});
  const { id } = await replay({ selection: { filter: { to: AT + 100 } } });
  await until('it runs', async () => (await get(id)).state === 'running');
  await system.caughtUp('replay', 10_000);
  t.match(await get(id), { state: 'running', told: 0, leftOut: {}, cursor: undefined });
  await system.changeSettings('replay', { databaseUrl: url, endpoints: ROUTED });
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
  t.ok((await seen()).repeats > 0, 'a page that was not noted is told again');
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
