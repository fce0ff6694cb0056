import { randomUUID } from 'node:crypto';
import t from 'tap';
import { loadSnapshotStore } from '../../runtime/stores/store-module.js';
import { testSnapshotStore } from '../snapshot-contract.js';
import { raiseEpochs } from './fence.js';
import { postgresSnapshots } from './index.js';
import { createSnapshotStore } from './snapshots.js';
import { startTestPostgres } from './test-server.js';

const { pool, url, server } = await startTestPostgres(t);

t.beforeEach(async () => {
  await pool.query('TRUNCATE snapshots');
});

testSnapshotStore(t, async () => createSnapshotStore(pool));

t.test('by a worker thread, with connections of its own', async (t) => {
  testSnapshotStore(t, () => loadSnapshotStore(postgresSnapshots({ databaseUrl: url })));
});

t.test('of a partition that another node has by now, nothing is saved', async (t) => {
  const store = createSnapshotStore(pool);
  const log = randomUUID();
  const save = (state: string, epoch: number, partition = 3) =>
    store.save(
      'a',
      'k',
      { version: 1, state: Buffer.from(state), position: { log, partition, offset: 7 } },
      { log, partition, epoch },
    );
  const saved = async () => `${(await store.load('a', 'k'))?.state}`;
  await save('nobody has raised one', 1);
  await raiseEpochs(pool, log, 'a', [{ partition: 3, epoch: 1 }]);
  await save('first', 1);
  await raiseEpochs(pool, log, 'a', [{ partition: 3, epoch: 2 }]);
  await save('second', 2);
  for (const epoch of [1, 3]) {
    await t.rejects(save('late', epoch), { code: 'TETHER_FENCED', outage: true, partitions: [3] });
  }
  t.equal(await saved(), 'second');
  await store.delete('a', 'k');
  await t.rejects(save('late', 1), { code: 'TETHER_FENCED' }, 'also where nothing is');
  t.equal(await saved(), 'undefined');
  await save('another partition', 1, 4);
  t.equal(await saved(), 'another partition');
});

t.test('settings that are none are refused, without a word of what they are', async (t) => {
  const { module } = postgresSnapshots({ databaseUrl: url });
  for (const settings of [undefined, {}, { databaseUrl: 1 }, { databaseUrl: url, connectionsMax: 0 }]) {
    const error = await loadSnapshotStore({ module, settings }).catch((thrown: Error) => thrown);
    t.match(error, { code: 'TETHER_STORE_MODULE' });
    t.notOk(String(error).includes(new URL(url).password));
  }
});

t.test('without a server it is an outage', async (t) => {
  const store = await loadSnapshotStore(postgresSnapshots({ databaseUrl: url }));
  t.teardown(() => store.close());
  await server.stop();
  const outage = { code: 'TETHER_POSTGRES_UNAVAILABLE', outage: true };
  await t.rejects(store.load('a', 'k'), outage);
  await t.rejects(store.save('a', 'k', { version: 1, state: Buffer.from(''), position: undefined }), outage);
  await t.rejects(store.delete('a', 'k'), outage);
});
