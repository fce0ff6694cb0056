import t from 'tap';
import { requirePrograms } from './programs.js';

const without =
  (...missing: readonly string[]) =>
  (name: string) =>
    missing.includes(name) ? undefined : `/usr/bin/${name}`;

function problems(withS3Server: boolean, ...missing: readonly string[]): readonly string[] {
  try {
    requirePrograms(withS3Server, without(...missing));
    return [];
  } catch (error) {
    t.match(error, { code: 'TETHER_CONFIG_REFUSED' });
    return (error as { readonly problems: readonly string[] }).problems;
  }
}

t.test('nothing is said when all is there, and all at once when it is not', async (t) => {
  t.strictSame(problems(true), []);
  t.match(problems(true, 'haproxy', 'pgbouncer'), [
    'haproxy, pgbouncer are not installed',
    /apt-get install --no-install-recommends haproxy pgbouncer$/,
    /npm run up/,
  ]);
  t.match(problems(true, 'redis-server', 'memcached'), [
    'redis-server, memcached are not installed',
    /recommends redis-server swift-proxy swift-account swift-container swift-object memcached$/,
    /--s3-url/,
  ]);
});

t.test('with an object store that is given, Swift is not needed', async (t) => {
  t.strictSame(problems(false, 'swift-proxy-server', 'memcached'), []);
  t.match(problems(false, 'haproxy', 'memcached'), ['haproxy is not installed', /recommends haproxy$/]);
});
