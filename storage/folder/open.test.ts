/** The folder as a whole: its lock, what crashes leave behind, and damage to any of its files. */
import fs from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { letter } from '../dead-letter-contract.js';
import { FaultyFileSystem, temporaryDirectory } from '../journal/testing.js';
import { reminder } from '../reminder-contract.js';
import { folderSnapshots, openFolder } from './index.js';

const snapshot = { version: 1, state: Buffer.from('state'), position: undefined };
const KINDS = ['snapshots', 'reminders', 'dead-letters'] as const;

/** A closed folder with one record of each kind; the paths of their files. */
async function filled(t: Test): Promise<{ directory: string; paths: readonly string[]; id: string }> {
  const directory = join(temporaryDirectory(t), 'folder');
  const folder = await openFolder({ directory });
  const dead = letter();
  await folder.snapshots.save('a', 'k', snapshot);
  await folder.reminders.put(reminder());
  await folder.deadLetters.put([dead]);
  await folder.close();
  const paths = KINDS.map((kind) => {
    const [name = '', ...more] = fs.readdirSync(join(directory, kind));
    if (more.length > 0) throw new Error(`${kind} holds ${more.length + 1} files`);
    return join(directory, kind, name);
  });
  return { directory, paths, id: dead.envelope.id };
}

t.test('one owner at a time', async (t) => {
  const directory = temporaryDirectory(t);
  const folder = await openFolder({ directory });
  await t.rejects(openFolder({ directory, lockWaitMsMax: 0 }), {
    code: 'TETHER_FOLDER_LOCKED',
    message: new RegExp(`in use by process ${process.pid}`),
  });
  await folder.close();
  await folder.close();
  await (await openFolder({ directory, lockWaitMsMax: 0 })).close();
});

t.test('whose lock was lost writes nothing more', async (t) => {
  const directory = temporaryDirectory(t);
  const folder = await openFolder({ directory, lockHeartbeatMs: 10 });
  fs.rmSync(join(directory, 'LOCK'));
  await until('the loss is noticed', async () => {
    const error = await folder.snapshots.load('a', 'k').catch((thrown: Error) => thrown);
    return error instanceof Error && /not ours any more/.test(error.message);
  });
  await t.rejects(folder.deadLetters.put([letter()]), { code: 'TETHER_FOLDER_CLOSED' });
  await folder.close();
});

t.test('a worker thread opens the snapshots with what is sent to it', async (t) => {
  const directory = temporaryDirectory(t);
  const folder = await openFolder({ directory });
  t.teardown(() => folder.close());
  const source = `
    const { parentPort, workerData } = await import('node:worker_threads');
    const { loadSnapshotStore } = await import(workerData.loader);
    const store = await loadSnapshotStore(workerData.store);
    await store.save('a', 'k', { version: 7, state: Buffer.from('by a thread'), position: undefined });
    await store.close();
    parentPort.postMessage('saved');`;
  const loader = new URL('../../runtime/stores/store-module.js', import.meta.url).href;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { loader, store: folderSnapshots({ directory }) },
  });
  t.equal(
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
    'saved',
  );
  t.match(await folder.snapshots.load('a', 'k'), { version: 7, state: Buffer.from('by a thread') });
});

t.test('what a write that was cut off has left is ignored, and removed', async (t) => {
  const { directory, paths } = await filled(t);
  for (const path of paths) fs.writeFileSync(path.replace(/rec$/, '0123456789ab.tmp'), 'half');
  fs.writeFileSync(join(directory, 'reminders', '.hidden'), 'of a file manager');
  const folder = await openFolder({ directory });
  t.teardown(() => folder.close());
  for (const kind of KINDS) {
    t.strictSame(
      fs.readdirSync(join(directory, kind)).filter((name) => name.endsWith('.tmp')),
      [],
      kind,
    );
  }
  t.equal(await folder.deadLetters.count(), 1);
  t.strictSame(await folder.reminders.list('a', 'k'), [reminder()]);
  t.strictSame(await folder.snapshots.load('a', 'k'), snapshot);
});

/** Reads everything; the error, if it meets one. */
async function readAll(directory: string): Promise<unknown> {
  try {
    const folder = await openFolder({ directory });
    try {
      return await folder.snapshots.load('a', 'k');
    } finally {
      await folder.close();
    }
  } catch (error) {
    return error;
  }
}

t.test('a flipped bit, or a file cut off, is reported by the name of the file', async (t) => {
  const { directory, paths } = await filled(t);
  for (const path of paths) {
    const sound = fs.readFileSync(path);
    for (let at = 0; at < sound.length; at += at < 16 ? 1 : 7) {
      const flipped = Buffer.from(sound);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      fs.writeFileSync(path, flipped);
      t.match(await readAll(directory), { code: 'TETHER_FOLDER_DAMAGED', path }, `${path} at ${at}`);
      t.ok(fs.readFileSync(path).equals(flipped), 'left as it is');
    }
    for (const bytes of [0, 1, 8, 9, 10, sound.length - 1]) {
      fs.writeFileSync(path, sound.subarray(0, bytes));
      t.match(await readAll(directory), { code: 'TETHER_FOLDER_DAMAGED', path }, `${path} of ${bytes} bytes`);
    }
    fs.writeFileSync(path, sound);
    t.strictSame(await readAll(directory), snapshot);
  }
});

t.test('a sound file under the name of another, and one that is none of ours', async (t) => {
  const { directory, paths } = await filled(t);
  for (const path of paths.slice(1)) {
    const moved = join(path, '..', `${'0'.repeat(64)}.rec`);
    fs.renameSync(path, moved);
    t.match(await readAll(directory), { code: 'TETHER_FOLDER_DAMAGED', path: moved });
    fs.renameSync(moved, path);
    const foreign = join(path, '..', 'notes.txt');
    fs.writeFileSync(foreign, '');
    t.match(await readAll(directory), { code: 'TETHER_FOLDER_DAMAGED', path: foreign });
    fs.rmSync(foreign);
  }
  t.strictSame(await readAll(directory), snapshot);
});

t.test('a directory that cannot be used', async (t) => {
  await t.rejects(openFolder({ directory: '/dev/null/below' }), { code: 'TETHER_FOLDER_UNAVAILABLE' });
  for (const call of ['mkdir', 'syncDirectory'] as const) {
    const faulty = new FaultyFileSystem();
    faulty.faults.set(call, 'EROFS');
    const directory = temporaryDirectory(t);
    await t.rejects(openFolder({ directory, fs: faulty.fs }), { code: 'TETHER_FOLDER_UNAVAILABLE' });
    t.notOk(fs.existsSync(join(directory, 'LOCK')), 'it is let go of');
  }
});
