/** Idempotency keys in Redis, in front of Postgres: a storm of duplicates costs Postgres nothing, and whatever Redis does, each effect is one. */
import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import type { RawMessage } from '../../runtime/message.js';
import { until } from '../../runtime/testing/until.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { startTestRedis } from '../../storage/redis/test-redis-server.js';
import { type Intercept, messageOf, openActor, type TestActor } from './test/harness.js';

const { pool, server } = await startTestPostgres(t);
const redis = await startTestRedis(t);

/** A node's payment actor, once it has its connection to Redis. */
async function openNode(
  t: Test,
  intercept?: Intercept,
): Promise<TestActor & { readonly statements: string[] }> {
  const statements: string[] = [];
  const actor = await openActor(server.url, { redisUrl: redis.url, redisPrefix: 'shop' }, (sql, run) => {
    statements.push(sql);
    return intercept === undefined ? run() : intercept(sql, run);
  });
  t.teardown(() => actor.close());
  await until('it is connected', async () => {
    await actor.resources.shared?.known(['']);
    return (actor.resources.shared?.stats.asked ?? 0) > 0;
  });
  return { ...actor, statements };
}

/** Two messages of each payment. */
const newBatch = (payments = 10) =>
  Array.from({ length: payments }, () => randomUUID()).flatMap((id) => [
    messageOf(`unique_id=${id}&status=pending_async`),
    messageOf(`unique_id=${id}&status=approved`),
  ]);
/** As a sender's second try of each: another message with the same idempotency key. */
const again = (batch: readonly RawMessage[]) => batch.map((message) => ({ ...message, id: randomUUID() }));

async function effectsOf(batch: readonly RawMessage[]): Promise<{ events: number; written: number }> {
  const ids = batch.map(({ key }) => key.slice(key.indexOf(':') + 1));
  const { rows } = await pool.query<{ events: number; written: number }>(
    `SELECT (SELECT count(*)::int FROM events WHERE key = ANY ($1)) AS events,
       (SELECT coalesce(sum(version), 0)::int FROM payments WHERE id = ANY ($1)) AS written`,
    [ids],
  );
  return rows[0] ?? { events: -1, written: -1 };
}
const ONE_EFFECT = { events: 20, written: 10 };
const isRemembered = (batch: readonly RawMessage[], actor: TestActor) =>
  until('it is remembered', async () => {
    const names = batch.map(({ dedupe }) => `emp ${dedupe}`);
    return (await actor.resources.shared?.known(names))?.size === batch.length;
  });

t.test('duplicates that come to another node cost Postgres nothing', async (t) => {
  const [one, other] = [await openNode(t), await openNode(t)];
  const batch = newBatch();
  await one.receive(batch);
  t.equal(one.statements.length, 5);
  await isRemembered(batch, one);
  for (let n = 0; n < 20; n++) await other.receive(again(batch));
  t.strictSame(other.statements, []);
  const fresh = newBatch();
  await other.receive([...again(batch), ...fresh]);
  t.equal(other.statements.length, 5, 'what is new among them has its effect');
  t.strictSame(await effectsOf(batch), ONE_EFFECT);
  t.strictSame(await effectsOf(fresh), ONE_EFFECT);
});

t.test('nothing is remembered before it is committed', async (t) => {
  let fails = true;
  const one = await openNode(t, (sql, run) => {
    if (fails && sql === 'COMMIT') throw new Error('told to fail');
    return run();
  });
  const other = await openNode(t);
  const batch = newBatch();
  await t.rejects(one.receive(batch), { message: 'told to fail' });
  t.strictSame(await effectsOf(batch), { events: 0, written: 0 });
  // Had it been remembered, this would come after it on the same connection.
  t.equal((await one.resources.shared?.known(batch.map(({ dedupe }) => `emp ${dedupe}`)))?.size, 0);
  await other.receive(again(batch));
  fails = false;
  await one.receive(batch);
  t.strictSame(await effectsOf(batch), ONE_EFFECT);
});

t.test('Redis has lost what it knew', async (t) => {
  const [one, other] = [await openNode(t), await openNode(t)];
  const batch = newBatch();
  await one.receive(batch);
  await isRemembered(batch, one);
  await redis.client.flushall();
  await other.receive(again(batch));
  t.equal(other.statements.length, 4, 'Postgres knows, and writes nothing');
  await isRemembered(batch, other);
  t.strictSame(await effectsOf(batch), ONE_EFFECT);
});

t.test('Redis is silent: one batch waits a moment, the others do not', async (t) => {
  const [one, other] = [await openNode(t), await openNode(t)];
  const batches = Array.from({ length: 10 }, () => newBatch());
  await one.receive(batches[0] ?? []);
  process.kill(redis.pid, 'SIGSTOP');
  t.teardown(async () => void process.kill(redis.pid, 'SIGCONT'));
  for (const batch of batches) {
    await one.receive(batch);
    await other.receive(again(batch));
  }
  for (const actor of [one, other]) {
    // A test may take longer than the rest of five seconds on a busy machine.
    const { asked = 0, unanswered = 0 } = actor.resources.shared?.stats ?? {};
    t.ok(unanswered >= 1 && unanswered <= 3, `${unanswered} of ${asked} were waited for`);
  }
  process.kill(redis.pid, 'SIGCONT');
  for (const batch of batches) t.strictSame(await effectsOf(batch), ONE_EFFECT);
});

t.test('Redis is gone', async (t) => {
  const [one, other] = [await openNode(t), await openNode(t)];
  const before = newBatch();
  await one.receive(before);
  await isRemembered(before, one);
  await redis.kill();
  const batch = newBatch();
  await one.receive(batch);
  await other.receive([...again(batch), ...again(before)]);
  t.strictSame(await effectsOf(batch), ONE_EFFECT);
  t.strictSame(await effectsOf(before), ONE_EFFECT);
  await redis.start();
});
