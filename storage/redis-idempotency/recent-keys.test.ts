import t, { type Test } from 'tap';
import { systemClock } from '../../runtime/clock.js';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { VirtualClock } from '../../runtime/testing/virtual-clock.js';
import { within } from '../../runtime/within.js';
import { startTestCluster, startTestRedis } from '../redis/test-redis-server.js';
import { parseRedisUrl } from '../redis/url.js';
import { RecentKeys, type RecentKeysOptions } from './recent-keys.js';

let count = 0;
/** Time stands still for it: no deadline and no rest ends by itself. */
const stillClock = () => new VirtualClock(0, (choices) => choices - 1);

async function openKeys(t: Test, url: string, options: Partial<RecentKeysOptions> = {}): Promise<RecentKeys> {
  const place = parseRedisUrl(url);
  if (place === undefined) throw new Error('no URL');
  const keys = new RecentKeys({
    place,
    prefix: `t${count++}`,
    entriesMax: 1_000,
    replyMsMax: 1_000,
    clock: stillClock(),
    logger: silentLogger,
    ...options,
  });
  t.teardown(() => keys.close());
  await until('it is connected', async () => {
    await keys.known(['']);
    return keys.stats.asked > 0;
  });
  return keys;
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `emp sale:${from + n}`);

function testKeys(t: Test, url: string): void {
  t.test('what one remembers, all know', async (t) => {
    const prefix = `t${count++}`;
    const one = await openKeys(t, url, { prefix });
    const other = await openKeys(t, url, { prefix });
    const apart = await openKeys(t, url);
    t.strictSame([...(await one.known(names(0, 10)))], []);
    await one.remember(names(3, 5));
    t.strictSame([...(await other.known(names(0, 10)))].sort(), names(3, 5));
    t.strictSame([...(await apart.known(names(0, 10)))], [], 'by another prefix');
    t.strictSame([...(await other.known([]))], []);
  });

  t.test('more than a script takes at once', async (t) => {
    const keys = await openKeys(t, url, { entriesMax: 100_000 });
    await keys.remember(names(0, 9_000));
    t.equal((await keys.known(names(0, 9_000))).size, 9_000);
    t.equal((await keys.known(names(8_990, 9_010))).size, 10);
  });

  t.test('there are no more than it may have, and the oldest go', async (t) => {
    const keys = await openKeys(t, url, { entriesMax: 1_000 });
    for (let at = 0; at < 10_000; at += 10) await keys.remember(names(at, at + 10));
    const known = await keys.known(names(0, 10_000));
    t.ok(known.size <= 1_000 + 16 * 2 * 10 && known.size >= 400, `${known.size} are left`);
    t.equal((await keys.known(names(9_900, 10_000))).size, 100, 'the last ones among them');
    t.strictSame(keys.stats, { mode: 'asking', asked: keys.stats.asked, unanswered: 0 });
  });
}

const redis = await startTestRedis(t);

t.test('one server', async (t) => testKeys(t, redis.url));

t.test('a Cluster', async (t) => testKeys(t, (await startTestCluster(t)).url));

t.test(
  'keys go by themselves: the younger set takes what is new, until it is half as old as it gets',
  async (t) => {
    const keys = await openKeys(t, redis.url, { prefix: 'age' });
    const { client } = redis;
    const sets = ['age:{seen/0}:0', 'age:{seen/0}:1'] as const;
    const day = 24 * 3_600_000;
    const left = () => Promise.all(sets.map((set) => client.pttl(set)));
    await keys.remember(['a']);
    const [first = 0] = await left();
    t.ok(first > 2 * day - 60_000 && first <= 2 * day);
    await client.pexpire(sets[0], day + 60_000);
    await keys.remember(['b']);
    t.strictSame([await client.scard(sets[0]), await client.scard(sets[1])], [2, 0]);
    await client.pexpire(sets[0], day - 1);
    await keys.remember(['c']);
    t.strictSame([await client.scard(sets[0]), await client.scard(sets[1])], [2, 1]);
    t.strictSame([...(await keys.known(['a', 'b', 'c', 'd']))].sort(), ['a', 'b', 'c']);
    const ages = await left();
    t.ok((ages[0] ?? 0) < day && (ages[1] ?? 0) > day, 'what is there lives no longer for it');
    await client.pexpire(sets[0], 1);
    await until('the older one is gone', async () => (await client.exists(sets[0])) === 0);
    await client.pexpire(sets[1], day - 1);
    await keys.remember(['d']);
    t.strictSame([...(await keys.known(['a', 'b', 'c', 'd']))].sort(), ['c', 'd']);
  },
);

t.test('at the memory limit nothing is added, and what is there is known', async (t) => {
  const small = await startTestRedis(t);
  const keys = await openKeys(t, small.url, { entriesMax: 1_000_000 });
  await keys.remember(['a']);
  await small.client.config('SET', 'maxmemory', '1');
  await keys.remember(['b']);
  t.equal(keys.stats.mode, 'resting', 'a refusal is as good as silence');
  await small.client.config('SET', 'maxmemory', '0');
  const others = await openKeys(t, small.url, { prefix: `t${count - 1}` });
  t.strictSame([...(await others.known(['a', 'b']))], ['a']);
});

t.test('silent, it costs one deadline, and then nothing until it was left in peace', async (t) => {
  const clock = stillClock();
  const keys = await openKeys(t, redis.url, { clock, replyMsMax: 60_000 });
  await keys.remember(['a']);
  process.kill(redis.pid, 'SIGSTOP');
  t.teardown(async () => void process.kill(redis.pid, 'SIGCONT'));
  const asked = keys.known(['a']);
  clock.ring();
  t.strictSame([...(await within(systemClock, 5_000, asked))], []);
  const before = keys.stats;
  t.match(before, { mode: 'resting', unanswered: 1 });
  for (let n = 0; n < 100; n++) {
    t.strictSame([...(await keys.known(['a']))], []);
    await keys.remember(['b']);
  }
  t.strictSame(keys.stats, before, 'it was not asked again');
  process.kill(redis.pid, 'SIGCONT');
  clock.ring();
  await until('it is asked again', async () => (await keys.known(['a'])).size === 1);
});

t.test('gone, it costs nothing; back, what it kept is known', async (t) => {
  const clock = stillClock();
  const keys = await openKeys(t, redis.url, { clock });
  await keys.remember(['a']);
  await redis.kill();
  // No time passes for its deadlines.
  await until('nothing is known', async () => (await keys.known(['a'])).size === 0);
  await keys.remember(['b']);
  await redis.start();
  clock.ring();
  await until('it is asked again', async () => (await keys.known(['a'])).size === 1);
  await redis.client.flushall();
  t.equal((await keys.known(['a'])).size, 0, 'what Redis has lost is not known');
});

t.test('closed, it says nothing any more', async (t) => {
  const keys = await openKeys(t, redis.url);
  await keys.remember(['a']);
  const asked = keys.known(['a']);
  keys.close();
  t.ok((await asked).size <= 1);
  t.strictSame([...(await keys.known(['a']))], []);
  await keys.remember(['b']);
  t.equal(keys.stats.mode, 'closed');
});
