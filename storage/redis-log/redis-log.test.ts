import { type AddressInfo, connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { ManualClock } from '../../runtime/clock.js';
import { LogReadError } from '../../runtime/errors.js';
import { until } from '../../runtime/testing/until.js';
import { appendText, type ContractTest, part, readTexts, testMessageLog, textsOf } from '../log-contract.js';
import { startTestRedis, type TestRedis } from '../redis/test-redis-server.js';
import { openRedisLog } from './open.js';
import type { RedisLogOptions } from './options.js';
import type { RedisLog } from './redis-log.js';

const prefixes = new WeakMap<ContractTest, string>();
let count = 0;

async function openOn(
  t: ContractTest,
  redis: Pick<TestRedis, 'url'>,
  options: Pick<RedisLogOptions, 'pendingBytesMax' | 'replyMsMax' | 'clock'> = {},
): Promise<RedisLog> {
  const prefix = prefixes.get(t) ?? `t${count++}`;
  prefixes.set(t, prefix);
  const log = await openRedisLog({ url: redis.url, prefix, partitions: 4, ...options });
  t.teardown(() => log.close());
  return log;
}

function partOf(log: RedisLog, actor: string, index: number) {
  const partition = log.open(actor)[index];
  if (partition === undefined) throw new Error(`no partition ${index}`);
  return partition;
}

t.test('one server', async (t: Test) => {
  const redis = await startTestRedis(t);
  testMessageLog(t, (t) => openOn(t, redis));

  t.test('the time of each group that landed is measured', async (t) => {
    const log = await openOn(t, redis);
    for (let n = 0; n < 3; n++) await appendText(part(log, 'a', 0), `${n}`);
    const { counts, sum } = log.commitTimes();
    t.equal(
      counts.reduce((a, b) => a + b, 0),
      3,
    );
    t.ok(sum > 0 && sum < 3, `${sum} seconds`);
  });

  t.test('what another process appends is heard of, and read', async (t) => {
    // Its clock stands still, so that it polls nothing.
    const clock = new ManualClock();
    const reader = await openOn(t, redis, { clock });
    const writer = await openOn(t, redis);
    const partition = partOf(reader, 'a', 1);
    await reader.claim(partition);
    let heard = 0;
    partition.onAppended = () => {
      heard++;
    };
    await appendText(part(writer, 'a', 1), 'x');
    await appendText(part(writer, 'a', 1), 'y');
    await until('both are heard of', () => partition.end === 2);
    t.ok(heard >= 1);
    t.strictSame(await readTexts(partition, 0), ['x', 'y']);
    partition.commit(2);
    clock.advance(1_000);
    await until('the writer hears of the commit', () => writer.lag() === 0);

    await redis.client.hset(partition.keys.state, 'end', 3);
    await until('what nobody told is polled', () => {
      clock.advance(1_000);
      return partition.end === 3;
    });
  });

  t.test('messages of two writers stand one behind the other, without a gap', async (t) => {
    const writers = [await openOn(t, redis), await openOn(t, redis)];
    // News of the other's appends may overtake the answer to one's own.
    const lost: string[] = [];
    for (const writer of writers) partOf(writer, 'a', 0).onLost = (why) => lost.push(why);
    const appended = await Promise.all(
      Array.from({ length: 400 }, (_, i) => appendText(part(writers[i % 2] as RedisLog, 'a', 0), `${i}`)),
    );
    t.strictSame(
      [...appended].sort((a, b) => a - b),
      appended.map((_, i) => i),
    );
    const partition = part(writers[0] as RedisLog, 'a', 0);
    await until('one hears of the other', () => partition.end === 400);
    const texts = await readTexts(partition, 0, 2_000);
    t.strictSame(texts.map(Number), invert(appended));
    t.strictSame(lost, []);
  });

  t.test('a claim stands where the reader before has left it, whose commits count no more', async (t) => {
    const before = await openOn(t, redis);
    const after = await openOn(t, redis);
    const old = partOf(before, 'a', 2);
    t.equal(await before.claim(old), 1);
    for (const text of ['1', '2', '3']) await appendText(old, text);
    old.commit(1);
    const lost: string[] = [];
    old.onLost = (why) => lost.push(why);
    await until(
      'the commit is written down',
      async () => (await redis.client.hget(old.keys.state, 'committed')) === '1',
    );
    const taken = partOf(after, 'a', 2);
    t.equal(await after.claim(taken), 2);
    t.strictSame([taken.committed, taken.end], [1, 3]);
    old.commit(3);
    await until('the old reader hears of it', () => lost.length > 0);
    t.strictSame(lost, ['claimed']);
    t.strictSame(await readTexts(taken, 1), ['2', '3'], 'nothing was removed');
  });

  t.test('a reader that leaves has written down what it did, and hears nothing of the next', async (t) => {
    const clock = new ManualClock();
    const before = await openOn(t, redis, { clock });
    const after = await openOn(t, redis);
    const old = partOf(before, 'a', 1);
    await before.claim(old);
    for (const text of ['1', '2', '3']) await appendText(old, text);
    const lost: string[] = [];
    old.onLost = (why) => lost.push(why);
    old.commit(2);
    await before.leave(old);
    const taken = partOf(after, 'a', 1);
    await after.claim(taken);
    t.equal(taken.committed, 2, 'without waiting for the clock');
    taken.commit(3);
    await until('the one before sees how far the next has come', () => {
      clock.advance(1_000);
      return old.committed === 3;
    });
    t.strictSame(lost, []);
  });

  t.test('a partition that is claimed while it is still being left stays claimed', async (t) => {
    const log = await openOn(t, redis);
    const partition = partOf(log, 'a', 1);
    await log.claim(partition);
    const [, epoch] = await Promise.all([log.leave(partition), log.claim(partition)]);
    t.equal(partition.epoch, epoch);
  });

  t.test('a reader that has nothing to commit hears that another has claimed its partition', async (t) => {
    const clock = new ManualClock();
    const before = await openOn(t, redis, { clock });
    const after = await openOn(t, redis);
    const [old, left] = [partOf(before, 'a', 0), partOf(before, 'a', 1)];
    const lost: string[] = [];
    for (const partition of [old, left]) {
      partition.onLost = (why) => lost.push(`${partition.index} ${why}`);
      await before.claim(partition);
    }
    before.abandon(left);
    for (const index of [0, 1]) await after.claim(partOf(after, 'a', index));
    await until('it looks', () => {
      clock.advance(1_000);
      return lost.length > 0;
    });
    t.match(lost, ['0 claimed']);
    t.notOk(lost.includes('1 claimed'), 'of one that it has left it hears nothing');
  });

  t.test('only what is committed is removed', async (t) => {
    const log = await openOn(t, redis);
    const partition = partOf(log, 'a', 3);
    for (let i = 0; i < 300; i++) await appendText(partition, `${i}`);
    partition.commit(150);
    await until(
      'it is written down',
      async () => (await redis.client.hget(partition.keys.state, 'committed')) === '150',
    );
    t.strictSame((await readTexts(partition, 150, 500)).length, 150);
    const left = await redis.client.xlen(partition.keys.frames);
    t.ok(left >= 150 && left < 300, `${left} frames`);
    partition.commit(300);
    await until('all of it is gone', async () => (await redis.client.xlen(partition.keys.frames)) === 0);
    t.equal(await appendText(partition, 'on'), 300, 'offsets go on');
  });

  t.test('messages that are gone without being done are an error, and not passed over', async (t) => {
    const log = await openOn(t, redis);
    const partition = partOf(log, 'a', 0);
    for (const text of ['1', '2', '3']) await appendText(partition, text);
    await redis.client.xdel(partition.keys.frames, '2-0');
    t.strictSame(await readTexts(partition, 2), ['3']);
    await t.rejects(readTexts(partition, 0), LogReadError);
    await redis.client.del(partition.keys.frames);
    await t.rejects(readTexts(partition, 0), LogReadError);
  });

  t.test('what is read may be more than was heard of', async (t) => {
    const log = await openOn(t, redis, { clock: new ManualClock() });
    const partition = partOf(log, 'a', 0);
    await appendText(partition, '1');
    const frame = Buffer.from([1, 0, 0, 0, 50, 1, 0, 0, 0, 51]);
    await redis.client.xadd(partition.keys.frames, '3-0', 'n', 2, 'b', frame);
    await redis.client.hset(partition.keys.state, 'end', 3);
    t.equal(partition.end, 1);
    const read = await partition.read(0, 1_000);
    t.strictSame(textsOf(read), ['1', '2', '3']);
    partition.commit(3);
    t.strictSame(partition.read(3, 1_000), []);
  });

  t.test(
    'a reader hears that Redis has lost what it knew of, by its own append and by the poll',
    async (t) => {
      const clock = new ManualClock();
      const log = await openOn(t, redis, { clock });
      const lost: string[] = [];
      for (const index of [0, 1]) {
        const partition = partOf(log, 'a', index);
        partition.onLost = (why) => lost.push(`${index} ${why}`);
        for (const text of ['1', '2', '3']) await appendText(partition, text);
        partition.commit(2);
        await redis.client.del(partition.keys.state, partition.keys.frames);
      }
      t.equal(await appendText(partOf(log, 'a', 0), 'anew'), 0);
      t.strictSame(lost, ['0 went-back']);
      await until('the poll finds it', () => {
        clock.advance(1_000);
        return lost.includes('1 went-back');
      });
      t.strictSame([partOf(log, 'a', 0).end, partOf(log, 'a', 1).end], [1, 0]);
    },
  );

  t.test(
    'an offset that Redis has lost is written down again, though nothing more is committed',
    async (t) => {
      const clock = new ManualClock();
      const log = await openOn(t, redis, { clock });
      const partition = partOf(log, 'a', 0);
      await log.claim(partition);
      for (const text of ['1', '2']) await appendText(partition, text);
      partition.commit(2);
      const written = () => redis.client.hget(partition.keys.state, 'committed');
      const seen = async () => {
        clock.advance(1_000);
        return (await written()) === '2';
      };
      await until('it is written down', seen);
      await redis.client.hset(partition.keys.state, 'committed', 1);
      await until('it is written down again', seen);
    },
  );

  t.test('a log with another number of partitions is refused', async (t) => {
    await openOn(t, redis);
    await t.rejects(openRedisLog({ url: redis.url, prefix: prefixes.get(t) ?? '', partitions: 8 }), {
      code: 'TETHER_REDIS_LOG',
      message: /has 4 partitions of each actor type, not 8/,
    });
  });

  t.test('more than may wait is refused', async (t) => {
    const log = await openOn(t, redis, { pendingBytesMax: 4_096 });
    const all = Array.from({ length: 10 }, () => appendText(part(log, 'a', 0), 'x'.repeat(1_000)));
    const results = await Promise.allSettled(all);
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 4);
    t.match(
      results.find(({ status }) => status === 'rejected'),
      { reason: { code: 'TETHER_LOG_FULL' } },
    );
    t.equal(await appendText(part(log, 'a', 0), 'room again'), 4);
  });
});

t.test('a server that is away', async (t) => {
  const redis = await startTestRedis(t, ['--appendfsync', 'always']);
  const log = await openOn(t, redis, { replyMsMax: 500 });
  const partition = partOf(log, 'a', 0);
  for (const text of ['1', '2']) await appendText(partition, text);
  const states: string[] = [];
  log.onStateChange = (state) => states.push(state);
  await redis.kill();
  await until('it is away', () => log.state === 'away');
  await t.rejects(appendText(partition, 'refused'), { code: 'TETHER_LOG_UNAVAILABLE' });
  const read = readTexts(partition, 0);
  await redis.start();
  await until('it is there again', () => log.state === 'open');
  t.strictSame(await read, ['1', '2'], 'a reader waits');
  t.equal(await appendText(partition, '3'), 2);
  t.strictSame(states, ['away', 'open']);

  // It takes connections, and says nothing.
  process.kill(redis.pid, 'SIGSTOP');
  t.teardown(async () => void process.kill(redis.pid, 'SIGCONT'));
  await t.rejects(appendText(partition, 'not known'), { code: 'TETHER_LOG_UNAVAILABLE' });
  process.kill(redis.pid, 'SIGCONT');
  await until('it answers again', async () =>
    appendText(partition, 'again').then(
      () => true,
      () => false,
    ),
  );
  const texts = await readTexts(partition, 0);
  t.ok(['1,2,3,again', '1,2,3,not known,again'].includes(texts.join()), texts.join());
});

t.test('an actor that was opened while Redis was away is known later', async (t) => {
  const redis = await startTestRedis(t);
  const log = await openOn(t, redis);
  await redis.kill();
  await until('it is away', () => log.state === 'away');
  log.open('late');
  await redis.start();
  await until(
    'it is known',
    async () => (await redis.client.sismember(`${prefixes.get(t)}:actors`, 'late')) === 1,
  );
});

t.test('what Redis refuses at the start is no outage', async (t) => {
  const redis = await startTestRedis(t);
  await redis.client.set('wrong:log', 'a text');
  await t.rejects(openRedisLog({ url: redis.url, prefix: 'wrong' }), { code: 'TETHER_REDIS_LOG' });
});

t.test('a server that cannot be reached at the start', async (t) => {
  const started = performance.now();
  await t.rejects(openRedisLog({ url: 'redis://127.0.0.1:1', connectMsMax: 200 }), {
    code: 'TETHER_LOG_UNAVAILABLE',
  });
  t.ok(performance.now() - started < 5_000);
});

t.test('a server that goes away while the log is opened is waited for', async (t) => {
  const redis = await startTestRedis(t);
  // In between: the first connection that makes the log is cut off before Redis hears of it.
  let cut = 0;
  const between = createServer((socket) => {
    const server = connect(redis.port, '127.0.0.1');
    for (const each of [socket, server]) each.on('error', () => undefined);
    server.pipe(socket);
    socket.on('data', (data) => {
      if (cut === 0 && data.includes('hsetnx')) {
        cut++;
        socket.destroy();
      } else server.write(data);
    });
    socket.on('close', () => server.destroy());
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  const { port } = between.address() as AddressInfo;
  const log = await openRedisLog({ url: `redis://127.0.0.1:${port}`, connectMsMax: 10_000 });
  t.equal(cut, 1, 'it was cut off');
  t.equal(log.state, 'open');
  await log.close();
  between.close();
});

function invert(places: readonly number[]): number[] {
  const inverted: number[] = [];
  for (const [at, place] of places.entries()) inverted[place] = at;
  return inverted;
}
