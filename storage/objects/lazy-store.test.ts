import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { ObjectStoreSettingsError } from './errors.js';
import { FolderObjectStore } from './folder/folder-store.js';
import { LazyObjectStore } from './lazy-store.js';

t.test('one store, opened when it is asked for', async (t) => {
  const lazy = new LazyObjectStore({ driver: 'folder', directory: t.testdir() }, silentLogger);
  const [first, second] = await Promise.all([lazy.open(), lazy.open()]);
  t.ok(first instanceof FolderObjectStore);
  t.equal(first, second);
  await lazy.close();
  await lazy.close();
});

t.test('one that was never asked for, or could not be opened, ends as well', async (t) => {
  const wrong = new LazyObjectStore({ driver: 's3', url: 'nonsense' }, silentLogger);
  await wrong.close();
  await t.rejects(wrong.open(), ObjectStoreSettingsError);
  await wrong.close();
});
