import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { completeSymlinks, locatePostgresBinaries } from './embedded-binaries.js';

t.test('finds programs that can be run', async (t) => {
  const { initdb, postgres } = await locatePostgresBinaries();
  for (const program of [initdb, postgres]) t.ok((await stat(program)).mode & 0o111, program);
});

t.test('makes the library links that install scripts would have made', async (t) => {
  const listed = [
    { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so' },
    { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' },
  ];
  const root = t.testdir({
    native: { 'pg-symlinks.json': JSON.stringify(listed), lib: { 'libpq.so.5.18': 'library' } },
  });
  await Promise.all([completeSymlinks(root), completeSymlinks(root)]);
  await completeSymlinks(root);
  t.strictSame((await readdir(join(root, 'native/lib'))).sort(), ['libpq.so', 'libpq.so.5', 'libpq.so.5.18']);
  t.equal(
    await readlink(join(root, 'native/lib/libpq.so')),
    'libpq.so.5.18',
    'relative: the package can move',
  );
  t.equal(
    await realpath(join(root, 'native/lib/libpq.so.5')),
    await realpath(join(root, 'native/lib/libpq.so.5.18')),
  );
});

t.test('a list that leads out of the package, or is none, is refused', async (t) => {
  const refused = { code: 'TETHER_POSTGRES_EMBEDDED_UNSUPPORTED' };
  const outside = JSON.stringify([{ source: 'native/x', target: '../outside' }]);
  await t.rejects(completeSymlinks(t.testdir({ native: { 'pg-symlinks.json': outside } })), refused);
  await t.rejects(completeSymlinks(t.testdir({ native: { 'pg-symlinks.json': '{' } })), refused);
  await completeSymlinks(t.testdir({ native: {} }));
});
