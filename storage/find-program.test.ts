import { chmodSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { findProgram } from './find-program.js';

t.test('on PATH first, then beside it, and only what can be run', async (t) => {
  const root = t.testdir({
    one: { plain: '', both: '' },
    two: { both: '', plain: '' },
    sbin: { server: '' },
  });
  const at = (...path: string[]) => join(root, ...path);
  for (const path of ['one/both', 'two/both', 'two/plain', 'sbin/server']) chmodSync(at(path), 0o755);
  chmodSync(at('one/plain'), 0o644);
  const path = [at('one'), '', at('two')].join(delimiter);
  const find = (name: string) => findProgram(name, path, [at('sbin')]);
  t.equal(find('both'), at('one/both'));
  t.equal(find('plain'), at('two/plain'), 'a file that is no program is passed over');
  t.equal(find('server'), at('sbin/server'));
  t.equal(find('none'), undefined);
  t.equal(findProgram('both', undefined, []), undefined);
});
