import t from 'tap';
import { lockFits } from './lock-fits.js';

const lock = (packages: Readonly<Record<string, string>>, integrity = 'sha512-x') => ({
  lockfileVersion: 3,
  packages: {
    '': { version: '0.1.0' },
    ...Object.fromEntries(
      Object.entries(packages).map(([name, version]) => [`node_modules/${name}`, { version, integrity }]),
    ),
  },
});

t.test('a base fits what has all of its packages in the same place', async (t) => {
  const base = lock({ a: '1.0.0', 'a/node_modules/b': '2.0.0' });
  t.ok(lockFits(base, base));
  t.ok(lockFits(base, lock({ a: '1.0.0', 'a/node_modules/b': '2.0.0', c: '3.0.0' })), 'more is there');
  t.notOk(lockFits(base, lock({ a: '1.0.1', 'a/node_modules/b': '2.0.0' })), 'another version');
  t.notOk(lockFits(base, lock({ a: '1.0.0', b: '2.0.0' })), 'another place');
  t.notOk(lockFits(base, lock({ a: '1.0.0', 'a/node_modules/b': '2.0.0' }, 'sha512-y')), 'other content');
  t.notOk(lockFits({ lockfileVersion: 1 }, base), 'a form that nobody knows');
});
