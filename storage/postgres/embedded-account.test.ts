import { spawnSync } from 'node:child_process';
import { chmod, chown, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { OWNER_PROGRAM, openDirectory, owner, query } from './fixtures/embedded-tools.js';

const asRoot = process.getuid?.() === 0;
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
/** Whether another user reaches this checkout: below a private home he does not. */
const checkoutIsOpen =
  asRoot &&
  spawnSync('setpriv', [...NOBODY.slice(1), process.execPath, '--check', OWNER_PROGRAM]).status === 0;

t.test(
  'an ordinary user runs it as himself',
  { skip: !checkoutIsOpen && 'needs root and an open checkout' },
  async (t) => {
    const place = await openDirectory(t);
    await chown(place, 65_534, 65_534);
    const { started } = owner(t, join(place, 'postgres'), { wrapper: NOBODY });
    const { url, pid } = await started();
    t.strictSame(await query(url, 'SELECT 1 AS n'), [{ n: 1 }]);
    t.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^Uid:\t65534\t/m);
  },
);

t.test('root without user namespaces becomes nobody', { skip: !asRoot && 'needs root' }, async (t) => {
  const place = await openDirectory(t);
  const path = t.testdir({ unshare: '#!/bin/sh\necho "unshare: Operation not permitted" >&2\nexit 1\n' });
  await chmod(join(path, 'unshare'), 0o755);
  const open = await owner(t, join(place, 'postgres'), { path }).started();
  if (checkoutIsOpen) {
    t.strictSame(await query(open.url, 'SELECT 1 AS n'), [{ n: 1 }]);
    t.match(await readFile(`/proc/${open.pid}/status`, 'utf8'), /^Uid:\t65534\t/m);
    process.kill(open.pid, 'SIGINT');
  }

  await chmod(place, 0o700);
  const closed = await owner(t, join(place, 'private', 'postgres'), { path }).started();
  t.match(closed, {
    code: 'TETHER_POSTGRES_EMBEDDED_ACCOUNT',
    message: /Operation not permitted.*ordinary user/s,
  });
});
