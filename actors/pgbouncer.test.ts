/** The actors on a Postgres behind a pgBouncer that pools by transaction, with fewer connections than there are clients. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { until } from '../runtime/testing/until.js';
import { startTestPgBouncer } from '../storage/postgres/test-pgbouncer.js';
import { openBench as openArchive } from './archive/test/bench.js';
import { messageOf, openActor } from './payment/test/harness.js';
import { madeFile, openBench } from './upload/test/bench.js';
import { startUploadSystem } from './upload/test/system.js';

t.setTimeout(120_000);

const bouncer = await startTestPgBouncer(t);
const { url, pool } = bouncer;
const rows = async <Row extends object>(text: string, values: readonly unknown[] = []) =>
  (await pool.query<Row>(text, values)).rows;

t.test('notifications, by four threads at once, each twice', async (t) => {
  const threads = await Promise.all([0, 1, 2, 3].map(() => openActor(url)));
  t.teardown(() => Promise.all(threads.map((thread) => thread.close())));
  const ids = Array.from({ length: 800 }, () => randomUUID().replaceAll('-', ''));
  const steps = ['approved', 'chargebacked&event=chargeback&rc_code=AC04'];
  await Promise.all(
    threads.map(async (thread, at) => {
      const own = ids.filter((_, n) => n % threads.length === at);
      for (const step of steps) {
        const batch = own.map((id) => messageOf(`unique_id=${id}&status=${step}`));
        await thread.receive(batch);
        thread.resources.recent.clear();
        await thread.receive(batch);
      }
    }),
  );
  t.strictSame(await rows('SELECT status, count(*)::int AS n FROM events GROUP BY status'), [
    { status: 'applied', n: ids.length * steps.length },
  ]);
  t.strictSame(await rows('SELECT status, count(*)::int AS n FROM payments GROUP BY status'), [
    { status: 'chargebacked', n: ids.length },
  ]);
  t.strictSame(await rows('SELECT count(*)::int AS n FROM blacklist'), [{ n: ids.length }]);
});

t.test('their bodies are archived, and come back', async (t) => {
  const bench = await openArchive(t, { url, pool });
  const before = await rows<{ id: string; payload: Buffer }>('SELECT id, payload FROM events');
  await bench.run({ limits: { eventsMax: 1_000, payloadBytesMax: 1_000_000, blockBytes: 65_536 } });
  t.equal((await bench.stored()).length, 2);
  t.strictSame(await rows('SELECT 1 FROM events WHERE payload IS NOT NULL'), []);
  for (const { id, payload } of before.slice(0, 50)) t.ok(payload.equals(await bench.payloadOf(id)));
});

t.test('files are copied into their rows, while pgBouncer is killed and started again', async (t) => {
  const bench = await openBench(t, { url, rows, stop: bouncer.kill, start: bouncer.start });
  const system = await startUploadSystem(t.testdir(), {
    databaseUrl: url,
    objects: { driver: 'folder', directory: bench.objectsDirectory },
    batchRows: 500,
    connectionsMax: 4,
  });
  t.teardown(() => system.close());
  const lines = 4_000;
  const ids = await Promise.all(
    [0, 1, 2, 3].map((file) =>
      // The last row of each is none.
      bench.store(
        `owner ${file % 2}`,
        madeFile([...Array(lines).keys()].map((n) => file * lines + n).concat(-1)),
      ),
    ),
  );
  for (const id of ids) await system.tell(id, 'process');
  const written = async () =>
    (await bouncer.postgres.pool.query<{ n: number }>('SELECT sum(total)::int AS n FROM uploads')).rows[0]
      ?.n ?? 0;
  await until('they have begun', async () => (await written()) > 0);
  await bouncer.kill();
  t.ok((await written()) < ids.length * (lines + 1), 'in the midst of it');
  await bouncer.start();
  for (const id of ids) {
    await until('it is done', async () => (await bench.look(id))?.state === 'completed', 30_000);
    t.match(await bench.look(id), { total: lines + 1, accepted: lines, invalid: 1 });
  }
  t.strictSame(await rows('SELECT count(*)::int AS n, count(DISTINCT iban)::int AS ibans FROM debtors'), [
    { n: ids.length * lines, ibans: ids.length * lines },
  ]);
});
