import t from 'tap';
import { startTestRedis } from '../redis/test-redis-server.js';
import { openRedisLog } from './open.js';
import { checkServerSettings } from './server-settings.js';

t.test('a Redis that would lose messages is refused, with the setting that it needs', async (t) => {
  const redis = await startTestRedis(t, ['--maxmemory', '64mb']);
  const open = (durable?: boolean) =>
    openRedisLog({ url: redis.url, ...(durable === undefined ? {} : { durable }) });
  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await t.rejects(open(false), { code: 'TETHER_REDIS_LOG', message: /allkeys-lru.*noeviction/ });
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  for (const sync of ['everysec', 'always', 'no'] as const) {
    await redis.client.config('SET', 'appendfsync', sync);
    const log = await open();
    t.equal(log.aof, sync);
    await log.close();
  }
  await redis.client.config('SET', 'appendonly', 'no');
  await t.rejects(open(), { code: 'TETHER_REDIS_LOG', message: /appendonly yes/ });
  const log = await open(false);
  t.equal(log.aof, undefined);
  await log.close();
});

t.test('a Redis that does not tell when it syncs', async (t) => {
  const redis = await startTestRedis(t, ['--rename-command', 'CONFIG', '']);
  const log = await openRedisLog({ url: redis.url });
  t.equal(log.aof, 'unknown');
  await log.close();
});

t.test('of several servers the weakest counts', (t) => {
  const of = (...all: ('always' | 'everysec' | 'no' | 'unknown' | undefined)[]) =>
    checkServerSettings(
      all.map((aof) => ({ eviction: 'noeviction', maxBytes: 0, aof })),
      false,
    );
  t.equal(of('always', 'everysec'), 'everysec');
  t.equal(of('always', 'no', 'everysec'), 'no');
  t.equal(of('always', undefined), undefined);
  t.equal(of('always'), 'always');
  t.throws(() => checkServerSettings([{ eviction: 'volatile-ttl', maxBytes: 1, aof: 'always' }], false));
  t.equal(
    checkServerSettings([{ eviction: 'volatile-ttl', maxBytes: 0, aof: 'always' }], true),
    'always',
    'no limit',
  );
  t.end();
});
