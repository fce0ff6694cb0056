/** Limits that several actor systems share, over one log and one Redis. */
import t, { type Test } from 'tap';
import { ActorSystem, silentLogger } from '../../runtime/index.js';
import type { Limits } from '../../runtime/limits.js';
import {
  type LimitedSettings,
  limitedModule,
  MESSAGES,
  MOST,
  newGauge,
  timesOf,
  tooMany,
} from '../../runtime/testing/actors/limited.js';
import { until } from '../../runtime/testing/until.js';
import { ready } from '../../runtime/testing/workers.js';
import { createClient } from '../redis/client.js';
import { startTestRedis } from '../redis/test-redis-server.js';
import { parseRedisUrl } from '../redis/url.js';
import { openRedisLog } from '../redis-log/open.js';
import { RedisShares } from './redis-shares.js';

const MESSAGES_MAX = 20_000;
const SYSTEMS = 3;
const PARTITIONS = 24;
let count = 0;

/** Systems that share a log, its partitions, and the limits of an actor type. */
async function startSystems(t: Test, url: string, limits: Limits, callMs: number, threads = 1) {
  const prefix = `s${count++}`;
  const place = parseRedisUrl(url);
  if (place === undefined) throw new Error('no URL');
  const settings: LimitedSettings = { gauge: newGauge(MESSAGES_MAX), callMs, began: Date.now() };
  const start = async (at: number) => {
    const log = await openRedisLog({ url, prefix, partitions: PARTITIONS });
    const client = createClient(place, { name: 'test', patience: 'fails-fast', replyMsMax: 500 });
    client.on('error', () => {});
    const system = await ActorSystem.start({
      log,
      deadLetters: { put: async () => {} },
      actors: [{ module: limitedModule(limits), threads, settings }],
      logger: silentLogger,
      ownership: 'none',
      limitShares: new RedisShares({ client, prefix, holder: `n${at}`, turnMs: 200 }),
    });
    const end = async () => {
      if (system.mode !== 'stopped') await system.drain(100);
      client.disconnect();
      await log.close();
    };
    const mine = log.open('limited').filter(({ index }) => index % SYSTEMS === at);
    for (const partition of mine) {
      const epoch = await log.claim(partition);
      system.adopt(partition.index, () => epoch);
    }
    return { system, client, end };
  };
  const first = await start(0);
  const started = [first, ...(await Promise.all([1, 2].map(start)))];
  t.teardown(async () => void (await Promise.all(started.map(({ end }) => end()))));
  // Else one of them might do all before another has begun.
  await until('all threads are ready', () => started.every(({ system }) => ready(system)), 60_000);
  const tell = async (messages: number) => {
    const told = [];
    for (let n = 0; n < messages; n++) told.push(first.system.ref('limited', `${n % 100}`).tellDurably(n));
    await Promise.all(told);
  };
  return { prefix, started, tell, gauge: settings.gauge };
}

t.setTimeout(60_000);

t.test('limits over systems', async (t) => {
  const redis = await startTestRedis(t);

  t.test('never more calls, nor more messages in a time, than in one system', async (t) => {
    const limits = { concurrencyMax: 4, ratePerSecond: 200, burst: 8 };
    const { tell, gauge } = await startSystems(t, redis.url, limits, 20, 2);
    const began = performance.now();
    await tell(400);
    await until('all are handled', () => gauge[MESSAGES] === 400, 20_000);
    t.comment(`400 messages at 200/s in ${Math.round(performance.now() - began)} ms`);
    t.equal(gauge[MOST], 4, 'all permits were used, and no more');
    // A message takes its token a moment before it is handed out and notes the time.
    t.strictSame(tooMany(timesOf(gauge), limits.ratePerSecond, limits.burst + 4), []);
  });

  t.test('one permit for three systems', async (t) => {
    const { tell, gauge } = await startSystems(t, redis.url, { concurrencyMax: 1 }, 5);
    await tell(100);
    await until('all are handled', () => gauge[MESSAGES] === 100, 20_000);
    t.equal(gauge[MOST], 1);
  });

  t.test('a limit of each node is not shared', async (t) => {
    const limits: Limits = { concurrencyMax: 1, within: 'node' };
    const { prefix, tell, gauge } = await startSystems(t, redis.url, limits, 10);
    await tell(300);
    await until('all are handled', () => gauge[MESSAGES] === 300, 20_000);
    t.equal(gauge[MOST], SYSTEMS);
    t.strictSame(await redis.client.keys(`${prefix}:limits/*`), []);
  });

  t.test('one that is cut off ends by itself, and then the others have its share', async (t) => {
    const { prefix, started, tell, gauge } = await startSystems(t, redis.url, { concurrencyMax: 3 }, 50);
    const shares = async () => {
      const said = await redis.client.hgetall(`${prefix}:limits/limited/permits`);
      return [0, 1, 2].map((at) => Number(said[`s:n${at}`]?.split(' ')[2] ?? 0));
    };
    // Four a call, three calls at a time: enough for 25 s, whatever the machine. Who has nothing to do needs no share.
    await tell(6_000);
    await until('each has one', async () => (await shares()).every((units) => units === 1));
    const [, lost] = started;
    lost?.client.disconnect();
    const lostAt = performance.now();
    await until('the others have its share', async () => {
      const [one, other, another] = await shares();
      return other === 0 && one !== undefined && another !== undefined && one + another === 3;
    });
    t.ok(performance.now() - lostAt > 2_000, 'it lasted for as long as it had been promised');
    t.equal(gauge[MOST], 3);
    Atomics.store(gauge, MOST, 0);
    const before = Atomics.load(gauge, MESSAGES);
    await until('they go on', () => Atomics.load(gauge, MESSAGES) > before + 50);
    t.equal(gauge[MOST], 3);
  });
});
