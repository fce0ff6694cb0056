/** With real servers of Redis: each setting that loses messages, or opens the log to others, is found. */
import t from 'tap';
import { startTestCluster, startTestRedis } from '../../storage/redis/test-redis-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { isNewEnough, redisChecks } from './redis.js';
import { checkOf, find } from './test/find.js';

const PASSWORD = 'a-password-of-some-length';
const envOf = (url: string) => ({
  TETHER_REDIS_URL: url,
  TETHER_DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x',
});
const check = (id: string, url: string, more: Record<string, string> = {}) =>
  find(checkOf(redisChecks, id), { ...envOf(url), ...more });

t.test('a Redis that is set as a node wants it', async (t) => {
  const server = await startTestRedis(t, ['--requirepass', '', '--maxmemory', '100mb']);
  await server.client.config('SET', 'requirepass', PASSWORD);
  const url = `redis://:${PASSWORD}@127.0.0.1:${server.port}`;
  t.match(await check('redis-reach', url), {
    outcome: 'ok',
    found: new RegExp(`^127\\.0\\.0\\.1:${server.port}: version \\d`),
  });
  t.match(await check('redis-auth', url), { outcome: 'ok' });
  t.match(await check('redis-bind', url), { outcome: 'ok', found: /bind 127\.0\.0\.1/ });
  t.match(await check('redis-eviction', url), { outcome: 'ok', found: /noeviction, maxmemory 104857600/ });
  t.match(await check('redis-aof', url), { outcome: 'ok', found: /appendfsync everysec.*last second/ });
  t.match(await check('redis-tls', url), { outcome: 'ok', found: /this machine alone/ });
  t.match(await check('redis-replicas', url), { outcome: 'skipped' });
  t.match(await check('redis-replicas', url, { TETHER_DURABILITY: 'replicated' }), {
    outcome: 'failed',
    found: /no replica/,
  });

  t.match(await check('redis-reach', `redis://:wrong@127.0.0.1:${server.port}`), {
    outcome: 'failed',
    found: /WRONGPASS/,
    advice: /password/,
  });
  t.match(await check('redis-aof', `redis://127.0.0.1:${server.port}`), {
    outcome: 'skipped',
    found: /see redis-reach/,
  });
});

t.test('a Redis that is not', async (t) => {
  const server = await startTestRedis(t, [
    ...['--appendonly', 'no', '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
    ...['--protected-mode', 'no'],
  ]);
  const { url } = server;
  t.match(await check('redis-auth', url), {
    outcome: 'warning',
    found: /serves everybody.*on this machine/,
    advice: /requirepass/,
  });
  t.match(await check('redis-eviction', url), { outcome: 'failed', advice: /noeviction/ });
  t.match(await check('redis-aof', url), { outcome: 'failed', advice: /appendonly yes/ });
  t.match(await check('redis-aof', url, { TETHER_DURABILITY: 'memory' }), { outcome: 'warning' });
  t.match(await check('redis-bind', url), { outcome: 'ok' }, 'bound to this machine alone');

  await server.client.config('SET', 'bind', '* -::*');
  t.match(await check('redis-bind', url), { outcome: 'failed', found: /bind \* -::\*, protected-mode no/ });
  await server.client.config('SET', 'protected-mode', 'yes');
  t.match(await check('redis-bind', url), { outcome: 'ok' }, 'a stranger from outside is sent away');
  await server.client.config('SET', 'protected-mode', 'no', 'requirepass', PASSWORD);
  const asked = url.replace('//', `//:${PASSWORD}@`);
  t.match(await check('redis-bind', asked), { outcome: 'ok', found: /a process cannot see/ });
  t.match(await check('redis-auth', asked), { outcome: 'ok' });

  await server.client.config('SET', 'maxmemory', '0');
  t.match(await check('redis-eviction', asked), { outcome: 'warning', found: /as soon as a limit/ });
  await server.client.config(
    'SET',
    'maxmemory-policy',
    'noeviction',
    'appendonly',
    'yes',
    'appendfsync',
    'no',
  );
  t.match(await check('redis-eviction', asked), { outcome: 'warning', found: /all memory/ });
  t.match(await check('redis-aof', asked), { outcome: 'warning', found: /appendfsync no/ });
});

t.test('a user who may not ask for settings', async (t) => {
  const server = await startTestRedis(t);
  await server.client.call('ACL', 'SETUSER', 'tether', 'on', `>${PASSWORD}`, '~*', '&*', '+@all', '-config');
  await server.client.call('ACL', 'SETUSER', 'default', 'off');
  const url = server.url.replace('//', `//tether:${PASSWORD}@`);
  t.match(await check('redis-auth', url), { outcome: 'ok' });
  t.match(await check('redis-bind', url), { outcome: 'skipped', found: /does not tell/ });
  t.match(await check('redis-aof', url), { outcome: 'ok', found: /does not tell/ });
});

t.test('a Cluster: each of its masters', async (t) => {
  const { url, nodes } = await startTestCluster(t);
  t.match(await check('redis-reach', url), {
    outcome: 'ok',
    found: new RegExp(nodes.map(({ port }) => `(?=.*:${port})`).join('')),
  });
  await nodes[1]?.client.config('SET', 'appendonly', 'no');
  t.match(await check('redis-aof', url), { outcome: 'failed' });
});

t.test('nobody there, or nothing that could be', async (t) => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  t.match(await check('redis-reach', url), { outcome: 'failed', found: /ECONNREFUSED/ });
  t.match(await check('redis-eviction', url), { outcome: 'skipped' });
  t.match(await find(checkOf(redisChecks, 'redis-reach'), {}), { outcome: 'skipped', found: /journal/ });
  t.match(await find(checkOf(redisChecks, 'redis-reach'), { TETHER_REDIS_URL: 'nonsense' }), {
    outcome: 'skipped',
    found: /refused/,
  });
  t.match(await check('redis-tls', 'redis://192.0.2.1'), { outcome: 'warning', advice: /rediss/ });
  t.match(await check('redis-tls', 'rediss://192.0.2.1'), { outcome: 'ok' });
});

t.test('versions', async (t) => {
  t.strictSame(['7.0.15', '7', '8.2.0', '10.0', '6.2.14', undefined].map(isNewEnough), [
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
});
