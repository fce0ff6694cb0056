/** The simulated Redis against a real one: the same commands, drawn by chance, have the same answers. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { until } from '../../../runtime/testing/until.js';
import type { RedisClient } from '../../../storage/redis/client.js';
import { startTestRedis } from '../../../storage/redis/test-redis-server.js';
import { RedisLeases } from '../../../storage/redis-leases/leases.js';
import { defineScripts } from '../../../storage/redis-log/lua/index.js';
import { type Argument, RedisState } from './redis-state.js';

type Call = readonly [name: string, ...given: Argument[]];

const RUNS = 60;
const LONG_MS = 60_000;

const place = fc.constantFrom('{a/0}', '{a/1}');
const state = place.map((name) => `${name}:state`);
const node = fc.constantFrom('n0', 'n1', 'n2');
const lease = fc.constantFrom('lease/0', 'lease/1');
const said = fc.constantFrom('one', 'two');
const body = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes));
const count = fc.integer({ min: 1, max: 3 });

const call: fc.Arbitrary<Call> = fc.oneof(
  fc
    .tuple(place, count, body)
    .map(([at, n, bytes]): Call => ['tetherAppend', 2, `${at}:state`, `${at}:frames`, 'channel', n, bytes]),
  fc
    .tuple(count, body, count, body)
    .map(
      ([n, a, m, b]): Call => [
        ...(['tetherAppend', 4, '{a/0}:state', '{a/0}:frames', '{a/1}:state', '{a/1}:frames'] as const),
        ...(['channel', n, a, m, b] as const),
      ],
    ),
  state.map((key): Call => ['tetherClaim', key]),
  fc
    .tuple(place, fc.nat(4), fc.nat(12))
    .map(([at, epoch, offset]): Call => ['tetherCommit', `${at}:state`, `${at}:frames`, epoch, offset]),
  fc.tuple(lease, node).map(([key, holder]): Call => ['tetherAcquire', key, holder, LONG_MS]),
  fc.tuple(lease, node).map(([key, holder]): Call => ['tetherRenew', key, holder, LONG_MS]),
  fc.tuple(lease, node).map(([key, holder]): Call => ['tetherRelease', key, holder, 'channel', key]),
  fc.tuple(node, said).map(([name, words]): Call => ['tetherAnnounce', 'nodes', name, words]),
  fc.tuple(node, said).map(([name, words]): Call => ['tetherForget', 'nodes', name, words]),
  state.map((key): Call => ['hmget', key, 'end', 'committed', 'epoch']),
  fc.tuple(node, said).map(([field, value]): Call => ['hsetnx', 'log', field, value]),
  node.map((member): Call => ['sadd', 'actors', member]),
  fc.constant<Call>(['smembers', 'actors']),
);

/** A server may keep some of the frames that are done, so what is read begins behind them. */
async function framesOf(run: (call: Call) => Promise<unknown>, at: string): Promise<unknown> {
  const [committed] = (await run(['hmget', `${at}:state`, 'committed'])) as (string | null)[];
  return run(['xrangeBuffer', `${at}:frames`, `${Number(committed ?? 0) + 1}-0`, '+', 'COUNT', 2]);
}

/** Sets have no order, and neither has a hash. */
function plain([name]: Call, answer: unknown): unknown {
  if (name === 'smembers') return [...(answer as string[])].sort();
  if (name !== 'tetherAnnounce') return answer;
  const words = answer as string[];
  return words.flatMap((word, at) => (at % 2 === 0 ? [`${word}=${words[at + 1]}`] : [])).sort();
}

t.test('the scripts are restated as they are', async (t) => {
  const seed = testSeed(t);
  const { client, url } = await startTestRedis(t);
  const ours = new Redis(url);
  t.teardown(() => ours.disconnect());
  define(ours);
  const listener = new Redis(url);
  t.teardown(() => listener.disconnect());
  let heard: string[] = [];
  listener.on('message', (_, word: string) => heard.push(word));
  await listener.subscribe('channel');
  const onServer = ([name, ...given]: Call): Promise<unknown> =>
    (ours as unknown as Record<string, (...given: readonly Argument[]) => Promise<unknown>>)[name]?.(
      ...given,
    ) ?? Promise.reject(new Error(name));
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 40, size: 'max' }), async (calls) => {
      await client.flushall();
      const model = new RedisState(Date.now);
      const inModel = async ([name, ...given]: Call) => model.run(name, given);
      heard = [];
      const said: string[] = [];
      for (const each of calls) {
        const [real, simulated] = [await onServer(each), await inModel(each)];
        said.push(...model.words.map(({ text }) => text));
        t.strictSame(plain(each, simulated), plain(each, real), each[0]);
        if (!t.passing()) throw new Error(`${each[0]} is not the same`);
      }
      await until('all words are heard', () => heard.length >= said.length);
      t.strictSame(heard, said, 'the words that are told');
      for (const at of ['{a/0}', '{a/1}'])
        t.strictSame(await framesOf(inModel, at), await framesOf(onServer, at), `the frames of ${at}`);
    }),
    { numRuns: RUNS, seed },
  );

  t.test('a lease runs out', async (t) => {
    let now = 0;
    const model = new RedisState(() => now);
    for (const run of [async (call: Call) => model.run(call[0], call.slice(1)), onServer]) {
      t.equal(await run(['tetherAcquire', 'short', 'n0', 30]), 'n0');
      now = 31;
      await until('it has run out', async () => (await run(['tetherRenew', 'short', 'n0', 30])) === 0);
      t.equal(await run(['tetherAcquire', 'short', 'n1', 30]), 'n1');
      t.equal(await run(['tetherRelease', 'short', 'n0', 'channel', 'x']), 0);
    }
  });

  t.test('at the memory limit', async (t) => {
    await client.flushall();
    await client.config('SET', 'maxmemory', 1);
    const model = new RedisState(Date.now);
    model.full = true;
    const calls: readonly Call[] = [
      ['tetherAppend', 2, '{x}:state', '{x}:frames', 'channel', 1, Buffer.from('b')],
      ['tetherClaim', 'x:state'],
      ['tetherCommit', 'x:state', 'x:frames', 1, 0],
      ['tetherAcquire', 'lease', 'n0', LONG_MS],
      ['tetherRenew', 'lease', 'n0', LONG_MS],
      ['tetherAnnounce', 'nodes', 'n0', 'one'],
      ['tetherForget', 'nodes', 'n0', 'one'],
      ['tetherRelease', 'lease', 'n0', 'channel', 'x'],
      ['sadd', 'actors', 'a'],
      ['hsetnx', 'log', 'id', 'x'],
    ];
    const outcome = (answer: Promise<unknown>) =>
      answer.catch((error: Error) => (/OOM/.test(error.message) ? 'OOM' : error.message));
    for (const each of calls) {
      const simulated = await outcome((async () => model.run(each[0], each.slice(1)))());
      t.strictSame(simulated, await outcome(onServer(each)), each[0]);
    }
    await client.config('SET', 'maxmemory', 0);
  });
});

function define(client: RedisClient): void {
  defineScripts(client);
  new RedisLeases({ client, subscriber: client, prefix: 't', holder: 'n', ttlMs: 1 });
}
