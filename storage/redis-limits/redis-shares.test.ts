import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Quota } from '../../runtime/index.js';
import { NodeShare } from '../../runtime/pool/node-share.js';
import { SharedLimits } from '../../runtime/pool/shared-limits.js';
import { testSeed } from '../../runtime/testing/seed.js';
import { createClient, type RedisClient, whenReady } from '../redis/client.js';
import { startTestCluster, startTestRedis } from '../redis/test-redis-server.js';
import { parseRedisUrl } from '../redis/url.js';
import { RedisShares } from './redis-shares.js';

let count = 0;

async function connect(t: Test, url: string): Promise<RedisClient> {
  const place = parseRedisUrl(url);
  if (place === undefined) throw new Error('no URL');
  const client = createClient(place, { name: 'test', patience: 'fails-fast', replyMsMax: 1_000 });
  client.on('error', () => {});
  t.teardown(async () => client.disconnect());
  await whenReady(client, 5_000);
  return client;
}

const permits = (units: number): Quota => ({ actor: `a${count++}`, kind: 'permits', units, fillMs: 0 });
const TTL_MS = 60_000;

/** Nodes by their names, each of which asks as one does that keeps to what it was told. */
function nodesOn(client: RedisClient, quota: Quota, names: readonly string[], turnMs = 1_000) {
  return names.map((holder) => {
    const shares = new RedisShares({ client, prefix: 't', holder, turnMs });
    const node = {
      held: 0,
      contended: false,
      async ask(needed: number, ttlMs = TTL_MS): Promise<number> {
        const { units, contended } = await shares.ask({ quota, held: node.held, needed, spare: 0 }, ttlMs);
        node.contended = contended;
        node.held = units;
        return units;
      },
      leave: () => shares.leave(quota, 0),
    };
    return node;
  });
}

function testShares(t: Test, connected: () => RedisClient): void {
  t.test('who is alone has all; others get theirs when it is given back', async (t) => {
    const [a, b] = nodesOn(connected(), permits(10), ['a', 'b']);
    if (a === undefined || b === undefined) throw new Error('there are two');
    t.equal(await a.ask(0), 10);
    t.equal(await b.ask(0), 0, 'all are held');
    t.equal(await a.ask(0), 5);
    t.ok(a.contended);
    t.equal(await b.ask(0), 0, 'it has not said so');
    t.equal(await a.ask(0), 5);
    t.equal(await b.ask(0), 5);
    t.notOk(b.contended);
    t.equal(await a.ask(10), 5);
    t.equal(await b.ask(0), 1, 'who needs none keeps a little, to begin with');
    t.equal(await b.ask(0), 1);
    t.equal(await a.ask(10), 9);
    t.equal(await b.ask(10), 1);
    t.equal(await a.ask(10), 5);
    t.equal(await a.ask(2), 2);
    await a.leave();
    t.equal(await b.ask(10), 10);
  });

  t.test(
    'one that has died loses its share after its time, and what comes late of it changes nothing',
    async (t) => {
      const quota = permits(4);
      const [a, b] = nodesOn(connected(), quota, ['a', 'b']);
      if (a === undefined || b === undefined) throw new Error('there are two');
      const began = performance.now();
      t.equal(await a.ask(4, 100), 4);
      while ((await b.ask(4)) === 0) await pause(5);
      const waitedMs = performance.now() - began;
      // Redis tells whole milliseconds.
      t.ok(waitedMs > 98, `after ${waitedMs} ms`);
      t.equal(b.held, 4);
      // It comes back with two calls that are still under way.
      a.held = 2;
      t.equal(await a.ask(4), 0, 'it begins none');
      t.equal(await b.ask(4), 2, 'and its calls count');
      t.equal(await b.ask(4), 2, 'as this says');
      a.held = 2;
      t.equal(await a.ask(4), 2);
      const late = new RedisShares({ client: connected(), prefix: 't', holder: 'b' });
      await t.rejects(late.ask({ quota, held: 0, needed: 0, spare: 0 }, TTL_MS), /later question/);
      t.equal(await a.ask(4), 2);
    },
  );
}

t.test('one server', async (t) => {
  const redis = await startTestRedis(t);
  const client = await connect(t, redis.url);
  testShares(t, () => client);

  t.test('never more than the quota, whoever joins, leaves, pauses, or loses answers', async (t) => {
    const step = fc.record({
      node: fc.nat(4),
      does: fc.constantFrom('ask', 'ask', 'ask', 'ask', 'lose', 'linger', 'leave', 'pause'),
      needed: fc.nat(14),
    });
    const TTL = 25;
    const MARGIN = 2;
    let most = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { minLength: 20, maxLength: 300 }),
        async (units, steps) => {
          const quota = permits(units);
          const nodes = Array.from({ length: 5 }, (_, at) => ({
            shares: new RedisShares({ client, prefix: 't', holder: `n${at}`, turnMs: 5 }),
            may: 0,
            uses: 0,
            until: 0,
          }));
          for (const { node: at, does, needed } of steps) {
            const node = nodes[at];
            if (node === undefined) throw new Error('there are five');
            const now = performance.now();
            if (now >= node.until) node.may = 0;
            // What is under way goes on.
            if (does !== 'linger') node.uses = Math.min(node.uses, node.may);
            if (does === 'pause') {
              await pause(needed);
            } else if (does === 'leave') {
              await node.shares.leave(quota, 0);
              node.uses = 0;
              node.may = 0;
            } else if (does !== 'linger') {
              const held = Math.max(node.may, node.uses);
              const answer = await node.shares.ask({ quota, held, needed, spare: 0 }, TTL);
              if (does === 'lose') continue;
              node.until = now + TTL - MARGIN;
              node.may = performance.now() < node.until ? Math.max(0, answer.units) : 0;
              node.uses = Math.max(node.uses, node.may);
            }
            const looked = performance.now();
            const out = nodes.reduce((sum, { may, until }) => sum + (looked < until ? may : 0), 0);
            most = Math.max(most, out / units);
            if (out > units) throw new Error(`${out} of ${units} are held`);
          }
        },
      ),
      { seed: testSeed(t), numRuns: 40 },
    );
    t.equal(most, 1, 'all of them were held at times');
  });

  for (const [units, hungry] of [
    [1, 3],
    [2, 5],
  ] as const) {
    t.test(`${hungry} nodes that wait for ${units} units take turns, and none waits for long`, async (t) => {
      const TURN = 20;
      const names = Array.from({ length: hungry }, (_, at) => `n${at}`);
      const nodes = nodesOn(client, permits(units), names, TURN).map((node) => ({
        node,
        turns: 0,
        since: performance.now(),
        longest: 0,
      }));
      const until = performance.now() + 1_000;
      while (performance.now() < until) {
        for (const each of nodes) {
          const before = each.node.held;
          const now = performance.now();
          if ((await each.node.ask(units)) === 0) continue;
          if (before === 0) {
            each.turns++;
            each.longest = Math.max(each.longest, now - each.since);
          }
          each.since = performance.now();
        }
        await pause(1);
      }
      const turns = nodes.map((each) => each.turns);
      t.comment(`turns ${turns}, longest ${nodes.map(({ longest }) => Math.round(longest))} ms`);
      t.ok(Math.min(...turns) > 2, 'all had turns');
      t.ok(Math.max(...turns) <= 1.3 * Math.min(...turns) + 2, 'about as many as others');
      t.ok(Math.max(...nodes.map(({ longest }) => longest)) < 10 * TURN * Math.ceil(hungry / units));
    });
  }

  t.test('a rate that moves from node to node is never above it, and comes near it', async (t) => {
    const BURST = 4;
    const RATE = 100;
    const made = ['a', 'b', 'c'].map((holder) => tokenNode(client, holder, BURST, RATE));
    const seed = testSeed(t);
    const random = fc.sample(fc.double({ min: 0, max: 0.999, noNaN: true }), { seed, numRuns: 20_000 });
    const times: number[] = [];
    const end = performance.now() + 1_500;
    const began = performance.now();
    let busy = 0;
    for (let at = 0; performance.now() < end; at += 3) {
      const [x = 0, y = 0, z = 0] = random.slice(at % 19_000);
      if (x < 0.05) busy = Math.floor(y * 3);
      const node = made[x < 0.6 ? busy : Math.floor(z * 3)];
      const taken = node?.rate?.take(10, Date.now()) ?? 0;
      for (let n = 0; n < taken; n++) times.push(performance.now());
      for (const [index, each] of made.entries()) {
        if (y * 3 - index < 1) await each.ask(index === busy ? BURST : 0);
      }
      await pause(1);
    }
    const problems = times.flatMap((from, first) =>
      times.flatMap((to, last) => {
        // `Date.now` counts whole milliseconds.
        const most = BURST + ((to - from + 3) * RATE) / 1_000;
        return last >= first && last - first + 1 > most ? [`${last - first + 1} in ${to - from} ms`] : [];
      }),
    );
    t.strictSame(problems, []);
    const possible = ((performance.now() - began) * RATE) / 1_000;
    t.comment(`${times.length} of ${Math.round(possible)}`);
    t.ok(times.length > possible / 2);
  });

  t.test('a token that takes long to come goes along with its unit, and is there in time', async (t) => {
    const nodes = ['a', 'b'].map((holder) => tokenNode(client, holder, 1, 1));
    const began = performance.now();
    const times: number[] = [];
    while (times.length < 3) {
      for (const node of nodes) {
        if ((node.rate?.take(1, Date.now()) ?? 0) > 0) times.push(performance.now() - began);
        node.give = node.share.units > 0;
        await node.ask(1);
      }
      await pause(10);
      if (performance.now() - began > 8_000) break;
    }
    t.comment(times.map(Math.round).join(' '));
    t.ok((times[1] ?? 0) >= 990 && (times[1] ?? 9e9) < 1_700);
    t.ok((times[2] ?? 0) >= 1_980 && (times[2] ?? 9e9) < 3_400);
    t.ok(nodes.every(({ moves }) => moves > 10));
  });

  t.test('at the memory limit shares are renewed, and nothing is known while Redis is away', async (t) => {
    const [a] = nodesOn(client, permits(3), ['a']);
    await redis.client.config('SET', 'maxmemory', '1mb');
    t.teardown(async () => void (await redis.client.config('SET', 'maxmemory', '0').catch(() => {})));
    t.equal(await a?.ask(0), 3);
    await redis.kill();
    await t.rejects(async () => a?.ask(0));
  });
});

/** A node with a share of a rate; what it does not need, or should give, it gives back. */
function tokenNode(client: RedisClient, holder: string, burst: number, ratePerSecond: number) {
  const limits = new SharedLimits({ concurrencyMax: Number.POSITIVE_INFINITY, ratePerSecond, burst }, 2);
  const share = new NodeShare(limits);
  const { rate } = limits.attach(0);
  const shares = new RedisShares({ client, prefix: 't', holder, turnMs: 5 });
  const quota: Quota = { actor: `rate${ratePerSecond}`, kind: 'tokens', units: burst, fillMs: share.fillMs };
  let spare = 0;
  const node = {
    share,
    rate,
    moves: 0,
    /** Whether it gives all of it back at the next question. */
    give: false,
    async ask(needed: number): Promise<void> {
      if (node.give) spare += share.setUnits(0, 0, Date.now());
      const told = spare;
      spare = 0;
      const answer = await shares.ask(
        { quota, held: share.units, needed: node.give ? 0 : needed, spare: told },
        TTL_MS,
      );
      node.give = false;
      if (share.units === 0 && answer.units > 0) node.moves++;
      spare += share.setUnits(answer.units, answer.tokens, Date.now());
    },
  };
  return node;
}

t.test('a Cluster', async (t) => {
  const client = await connect(t, (await startTestCluster(t)).url);
  testShares(t, () => client);
});
