/** Real directories: one that is as it should be, one that others may enter, one that cannot be written, one in memory. */
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { diskChecks, judgeSync } from './disk.js';
import { mountOf } from './file-systems.js';
import { checkOf, find } from './test/find.js';

const root = await mkdtemp(join(tmpdir(), 'tether-doctor-'));
t.teardown(() => rm(root, { recursive: true, force: true }));
const check = (id: string, dataDir: string, env: Record<string, string> = {}) =>
  find(checkOf(diskChecks, id), { TETHER_DATA_DIR: dataDir, ...env });

t.test('the directory', async (t) => {
  const dataDir = join(root, 'a', 'data');
  t.match(await check('data-dir', dataDir), { outcome: 'ok', found: /not there yet/ });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  t.match(await check('data-dir', dataDir), { outcome: 'ok', found: /is 0700/ });
  await chmod(dataDir, 0o755);
  t.match(await check('data-dir', dataDir), { outcome: 'warning', advice: /chmod 700/ });
  await chmod(dataDir, 0o777);
  t.match(await check('data-dir', dataDir), { outcome: 'failed' });
  await chmod(dataDir, 0o700);
  await writeFile(join(dataDir, 'api-token'), 'x');
  await chmod(join(dataDir, 'api-token'), 0o644);
  t.match(await check('data-dir', dataDir), { outcome: 'failed', found: /others may read the token/ });

  await writeFile(join(root, 'file'), '');
  t.match(await check('data-dir', join(root, 'file', 'x')), { outcome: 'failed', found: /no directory/ });
  t.match(await check('disk-sync', '/proc/x'), { outcome: 'failed', found: /cannot be written/ });
  const shared = {
    TETHER_REDIS_URL: 'redis://127.0.0.1:1',
    TETHER_DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x',
    TETHER_S3_URL: 'http://a:b@127.0.0.1:1/bucket',
  };
  t.match(await check('data-dir', dataDir, shared), { outcome: 'skipped', found: /keeps nothing/ });
});

// Root may write anywhere.
if (process.getuid?.() !== 0) {
  t.test('a directory that this user may not write', async (t) => {
    const dataDir = join(root, 'closed');
    await mkdir(dataDir, { mode: 0o500 });
    t.match(await check('data-dir', dataDir), { outcome: 'failed', found: /may not write/ });
    t.match(await check('disk-sync', dataDir), { outcome: 'failed', found: /EACCES/ });
  });
}

t.test('the time of a sync', async (t) => {
  const dataDir = join(root, 'sync');
  await mkdir(dataDir);
  const result = await check('disk-sync', dataDir);
  t.match(result, { found: /^\d+ writes of 4 KiB, each synced: median \d+\.\d\d ms, p99 \d+\.\d\d ms/ });
  t.strictSame(await readdir(dataDir), [], 'the probe is gone');
  t.match(await check('disk-sync', dataDir, { TETHER_DURABILITY: 'memory' }), {
    outcome: 'ok',
    found: /nothing waits/,
  });

  const interrupt = new AbortController();
  const looking = find(
    checkOf(diskChecks, 'disk-sync'),
    { TETHER_DATA_DIR: dataDir },
    { signal: interrupt.signal },
  );
  while ((await readdir(dataDir)).length === 0) await new Promise((resolve) => setImmediate(resolve));
  interrupt.abort();
  t.match(await looking, { outcome: 'skipped', found: /interrupted/ });
  t.strictSame(await readdir(dataDir), [], 'and then too');

  const times = (medianMs: number, p99Ms: number) => judgeSync({ count: 100, medianMs, p99Ms }, true).outcome;
  t.strictSame(
    [times(0.2, 2), times(8, 20), times(1, 80), times(0.005, 0.01)],
    ['ok', 'warning', 'warning', 'warning'],
  );
});

t.test('the kind of file system, and room', async (t) => {
  t.match(await check('file-system', '/dev/shm/tether'), { outcome: 'warning', found: /tmpfs.*in memory/ });
  t.match(
    await check('disk-space', root, {
      TETHER_JOURNAL_BYTES_MAX: '2MiB',
      TETHER_JOURNAL_SEGMENT_BYTES: '1MiB',
    }),
    {
      outcome: 'ok',
    },
  );
  t.match(await check('disk-space', root, { TETHER_JOURNAL_BYTES_MAX: '1024GiB' }), {
    outcome: 'failed',
    advice: /TETHER_JOURNAL_BYTES_MAX/,
  });
  const mounts = [
    '1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,nobarrier',
    '2 1 8:2 / /var/my\\040data rw - xfs /dev/sdb rw',
    '3 1 8:3 / /var/my\\040data rw - nfs4 host:/x rw,soft',
    '',
  ].join('\n');
  t.match(mountOf(mounts, '/var/my data/journal'), { type: 'nfs4', point: '/var/my data' }, 'the one on top');
  t.match(mountOf(mounts, '/var/my database'), {
    type: 'ext4',
    options: ['rw', 'relatime', 'rw', 'nobarrier'],
  });
  t.equal(mountOf('', '/'), undefined);
});
