/** A node that has lost a partition without noticing writes nothing any more. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { PartitionEpoch } from '../../runtime/actor.js';
import { ActorSystem } from '../../runtime/actor-system.js';
import { encodeEnvelope } from '../../runtime/envelope.js';
import type { ActorEvent } from '../../runtime/events.js';
import { silentLogger } from '../../runtime/logger.js';
import type { DeadLetter } from '../../runtime/stores/dead-letter.js';
import { MemoryLog } from '../../runtime/testing/memory-log.js';
import { until } from '../../runtime/testing/until.js';
import { raiseEpochs } from '../../storage/postgres/fence.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { messageOf, openActor } from './test/harness.js';

const { pool, server } = await startTestPostgres(t);
const at = (partition: number, epoch: number): PartitionEpoch => ({ partition, epoch });
const newBatch = (size = 3) =>
  Array.from({ length: size }, () => messageOf(`unique_id=${randomUUID()}&status=approved`));
const eventsOf = async (batch: ReturnType<typeof newBatch>) => {
  const ids = batch.map(({ id }) => id);
  const { rows } = await pool.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM events WHERE id = ANY ($1::uuid[])',
    [ids],
  );
  return rows[0]?.n;
};

t.test('a batch of an earlier epoch is refused, all of it', async (t) => {
  const log = randomUUID();
  const [zombie, next] = [
    await openActor(server.url, { fencedBy: log }),
    await openActor(server.url, { fencedBy: log }),
  ];
  t.teardown(() => Promise.all([zombie.close(), next.close()]));
  await raiseEpochs(pool, log, 'payment', [at(1, 1), at(2, 1)]);
  const batch = newBatch();
  await zombie.receive(batch, [at(1, 1), at(2, 1)]);
  t.equal(await eventsOf(batch), 3);

  await raiseEpochs(pool, log, 'payment', [at(2, 2)]);
  const late = newBatch();
  const fenced = { code: 'TETHER_FENCED', outage: true, partitions: [2] };
  await t.rejects(zombie.receive(late, [at(1, 1), at(2, 1)]), fenced, 'one of its partitions is lost');
  await t.rejects(zombie.receive(late, [at(1, 1), at(2, 0)]), fenced, 'without an epoch');
  await t.rejects(zombie.receive(late, []), { code: 'TETHER_FENCED', partitions: [] }, 'without any');
  t.equal(await eventsOf(late), 0);
  await next.receive(late, [at(2, 2)]);
  t.equal(await eventsOf(late), 3);
  await zombie.receive(newBatch(), [at(1, 1)]);
});

t.test('a take-over waits for the commit under way', async (t) => {
  const log = randomUUID();
  await raiseEpochs(pool, log, 'payment', [at(1, 1)]);
  const batch = newBatch();
  let raised: Promise<number | undefined> | undefined;
  const actor = await openActor(server.url, { fencedBy: log }, async (sql, run) => {
    if (sql === 'COMMIT') {
      raised = raiseEpochs(pool, log, 'payment', [at(1, 2)]).then(() => eventsOf(batch));
      await until('it stands in line', async () => {
        const { rows } = await pool.query('SELECT FROM pg_locks WHERE NOT granted');
        return rows.length > 0;
      });
    }
    return run();
  });
  t.teardown(() => actor.close());
  await actor.receive(batch, [at(1, 1)]);
  t.equal(await raised, 3, 'the new owner sees what the old one did');
});

t.test('of a log with one owner nothing is asked', async (t) => {
  const statements: string[] = [];
  const actor = await openActor(server.url, {}, (sql, run) => {
    statements.push(sql);
    return run();
  });
  t.teardown(() => actor.close());
  const batch = newBatch();
  await actor.receive(batch);
  t.equal(await eventsOf(batch), 3);
  t.equal(statements.length, 5);
  t.notMatch(statements.join(), /partition_epochs/);
});

t.test(
  'in a system: it waits, says which partition, and goes on when the partition is its again',
  async (t) => {
    const log = new MemoryLog(4);
    const dead: DeadLetter[] = [];
    const system = await ActorSystem.start({
      log,
      deadLetters: {
        put: async (letters) => {
          dead.push(...letters);
        },
      },
      actors: [
        {
          module: new URL('./actor.js', import.meta.url),
          settings: {
            databaseUrl: server.url,
            blacklistCodes: [],
            idempotencyEntriesMax: 100,
            fencedBy: log.id,
          },
        },
      ],
      ownership: 'none',
      logger: silentLogger,
      logLevel: 'error',
    });
    t.teardown(() => system.drain(5_000));
    const fenced: Extract<ActorEvent, { readonly kind: 'fenced' }>[] = [];
    system.events.listen((event) => event.kind === 'fenced' && fenced.push(event));
    const claim = async (index: number, epoch: number) => {
      await raiseEpochs(pool, log.id, 'payment', [at(index, epoch)]);
      system.adopt(index, () => epoch);
    };
    const append = (index: number, message: ReturnType<typeof messageOf>) =>
      new Promise<number>((appended, appendFailed) =>
        log
          .open('payment')
          [index]?.append(encodeEnvelope({ ...message, actor: 'payment' }), { appended, appendFailed }),
      );
    await claim(1, 1);
    await claim(2, 1);
    // Another node takes one of them over.
    await raiseEpochs(pool, log.id, 'payment', [at(2, 2)]);
    const batch = newBatch(2);
    for (const [n, message] of batch.entries()) await append(n + 1, message);
    await until('it is refused, and tried again', () => fenced.length > 1);
    t.match(fenced[0], { actor: 'payment', partitions: [2] });
    t.equal(system.stats().actors[0]?.outage, 'TETHER_FENCED');

    system.drop(2);
    await until('what is its own is handled', async () => (await eventsOf(batch.slice(0, 1))) === 1);
    await until('it waits no more', () => system.stats().actors[0]?.outage === undefined);
    t.equal(await eventsOf(batch), 1);
    await claim(2, 3);
    await until('the other too', async () => (await eventsOf(batch)) === 2);
    await until('it is committed', () => log.lag() === 0);
    t.strictSame(dead, []);
  },
);
