import type { Redis } from 'ioredis';
import t from 'tap';
import { DependencyCalls } from '../../runtime/measure/dependency-calls.js';
import { until } from '../../runtime/testing/until.js';
import { createClient, subscribe, whenReady } from './client.js';
import { startTestRedis } from './test-redis-server.js';
import { parseRedisUrl, type RedisPlace } from './url.js';

t.test('URLs of Redis', async (t) => {
  const plain = { user: undefined, password: undefined, tls: false, database: 0, master: undefined };
  const at = (host: string, port: number) => ({ host, port });
  t.strictSame(parseRedisUrl('redis://a'), { ...plain, kind: 'server', nodes: [at('a', 6379)] });
  t.strictSame(parseRedisUrl('rediss://me:p%40ss@a.b:7000/3'), {
    kind: 'server',
    nodes: [at('a.b', 7000)],
    user: 'me',
    password: 'p@ss',
    tls: true,
    database: 3,
    master: undefined,
  });
  t.match(parseRedisUrl('redis://:secret@[::1]:7000'), {
    nodes: [at('::1', 7000)],
    user: undefined,
    password: 'secret',
  });
  t.strictSame(parseRedisUrl('redis+sentinel://a,b:1,c:2/main'), {
    ...plain,
    kind: 'sentinel',
    nodes: [at('a', 26_379), at('b', 1), at('c', 2)],
    master: 'main',
  });
  t.match(parseRedisUrl('rediss+cluster://a:1,b:2'), {
    kind: 'cluster',
    tls: true,
    nodes: [at('a', 1), at('b', 2)],
  });
});

t.test('what is none', async (t) => {
  const none = [
    '',
    'redis://',
    'http://a',
    'redis://a,b',
    'redis://a/x',
    'redis://a:0',
    'redis://a:65536',
    'redis+sentinel://a',
    'redis+cluster://a/main',
    'redis://a b',
    'redis://a?x=1',
    'redis://a%',
    'redis://u:%@a',
  ];
  for (const url of none) t.equal(parseRedisUrl(url), undefined, url);
});

t.test(
  'a subscription is made again on each connection, and one that its end cuts short harms nobody',
  async (t) => {
    const redis = await startTestRedis(t);
    const client = createClient(parseRedisUrl(redis.url) as RedisPlace, {
      name: 'test',
      patience: 'subscribes',
      replyMsMax: 500,
    });
    t.teardown(async () => client.disconnect());
    client.on('error', () => {});
    const heard: string[] = [];
    subscribe(client, 'news', (text) => heard.push(text));
    const told = async (text: string) => {
      await until('somebody listens', async () => (await redis.client.publish('news', text)) > 0);
      await until('it is heard', () => heard.includes(text));
    };
    await told('first');
    await redis.kill();
    await redis.start();
    await told('second');
    await redis.kill();
    // Not `once` of node:events: that rejects with the first error, and there is one for each try that finds no server.
    const ended = new Promise((resolve) => client.once('end', resolve));
    // At that moment the subscription is on its way; a rejection that nobody takes would fail this test.
    client.once('ready', () => {
      client.disconnect();
      (client as Redis).stream.destroy();
    });
    await redis.start();
    await ended;
    t.strictSame(heard, ['first', 'second']);
  },
);

t.test(
  'commands are told of, with those that failed; a script that must be sent again is none',
  async (t) => {
    const redis = await startTestRedis(t);
    const place = parseRedisUrl(redis.url) as RedisPlace;
    const client = createClient(place, { name: 'test', patience: 'fails-fast', replyMsMax: 2_000 }) as Redis;
    t.teardown(async () => client.disconnect());
    client.on('error', () => {});
    t.ok(await whenReady(client, 5_000));
    const calls = new DependencyCalls();
    calls.listen();
    t.teardown(() => calls.close());
    const failures = () => calls.stats().find(({ dependency }) => dependency === 'redis')?.failures;
    const count = () =>
      calls
        .stats()
        .find(({ dependency }) => dependency === 'redis')
        ?.times.counts.reduce((a, b) => a + b, 0);
    await client.set('a', '1');
    t.strictSame(await client.multi().incr('a').get('a').exec(), [
      [null, 2],
      [null, '2'],
    ]);
    t.strictSame([count(), failures()], [5, 0], 'SET, MULTI, INCR, GET, EXEC');
    client.defineCommand('once', { numberOfKeys: 0, lua: 'return 7' });
    t.equal(await (client as unknown as { once(): Promise<number> }).once(), 7);
    t.equal(failures(), 0);
    await t.rejects(client.hget('a', 'field'), /WRONGTYPE/);
    t.equal(failures(), 1);
    await redis.kill();
    await t.rejects(client.get('a'));
    t.equal(failures(), 2, 'nobody is there');
  },
);
