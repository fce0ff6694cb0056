import { join } from 'node:path';
import t from 'tap';
import { type FileSystem, realFileSystem } from '../journal/file-system.js';
import { temporaryDirectory } from '../journal/testing.js';
import { recordId } from '../record-id.js';
import { RecordFiles, type RecordKind } from './record-files.js';

const KIND: RecordKind<string> = {
  encode: (text) => [text],
  decode: (fields) => fields.text(),
  id: (text) => recordId(text.slice(0, 1)).toString('hex'),
};

/** A file system that notes the calls which order what a crash leaves. */
function noting(calls: string[]): FileSystem {
  const kind = (path: string) => path.slice(path.lastIndexOf('.'));
  return {
    ...realFileSystem,
    write: (...args) => {
      calls.push('write');
      return realFileSystem.write(...args);
    },
    fsync: (fd) => {
      calls.push('fsync');
      return realFileSystem.fsync(fd);
    },
    rename: (from, to) => {
      calls.push(`rename ${kind(from)} ${kind(to)}`);
      return realFileSystem.rename(from, to);
    },
    unlink: (path) => {
      calls.push(`unlink ${kind(path)}`);
      return realFileSystem.unlink(path);
    },
    syncDirectory: (path) => {
      calls.push('syncDirectory');
      return realFileSystem.syncDirectory(path);
    },
  };
}

t.test('a file is on the disk before it has its name, and its name before the end', async (t) => {
  const calls: string[] = [];
  const files = new RecordFiles(noting(calls), join(temporaryDirectory(t), 'records'), KIND);
  await files.prepare();
  t.strictSame(calls, []);
  await files.place('a1');
  await files.sync();
  t.strictSame(calls.splice(0), ['write', 'fsync', 'rename .tmp .rec', 'syncDirectory']);
  t.equal(await files.read(KIND.id('a1')), 'a1');
  await files.place('a2');
  t.equal(await files.read(KIND.id('a1')), 'a2', 'replaced');
  t.equal((await files.readAll()).length, 1);
  calls.length = 0;
  t.equal(await files.remove(KIND.id('a1')), true);
  await files.sync();
  t.strictSame(calls, ['unlink .rec', 'syncDirectory']);
  t.equal(await files.remove(KIND.id('a1')), false);
  t.equal(await files.read(KIND.id('a1')), undefined);
});

t.test(
  'one sync serves all who ask during the one before, and one that failed does not stand for another',
  async (t) => {
    const ends: ((error?: Error) => void)[] = [];
    const fs: FileSystem = {
      ...realFileSystem,
      syncDirectory: () =>
        new Promise((resolve, reject) => {
          ends.push((error) => (error === undefined ? resolve() : reject(error)));
        }),
    };
    const files = new RecordFiles(fs, temporaryDirectory(t), KIND);
    const first = files.sync();
    const later = [files.sync(), files.sync(), files.sync()];
    t.equal(ends.length, 1);
    ends[0]?.(Object.assign(new Error('broken'), { code: 'EIO' }));
    await t.rejects(first, { code: 'TETHER_FOLDER_UNAVAILABLE' });
    await new Promise(setImmediate);
    t.equal(ends.length, 2, 'who came later has a sync that began later');
    const last = files.sync();
    ends[1]?.();
    await Promise.all(later);
    await new Promise(setImmediate);
    t.equal(ends.length, 3);
    ends[2]?.();
    await last;
  },
);
