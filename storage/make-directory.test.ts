import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from './make-directory.js';

t.test('it makes what is missing, with the mode, and leaves what is there', async (t) => {
  const root = t.testdir();
  const path = join(root, 'a', 'b', 'c');
  await Promise.all([makeDirectory(path, 0o700), makeDirectory(path, 0o700)]);
  t.equal(statSync(path).mode & 0o777, 0o700);
  await makeDirectory(path, 0o750);
  t.equal(statSync(path).mode & 0o777, 0o700);
});

t.test('it says why it cannot, and does not hang', async (t) => {
  const root = t.testdir();
  const file = join(root, 'file');
  writeFileSync(file, '');
  await t.rejects(makeDirectory(file, 0o700), { code: 'EEXIST' });
  await t.rejects(makeDirectory(join(file, 'below'), 0o700), { code: 'ENOTDIR' });
  if (existsSync('/proc/self')) await t.rejects(makeDirectory('/proc/tether/x', 0o700), { code: 'ENOENT' });
});
