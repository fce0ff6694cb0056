/** A Redis that nears its memory limit: who is refused, and when. */
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { until } from '../../runtime/testing/until.js';
import { appendText, type ContractTest, testFullLog } from '../log-contract.js';
import { startTestRedis, type TestRedis } from '../redis/test-redis-server.js';
import { openRedisLog } from './open.js';
import type { RedisLogOptions } from './options.js';
import type { RedisLog } from './redis-log.js';

let count = 0;

async function openOn(
  t: ContractTest,
  { url }: TestRedis,
  options: Pick<RedisLogOptions, 'clock'> = {},
): Promise<RedisLog> {
  const log = await openRedisLog({ url, prefix: `t${count++}`, partitions: 4, ...options });
  t.teardown(() => log.close());
  return log;
}

type RedisPartition = ReturnType<typeof partOf>;

function partOf(log: RedisLog, actor: string, index: number) {
  const partition = log.open(actor)[index];
  if (partition === undefined) throw new Error(`no partition ${index}`);
  return partition;
}

/** Appends until the log is full, and no more than Redis takes. */
async function fill(log: RedisLog, redis: TestRedis): Promise<void> {
  const memory = async (name: string) =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await redis.client.info('memory'))?.[1]);
  await until('it is full before Redis refuses anything', async () => {
    // What Redis uses for its clients comes and goes.
    const counted = async () => (await memory('used_memory')) - (await memory('mem_not_counted_for_evict'));
    while (log.state !== 'full' && (await counted()) < 0.91 * (await memory('maxmemory')))
      await appendText(partOf(log, 'first', 0), 'x'.repeat(50_000)).catch(() => {});
    return log.state === 'full';
  });
}

/** A large message, and waits until the log has seen what it takes. */
async function append(log: RedisLog, clock: ManualClock, partition: RedisPartition, passesOn: boolean) {
  const { memoryBytes } = log.stats();
  await appendText(partition, 'x'.repeat(50_000), passesOn);
  await until('it has looked', () => {
    clock.advance(1_000);
    return log.stats().memoryBytes !== memoryBytes;
  });
}

t.test('a full log, for actors', async (t: Test) => {
  const redis = await startTestRedis(t, ['--maxmemory', '16mb']);
  testFullLog(t, async (t) => {
    const log = await openOn(t, redis);
    await fill(log, redis);
    return log;
  });

  t.test('they are refused before Redis refuses anything, until some of it is done', async (t) => {
    await redis.client.flushall();
    const clock = new ManualClock();
    const log = await openOn(t, redis, { clock });
    const [first, second] = [partOf(log, 'first', 0), partOf(log, 'second', 0)];
    const grow = (partition: RedisPartition, passesOn: boolean) => append(log, clock, partition, passesOn);
    const share = () => log.stats().memoryBytes / log.stats().memoryBytesMax;
    while (log.state === 'open') await grow(first, false);
    const full = share();
    t.ok(full >= 0.9 && full < 0.93, `${full}`);
    await t.rejects(
      (async () => {
        for (;;) await grow(second, true);
      })(),
      { code: 'TETHER_LOG_FULL' },
    );
    t.ok(share() >= 0.95 && share() < 0.97, `${share()}`);
    second.commit(second.end);
    await until('there is room again', () => {
      clock.advance(1_000);
      return appendText(second, 'x', true).then(
        () => true,
        () => false,
      );
    });
    t.equal(log.state, 'full');
    await t.rejects(appendText(second, 'x'), { code: 'TETHER_LOG_FULL' }, 'not for senders');
  });
});

t.test('a server that nears its memory limit', async (t) => {
  const redis = await startTestRedis(t, ['--maxmemory', '16mb']);
  const log = await openOn(t, redis);
  const partition = partOf(log, 'first', 0);
  await fill(log, redis);
  await t.rejects(appendText(partition, 'refused'), { code: 'TETHER_LOG_FULL' });
  partition.commit(partition.end);
  await until('it has room', () => log.state === 'open');
  await appendText(partition, 'again');

  await redis.client.config('SET', 'maxmemory', '1mb');
  await t.rejects(appendText(partition, 'x'), { code: 'TETHER_LOG_FULL' }, 'nor when Redis refuses first');
  t.equal(log.state, 'full');
  const epoch = await log.claim(partition);
  t.equal(epoch, 1, 'a reader takes over, at the limit too');
  t.ok(partition.end > partition.committed);
  partition.commit(partition.end);
  await until('and makes room', async () => (await redis.client.xlen(partition.keys.frames)) === 0);
});

t.test('what waits for a replica that does not read makes nobody wait', async (t) => {
  const settings = ['--maxmemory', '16mb', '--repl-backlog-size', '16kb', '--repl-diskless-sync', 'no'];
  const redis = await startTestRedis(t, settings);
  const { hostname, port } = new URL(redis.url);
  const replica = connect({ host: hostname, port: Number(port) });
  t.teardown(() => replica.destroy());
  replica.pause().write('SYNC\r\n');
  await until('it is fed', async () => /state=online/.test(await redis.client.info('replication')));
  const clock = new ManualClock();
  const log = await openOn(t, redis, { clock });
  const partition = partOf(log, 'first', 0);
  while (log.state === 'open') await append(log, clock, partition, false);
  const memory = await redis.client.info('memory');
  const waiting = Number(/mem_not_counted_for_evict:(\d+)/.exec(memory)?.[1]);
  t.ok(waiting > 2e6, `${waiting} bytes wait for it`);
  t.ok(partition.end > 200, `${partition.end} messages of 50 kB before it is full`);
});
