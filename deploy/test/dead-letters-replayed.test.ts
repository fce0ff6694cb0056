/** Ten thousand dead letters of an actor that is mended then: one replay, the order of each key (P2), one effect of each (P3). */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ActorSystem } from '../../runtime/actor-system.js';
import { encodeEnvelope } from '../../runtime/envelope.js';
import { LogUnavailableError } from '../../runtime/errors.js';
import { silentLogger } from '../../runtime/logger.js';
import { MessageIdSource } from '../../runtime/message-id.js';
import { partitionOf } from '../../runtime/partition.js';
import type { DeadLetterStore } from '../../runtime/stores/dead-letter.js';
import { until } from '../../runtime/testing/until.js';
import { openJournal } from '../../storage/journal/index.js';
import { createDeadLetterStore } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { EFFECTS_TABLE, type MendableSettings } from './mendable.js';

t.setTimeout(60_000);

const KEYS = 300;
const { pool, url } = await startTestPostgres(t);
const store = createDeadLetterStore(pool);

/** A system whose actor has refused `count` messages, and is mended now. */
async function refused(t: Test, count: number, deadLetters: DeadLetterStore = store) {
  await pool.query(`DROP TABLE IF EXISTS effects; TRUNCATE dead_letters; ${EFFECTS_TABLE}`);
  const log = await openJournal({ directory: join(t.testdir(), 'journal'), partitions: 16 });
  const mended = new SharedArrayBuffer(4);
  const system = new ActorSystem({
    log,
    deadLetters,
    actors: [
      {
        module: new URL('./mendable.js', import.meta.url).href,
        threads: 2,
        settings: { databaseUrl: url, mended } satisfies MendableSettings,
      },
    ],
    logger: silentLogger,
    logLevel: 'error',
  });
  t.teardown(async () => {
    await system.drain(5_000);
    await log.close();
  });
  await system.start();
  const ids = new MessageIdSource();
  const receivedAt = Date.now();
  const appended = Array.from({ length: count }, (_, n) => {
    const key = `emp:${n % KEYS}`;
    const payload = Buffer.from(`${n}`);
    const head = {
      id: ids.next(receivedAt),
      actor: 'mendable',
      key,
      dedupe: `m${n}`,
      receivedAt,
      traceparent: '',
    };
    return new Promise((appended, appendFailed) => {
      const partition = log.open('mendable')[partitionOf(key, log.partitions)];
      partition?.append(encodeEnvelope({ ...head, payload }), { appended, appendFailed });
    });
  });
  await Promise.all(appended);
  await until('all are dead', async () => (await store.count()) === count && log.lag() === 0, 40_000);
  Atomics.store(new Int32Array(mended), 0, 1);
  return { system, log };
}

async function assertEffects(t: Test, log: { lag(): number }, count: number): Promise<void> {
  await until('all are handled', () => log.lag() === 0, 30_000);
  const { rows } = await pool.query<{ key: string; n: number }>('SELECT key, n FROM effects ORDER BY seq');
  t.equal(rows.length, count, 'each took effect, once');
  const last = new Map<string, number>();
  let disorder = 0;
  for (const { key, n } of rows) {
    if (n < (last.get(key) ?? -1)) disorder++;
    last.set(key, n);
  }
  t.equal(disorder, 0, 'of each key in the order of acceptance');
  t.equal(last.size, KEYS);
  t.equal(await store.count(), 0);
}

t.test('one replay of all', async (t) => {
  const count = 10_000;
  const { system, log } = await refused(t, count);
  const began = performance.now();
  const result = await system.replays.many({ actor: 'mendable' }, 50_000);
  t.comment(`${count} in ${Math.round(performance.now() - began)} ms`);
  t.strictSame(result, { replayed: count, failed: 0, failures: [], left: 0, stopped: undefined });
  await assertEffects(t, log, count);
});

t.test(
  'a replay that ends between the log and the mark goes on, and nothing takes effect twice',
  async (t) => {
    const count = 3_000;
    let marks = 0;
    const lossy: DeadLetterStore = {
      ...store,
      async settle(...args) {
        if (++marks === 3) throw new LogUnavailableError('gone in the middle');
        return store.settle(...args);
      },
    };
    const { system, log } = await refused(t, count, lossy);
    const cut = await system.replays.many({}, 50_000);
    t.match(cut, { replayed: 1_500, left: 1_500, stopped: 'TETHER_LOG_UNAVAILABLE' });
    t.equal(await store.count(), 2_000, 'what is not marked waits still');
    t.match(await system.replays.many({}, 50_000), { replayed: 2_000, left: 0, stopped: undefined });
    await assertEffects(t, log, count);
  },
);
