/** The upload actor in a real system: on a journal, in threads of its own, with messages that come at least once. */
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { madeFile, openBench } from './test/bench.js';
import { startUploadSystem } from './test/system.js';

t.setTimeout(120_000);

const bench = await openBench(t);
const system = await startUploadSystem(t.testdir(), {
  databaseUrl: bench.database.url,
  objects: { driver: 'folder', directory: bench.objectsDirectory },
  batchRows: 1,
  sliceMs: 30,
});
t.teardown(() => system.close());

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);
const isIn = async (id: string, state: string) => (await bench.look(id))?.state === state;

t.test('files come to an end, in slices that take turns, and repeated messages do nothing', async (t) => {
  const large = await bench.store('acme', madeFile(range(6_000), 2_000));
  await system.tell(large, 'process');
  await until('it has begun', async () => ((await bench.look(large))?.total ?? 0) > 0);
  const small = await Promise.all(range(6).map((n) => bench.store(`owner ${n}`, madeFile(range(20 + n)))));
  for (const id of small) {
    await system.tell(id, 'process');
    await system.tell(id, 'process');
    await system.tell(id, 'cancel');
  }
  await until('the small ones are done', async () => {
    const states = await Promise.all(small.map((id) => isIn(id, 'completed')));
    return states.every((done) => done);
  });
  t.match(await bench.look(large), { state: 'processing' }, 'the large one did not hold them up');
  await until('the large one is done', () => isIn(large, 'completed'), 30_000);
  t.match(await bench.look(large), { total: 6_000, accepted: 6_000 });
  for (const [n, id] of small.entries()) {
    t.match(await bench.look(id), { state: 'completed', total: 20 + n, accepted: 20 + n });
    t.equal((await bench.outcomes(id)).length, 20 + n);
  }
  await until('nothing is left', () => system.log.lag() === 0);
});

t.test('Postgres goes away in the midst of a file, and comes back', async (t) => {
  const id = await bench.store('acme', madeFile(range(3_000, 20_000), 2_000));
  await system.tell(id, 'process');
  await until('it has begun', async () => ((await bench.look(id))?.total ?? 0) > 0);
  await bench.database.stop();
  await until(
    'it is an outage',
    () => system.system.stats().actors[0]?.outage === 'TETHER_POSTGRES_UNAVAILABLE',
  );
  await bench.database.start();
  await until('it is done', () => isIn(id, 'completed'), 30_000);
  const outcomes = await bench.outcomes(id);
  t.ok(
    outcomes.length === 3_000 &&
      outcomes.every(([line, outcome], n) => line === n + 2 && outcome === 'accepted'),
  );
  t.match(await bench.look(id), { total: 3_000, accepted: 3_000 });
});

t.test('a cancelled file ends soon, with its rows taken back', async (t) => {
  const id = await bench.store('acme', madeFile(range(6_000, 30_000), 2_000));
  await system.tell(id, 'process');
  await until('it has begun', async () => ((await bench.look(id))?.total ?? 0) > 0);
  await bench.pool.query(`UPDATE uploads SET state = 'cancelling' WHERE id = $1`, [id]);
  await system.tell(id, 'cancel');
  await until('it is cancelled', () => isIn(id, 'cancelled'));
  t.match(await bench.look(id), { total: 0, accepted: 0 });
  t.strictSame(await bench.outcomes(id), []);
  await until('nothing is left', () => system.log.lag() === 0);
});

t.test('what fails again and again is a dead letter, with its cause', async (t) => {
  const id = await bench.store('another', madeFile(range(3)));
  await bench.pool.query('ALTER TABLE upload_rejects RENAME TO away');
  await bench.pool.query('ALTER TABLE debtors RENAME TO debtors_away');
  await system.tell(id, 'process');
  await until('it is given up', () => system.log.lag() === 0);
  await bench.pool.query('ALTER TABLE away RENAME TO upload_rejects');
  await bench.pool.query('ALTER TABLE debtors_away RENAME TO debtors');
  t.match(await system.deadLetters.list({ limit: 10 }), [
    { envelope: { key: id, actor: 'upload' }, attempts: 3, cause: { code: 'TETHER_POSTGRES_QUERY' } },
  ]);
  await system.tell(id, 'process');
  await until('once the cause is gone it can be done', () => isIn(id, 'completed'));
  t.match(await bench.look(id), { total: 3, accepted: 3 });
});
