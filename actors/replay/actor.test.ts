/** Replays in a real system: a day of events over many keys, again, forced, paused, cancelled, at a rate. */
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { ReplayStateError } from './errors.js';
import { AT, openDay } from './test/day.js';

t.setTimeout(60_000);
const COUNT = 6_000;
const { pool, start, seen } = await openDay(t, COUNT);

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
