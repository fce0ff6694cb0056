import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { appendText } from '../log-contract.js';
import { startTestCluster, startTestRedis, type TestRedis } from '../redis/test-redis-server.js';
import { openRedisLog } from './open.js';

/** A reader that has read three messages, and committed one; it lets go of a partition that is not its own any more. */
async function startReading(t: Test, url: string) {
  const log = await openRedisLog({ url, partitions: 1 });
  t.teardown(() => log.close());
  const [partition] = log.open('a');
  if (partition === undefined) throw new Error('no partition');
  const lost: string[] = [];
  partition.onLost = (why) => {
    lost.push(why);
    log.abandon(partition);
  };
  await log.claim(partition);
  for (const text of ['1', '2', '3']) await appendText(partition, text);
  partition.commit(1);
  return { log, partition, lost };
}

const committedIn = ({ client }: TestRedis, key: string) => client.hget(key, 'committed');

t.test('after a restart of Redis nothing is written down that was read before', async (t) => {
  const redis = await startTestRedis(t, ['--appendfsync', 'always']);
  const { log, partition, lost } = await startReading(t, redis.url);
  const { state } = partition.keys;
  await until('it is written down', async () => (await committedIn(redis, state)) === '1');
  await redis.kill();
  await until('it is away', () => log.state === 'away');
  // Its last messages are others by now, as after a crash that lost some: offset 2 is none that this reader has seen.
  partition.commit(3);
  await redis.start();
  await until('the reader hears of it', () => lost.length > 0);
  t.strictSame(lost, ['went-back']);
  await appendText(partition, '4');
  t.equal(await committedIn(redis, state), '1');
  t.equal(await log.claim(partition), 2);
  t.equal(partition.committed, 1, 'it begins anew with what is written down');
  partition.commit(4);
  await until('and goes on', async () => (await committedIn(redis, state)) === '4');
});

t.test('a connection that ends loses nothing', async (t) => {
  const redis = await startTestRedis(t);
  const { log, partition, lost } = await startReading(t, redis.url);
  let aways = 0;
  log.onStateChange = (state) => {
    if (state === 'away') aways++;
  };
  await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal');
  await until('it was away', () => aways > 0);
  partition.commit(3);
  await until('it is written down', async () => (await committedIn(redis, partition.keys.state)) === '3');
  t.strictSame(lost, []);
});

t.test('a master of a Cluster that is restarted', async (t) => {
  const { url, nodes } = await startTestCluster(t);
  const { lost } = await startReading(t, url);
  for (const server of nodes) {
    await server.kill();
    await server.start();
  }
  await until('the reader hears of it', () => lost.length > 0, 20_000);
  t.equal(lost[0], 'went-back');
});
