import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { createClient, whenReady } from '../redis/client.js';
import { startTestCluster, startTestRedis } from '../redis/test-redis-server.js';
import { parseRedisUrl } from '../redis/url.js';
import { RedisLeases } from './leases.js';

let count = 0;

async function openAs(
  t: Test,
  url: string,
  prefix: string,
  holder: string,
  ttlMs = 60_000,
): Promise<RedisLeases> {
  const place = parseRedisUrl(url);
  if (place === undefined) throw new Error('no URL');
  const [client, subscriber] = (['fails-fast', 'subscribes'] as const).map((patience) => {
    const client = createClient(place, { name: 'test', patience, replyMsMax: 1_000 });
    client.on('error', () => {});
    t.teardown(() => client.disconnect());
    return client;
  });
  if (client === undefined || subscriber === undefined) throw new Error('there are two');
  await whenReady(client, 5_000);
  return new RedisLeases({ client, subscriber, prefix, holder, ttlMs });
}

function testLeases(t: Test, url: string): void {
  t.test('one holder at a time', async (t) => {
    const prefix = `t${count++}`;
    const a = await openAs(t, url, prefix, 'a');
    const b = await openAs(t, url, prefix, 'b');
    t.equal(await a.acquire(7), undefined);
    t.equal(await a.acquire(7), undefined, 'its own again');
    t.equal(await b.acquire(7), 'a');
    t.equal(await b.acquire(8), undefined);
    t.strictSame([...(await a.renew([7, 8, 9]))], [7], 'nothing is renewed that is not held');
    t.equal(await b.release(7), false);
    t.equal(await b.acquire(7), 'a', 'and nothing was released');
    const heard: number[] = [];
    b.onReleased((index) => heard.push(index));
    await until('it is heard', async () => {
      if (await a.release(7)) t.equal(await a.acquire(7), undefined);
      return heard.length > 0;
    });
    t.equal(heard[0], 7);
    t.equal(await a.release(7), true);
    t.equal(await b.acquire(7), undefined);
  });

  t.test('a lease that is not renewed runs out', async (t) => {
    const prefix = `t${count++}`;
    const a = await openAs(t, url, prefix, 'a', 300);
    const b = await openAs(t, url, prefix, 'b', 300);
    t.equal(await a.acquire(1), undefined);
    await until('it ran out', async () => (await b.acquire(1)) === undefined);
    t.strictSame([...(await a.renew([1]))], []);
    t.equal(await a.release(1), false);
    t.equal(await a.acquire(1), 'b');
  });

  t.test('what nodes say of themselves', async (t) => {
    const prefix = `t${count++}`;
    const a = await openAs(t, url, prefix, 'a');
    const b = await openAs(t, url, prefix, 'b');
    const of = (node: string, beat: number, state: 'active' | 'leaving' = 'active') => ({
      node,
      incarnation: `${node}1`,
      beat,
      state,
    });
    t.strictSame(await a.announce(of('a', 1)), [of('a', 1)]);
    t.strictSame(sorted(await b.announce(of('b', 1, 'leaving'))), [of('a', 1), of('b', 1, 'leaving')]);
    await a.announce(of('a', 2));
    await b.forget('a');
    t.strictSame(
      sorted(await b.announce(of('b', 2))),
      [of('a', 2), of('b', 2)],
      'it has said something since',
    );
    await b.forget('a');
    t.strictSame(await b.announce(of('b', 3)), [of('b', 3)]);
  });
}

function sorted<Item extends { readonly node: string }>(items: readonly Item[]): Item[] {
  return [...items].sort((a, b) => a.node.localeCompare(b.node));
}

t.test('one server', async (t) => {
  const redis = await startTestRedis(t);
  testLeases(t, redis.url);

  t.test('what a node reads, and that one only takes messages in', async (t) => {
    const a = await openAs(t, redis.url, `t${count++}`, 'a');
    const own = { node: 'a', incarnation: 'i', beat: 1, state: 'leaving', owned: [1, 3] } as const;
    t.strictSame(await a.announce(own), [own]);
    const gateway = { node: 'a', incarnation: 'i', beat: 2, state: 'leaving', role: 'gateway' } as const;
    t.strictSame(await a.announce(gateway), [gateway]);
  });

  t.test('what is no announcement is left out', async (t) => {
    const prefix = `t${count++}`;
    const a = await openAs(t, redis.url, prefix, 'a');
    await redis.client.hset(`${prefix}:nodes`, { x: '{', y: '[]', z: '{"beat":"1"}', n: 'null' });
    t.strictSame((await a.announce({ node: 'a', incarnation: 'i', beat: 1, state: 'active' })).length, 1);
  });

  t.test('at the memory limit nodes live, and leases are taken', async (t) => {
    const a = await openAs(t, redis.url, `t${count++}`, 'a');
    await redis.client.config('SET', 'maxmemory', '1mb');
    t.teardown(async () => void (await redis.client.config('SET', 'maxmemory', '0')));
    await t.rejects(redis.client.set('x', 'y'), /OOM/);
    t.equal(await a.acquire(1), undefined);
    t.equal((await a.announce({ node: 'a', incarnation: 'i', beat: 1, state: 'active' })).length, 1);
  });

  t.test('nothing is known while Redis is away', async (t) => {
    const a = await openAs(t, redis.url, `t${count++}`, 'a');
    await redis.kill();
    await t.rejects(a.acquire(1));
    await t.rejects(a.renew([1]));
  });
});

t.test('a Cluster', async (t) => {
  testLeases(t, (await startTestCluster(t)).url);
});
