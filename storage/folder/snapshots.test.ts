import fs from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadSnapshotStore } from '../../runtime/stores/store-module.js';
import { FaultyFileSystem, temporaryDirectory } from '../journal/testing.js';
import { testSnapshotStore } from '../snapshot-contract.js';
import { folderSnapshots } from './index.js';
import { openFolder } from './open.js';

const directoryOf = (t: Test) => join(temporaryDirectory(t), 'folder');
const snapshot = { version: 1, state: Buffer.from('state'), position: undefined };

// By way of the module, as a worker thread does it: the store of the folder itself is opened once only.
t.test('by a worker thread', async (t) => {
  const directory = directoryOf(t);
  const folder = await openFolder({ directory });
  t.teardown(() => folder.close());
  testSnapshotStore(t, () => loadSnapshotStore(folderSnapshots({ directory })));
});

t.test('the owner and its threads see the same snapshots', async (t) => {
  const directory = directoryOf(t);
  const folder = await openFolder({ directory });
  const own = await loadSnapshotStore(folderSnapshots({ directory }));
  await own.save('a', 'k', snapshot);
  t.strictSame(await folder.snapshots.load('a', 'k'), snapshot);
  await folder.snapshots.delete('a', 'k');
  t.equal(await own.load('a', 'k'), undefined);
  await own.close();
  await t.rejects(own.load('a', 'k'), { code: 'TETHER_FOLDER_CLOSED' });
  await folder.close();
  await t.rejects(folder.snapshots.load('a', 'k'), { code: 'TETHER_FOLDER_CLOSED' });
});

t.test('a folder that this process has not opened, and settings that are none', async (t) => {
  const directory = directoryOf(t);
  await t.rejects(loadSnapshotStore(folderSnapshots({ directory })), { code: 'TETHER_FOLDER_LOCKED' });
  await (await openFolder({ directory })).close();
  await t.rejects(loadSnapshotStore(folderSnapshots({ directory })), { code: 'TETHER_FOLDER_LOCKED' });
  const { module } = folderSnapshots({ directory });
  for (const settings of [undefined, {}, { directory: '' }, { directory: 1 }]) {
    await t.rejects(loadSnapshotStore({ module, settings }), {
      code: 'TETHER_STORE_MODULE',
      message: /\{ directory \}/,
    });
  }
});

t.test('a save that fails at any step leaves the one before, and none of it', async (t) => {
  const directory = directoryOf(t);
  const faulty = new FaultyFileSystem();
  const folder = await openFolder({ directory, fs: faulty.fs });
  t.teardown(() => folder.close());
  await folder.snapshots.save('a', 'k', snapshot);
  const files = () => fs.readdirSync(join(directory, 'snapshots'));
  const before = files();
  for (const call of ['open', 'write', 'fsync', 'rename'] as const) {
    faulty.faults.set(call, 'ENOSPC');
    await t.rejects(folder.snapshots.save('a', 'k', { ...snapshot, version: 2 }), {
      code: 'TETHER_FOLDER_UNAVAILABLE',
      reason: 'ENOSPC',
      outage: true,
    });
    faulty.faults.clear();
    t.strictSame(await folder.snapshots.load('a', 'k'), snapshot, call);
    t.strictSame(files(), before, call);
  }
  const unavailable = { code: 'TETHER_FOLDER_UNAVAILABLE' };
  faulty.faults.set('syncDirectory', 'EIO');
  await t.rejects(folder.snapshots.save('a', 'k', snapshot), unavailable, 'not known to be durable');
  await t.rejects(folder.snapshots.delete('a', 'k'), unavailable);
  faulty.faults.clear();
  await folder.snapshots.save('a', 'k', { ...snapshot, version: 3 });
  t.match(await folder.snapshots.load('a', 'k'), { version: 3 });
});
