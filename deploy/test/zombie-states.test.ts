/** States in Postgres that nodes share: one that has lost a partition without noticing does not put back what the next owner has stored. */
import t, { type Test } from 'tap';
import { partitionOf } from '../../runtime/partition.js';
import { MemoryLog } from '../../runtime/testing/memory-log.js';
import { until } from '../../runtime/testing/until.js';
import { startWorkers } from '../../runtime/testing/workers.js';
import { postgresSnapshots, raiseEpochs } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';

t.setTimeout(60_000);

const TYPE = 'kept';
const KEY = 'a';
const PARTITION = partitionOf(KEY, 8);
const { pool, url } = await startTestPostgres(t);

/** Two nodes on one log. A log in memory wakes one reader of a partition, the last one. */
async function startNodes(t: Test) {
  const log = new MemoryLog(8);
  const start = async () => {
    const node = await startWorkers(t, [{ type: TYPE, snapshot: { version: 1 } }], {
      log,
      ownership: 'none',
      snapshots: postgresSnapshots({ databaseUrl: url }),
    });
    return {
      ...node,
      async claim(epoch: number) {
        await raiseEpochs(pool, log.id, TYPE, [{ partition: PARTITION, epoch }]);
        node.system.adopt(PARTITION, () => epoch);
        // Everybody hears of it a moment later.
        await until('it is reached', () =>
          node.tally(TYPE, KEY).then(
            () => true,
            () => false,
          ),
        );
      },
      add: (n: number) => node.ask(TYPE, KEY, { type: 'add', from: 'test', n }),
      count: async () => (await node.tally(TYPE, KEY)).count,
    };
  };
  await pool.query('TRUNCATE snapshots');
  return { log, zombie: await start(), next: await start() };
}

for (const lost of [false, true]) {
  const how = lost ? 'of a thread that was replaced' : 'of a thread that had no message of the log';
  t.test(`states that volatile messages have changed, ${how}`, async (t) => {
    const { zombie, next } = await startNodes(t);
    await zombie.claim(1);
    await zombie.add(1);
    if (lost) {
      zombie.ref(TYPE, KEY).tell({ type: 'end', how: 'exit' });
      await until('it is lost', () => zombie.system.stats().actors[0]?.threadsLost === 1);
    }
    t.equal(await zombie.count(), 1);

    await next.claim(2);
    for (const n of [2, 3, 4]) await next.add(n);
    t.equal(await next.count(), 4);
    // A reply leaves before the state is stored. When the next call begins, it was.
    await zombie.add(2).catch(() => undefined);
    await zombie.count().catch(() => undefined);
    next.system.drop(PARTITION);
    await next.claim(3);
    t.equal(await next.count(), 4);
  });
}

t.test('a message of the log: it waits, until the next owner has it', async (t) => {
  const { log, zombie, next } = await startNodes(t);
  await zombie.claim(1);
  await zombie.ref(TYPE, KEY).tellDurably({ type: 'add', from: 'test', n: 1 });
  await until('it is done', () => log.lag() === 0);
  // Another node takes over, and this one is at work on what it has.
  await raiseEpochs(pool, log.id, TYPE, [{ partition: PARTITION, epoch: 2 }]);
  await zombie.ref(TYPE, KEY).tellDurably({ type: 'add', from: 'test', n: 2 });
  await until('it is refused', () => zombie.events.some(({ kind }) => kind === 'fenced'));
  t.match(
    zombie.events.filter(({ kind }) => kind === 'fenced'),
    [{ actor: TYPE, partitions: [PARTITION] }],
  );
  t.equal(log.lag(), 1);
  zombie.system.drop(PARTITION);
  next.system.adopt(PARTITION, () => 2);
  await until('it is done by the other', () => log.lag() === 0);
  t.equal(await next.count(), 2);
  t.strictSame([...zombie.letters, ...next.letters], []);
});
