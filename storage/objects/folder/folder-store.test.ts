import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { until } from '../../../runtime/testing/until.js';
import { bytesOf, testObjectStore } from '../contract.js';
import { PART_BYTES } from '../object-store.js';
import { openObjectStore } from '../open.js';

const WRITER = fileURLToPath(new URL('./fixtures/writer.js', import.meta.url));
const UNAVAILABLE = { code: 'TETHER_OBJECTS_UNAVAILABLE', outage: true };

function directoryOf(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'tether-objects-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return join(root, 'objects');
}

async function open(t: Test, directory = directoryOf(t)) {
  const store = await openObjectStore({ driver: 'folder', directory });
  await store.prepare();
  return store;
}

testObjectStore(t, (t) => open(t));

t.test('a process that is killed leaves whole objects only, and what it acknowledged', async (t) => {
  const directory = directoryOf(t);
  const store = await open(t, directory);
  for (let kill = 0; kill < 4; kill++) {
    await store.delete('a');
    await store.delete('b');
    const child = spawn(process.execPath, [WRITER, directory, 'loop'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => void child.kill('SIGKILL'));
    let acknowledged = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      acknowledged = Number(line);
    });
    await until('it writes', () => acknowledged >= 2);
    // Anywhere in a round.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
    for (const [key, bytes] of [
      ['a', PART_BYTES / 2],
      ['b', PART_BYTES + 1_000],
    ] as const) {
      const found = await bytesOf(store.read(key));
      const round = found[0] ?? 0;
      t.ok(found.equals(Buffer.alloc(bytes, round)), `${key} is whole`);
      t.ok(
        round === acknowledged % 251 || round === (acknowledged + 1) % 251,
        `${round} after ${acknowledged}`,
      );
    }
    for (const { key, multipart } of await store.listMultiparts('', 100))
      await store.abortMultipart(key, multipart);
  }
  t.strictSame(
    (await store.list('', { limit: 10 })).map(({ key }) => key),
    ['a', 'b'],
  );
});

t.test('prepare removes what a crash left long ago, and nothing that another thread writes', async (t) => {
  const directory = directoryOf(t);
  await open(t, directory);
  const temporary = join(directory, 'temporary');
  writeFileSync(join(temporary, 'new'), 'x');
  writeFileSync(join(temporary, 'old'), 'x');
  mkdirSync(join(temporary, 'old-multipart'));
  writeFileSync(join(temporary, 'old-multipart', 'part'), 'x');
  const yesterday = Date.now() / 1_000 - 25 * 3_600;
  for (const name of ['old', 'old-multipart']) utimesSync(join(temporary, name), yesterday, yesterday);
  await Promise.all([open(t, directory), open(t, directory)]);
  t.strictSame(readdirSync(temporary), ['new']);
});

t.test('several open the same folder at once', async (t) => {
  const directory = directoryOf(t);
  const stores = await Promise.all(Array.from({ length: 4 }, () => open(t, directory)));
  const multipart = await stores[0]?.beginMultipart('whole');
  await Promise.all(
    stores.map(async (store, index) => {
      for (let i = 0; i < 20; i++) {
        await store.put(`own/${index}-${i}`, Buffer.alloc(1_000, index));
        await store.put('shared', Buffer.alloc(1_000, index));
        await store.prepare();
      }
      await store.putPart('whole', multipart ?? '', index + 1, Buffer.alloc(PART_BYTES, index));
    }),
  );
  const parts = (await stores[1]?.listParts('whole', multipart ?? '')) ?? [];
  await stores[2]?.completeMultipart('whole', multipart ?? '', parts);
  t.equal((await stores[3]?.stat('whole'))?.bytes, 4 * PART_BYTES);
  t.equal((await stores[3]?.list('own/', { limit: 1_000 }))?.length, 80);
  t.strictSame(readdirSync(join(directory, 'temporary')), []);
});

t.test('a file that is too large for the disk is an outage, and leaves nothing', async (t) => {
  const directory = directoryOf(t);
  const store = await open(t, directory);
  await store.put('a', Buffer.from('old'));
  // A limit of the system's stands for a full disk: any user may set it. What tap loads into each process would end this one by the
  // signal that the limit sends.
  const script = 'trap "" XFSZ; ulimit -f 1024; exec env -u NODE_OPTIONS "$0" "$@"';
  const args = ['-c', script, process.execPath, WRITER, directory, 'once'];
  const { stdout } = await promisify(execFile)('bash', args);
  t.match(JSON.parse(stdout), { code: 'TETHER_OBJECTS_UNAVAILABLE', message: /did not put a: EFBIG/ });
  t.equal(String(await bytesOf(store.read('a'))), 'old');
  t.strictSame(readdirSync(join(directory, 'temporary')), []);
});

t.test('a folder that may not be written to', async (t) => {
  const directory = directoryOf(t);
  const store = await open(t, directory);
  await store.put('a', Buffer.from('x'));
  const multipart = await store.beginMultipart('b');
  for (const name of ['', 'objects', 'multiparts', 'temporary']) chmodSync(join(directory, name), 0o555);
  chmodSync(join(directory, '..'), 0o755);
  // Rights do not bind root.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.('nobody');
  try {
    const message = /EACCES/;
    await t.rejects(store.put('a', Buffer.from('y')), { ...UNAVAILABLE, message });
    await t.rejects(store.beginMultipart('b'), { ...UNAVAILABLE, message });
    await t.rejects(store.putPart('b', multipart, 1, Buffer.from('y')), UNAVAILABLE);
    await t.rejects(store.delete('a'), { ...UNAVAILABLE, message });
    await t.rejects(store.abortMultipart('b', multipart), { ...UNAVAILABLE, message });
    await t.rejects(store.prepare(), { ...UNAVAILABLE, message });
  } finally {
    if (root) process.seteuid?.(0);
    for (const name of ['', 'objects', 'multiparts', 'temporary']) chmodSync(join(directory, name), 0o755);
  }
  t.equal(String(await bytesOf(store.read('a'))), 'x');
  await t.rejects(open(t, '/proc/none/such'), UNAVAILABLE);
});

t.test('without its folder (a disk that is not mounted) nothing is said of any object', async (t) => {
  const directory = directoryOf(t);
  const store = await openObjectStore({ driver: 'folder', directory });
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.stat('a'),
    () => store.read('a'),
    () => store.delete('a'),
    () => store.put('a', Buffer.from('x')),
    () => store.list('', { limit: 1 }),
    () => store.listParts('a', '0'.repeat(32)),
    () => store.abortMultipart('a', '0'.repeat(32)),
  ];
  for (const call of calls) await t.rejects(call(), UNAVAILABLE);
});

t.test('files of others are left alone', async (t) => {
  const directory = directoryOf(t);
  const store = await open(t, directory);
  for (const name of ['.DS_Store', 'a~', '1', 'Thumbs db'])
    writeFileSync(join(directory, 'objects', name), 'x');
  mkdirSync(join(directory, 'multiparts', '.trash'));
  mkdirSync(join(directory, 'multiparts', 'a~short'));
  t.strictSame(await store.list('', { limit: 10 }), []);
  t.strictSame(await store.listMultiparts('', 10), []);
});

t.test('a part that a crash left beside its successor does not count', async (t) => {
  const directory = directoryOf(t);
  const store = await open(t, directory);
  const multipart = await store.beginMultipart('a');
  const part = await store.putPart('a', multipart, 1, Buffer.from('new'));
  const old = join(directory, 'multiparts', `a~${multipart}`, '00001.0123456789abcdef');
  writeFileSync(old, 'old');
  utimesSync(old, 1, 1);
  t.strictSame(await store.listParts('a', multipart), [part]);
  await store.completeMultipart('a', multipart, [part]);
  t.equal(String(await bytesOf(store.read('a'))), 'new');
});
