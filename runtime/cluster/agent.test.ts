import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../testing/seed.js';
import { DEFAULT_POLICY, fillPolicy } from './policy.js';
import { LeaseWorld } from './test/lease-world.js';

t.test('one node works on everything; with a second each has its share, handed over in order', async (t) => {
  const world = new LeaseWorld({ partitions: 16 });
  const a = world.join('a');
  await world.passUntil('complete', () => world.isComplete, 1_000);
  t.equal(a.works.size, 16);
  const b = world.join('b');
  await world.passUntil('shared', () => b.works.size === 8 && a.works.size === 8, 3_000);
  t.ok(world.isComplete);
  t.strictSame(world.clashes, []);
  const [moved] = [...b.works];
  const words = a.done.filter((word) => word.endsWith(` ${moved}`));
  t.strictSame(words, [`claim ${moved}`, `adopt ${moved}`, `give up ${moved}`], 'it ended in order');
  await world.pass(10_000);
  t.ok(world.isComplete, 'leases are renewed');
  t.equal(b.done.length, 16, 'and nothing moves any more');
  t.match(b.agent.stats(), { mode: 'active', nodes: ['a', 'b'], placed: 8, lost: 0 });
  for (const { agent } of [a, b]) {
    const { owners } = agent.stats();
    t.equal(owners.size, 16);
    for (const [index, owner] of owners)
      t.ok((owner === 'a' ? a : b).works.has(index), `${index} of ${owner}`);
  }
});

t.test('at most four partitions pause at a time, and none for long', async (t) => {
  const world = new LeaseWorld({ partitions: 64 });
  const a = world.join('a');
  await world.passUntil('complete', () => world.isComplete);
  a.line.drain = () => 100;
  const b = world.join('b');
  const pausedFor = new Map<number, number>();
  let longest = 0;
  while (b.works.size < 32) {
    await world.pass(10);
    const paused = Array.from({ length: 64 }, (_, index) => index).filter(
      (index) => !a.works.has(index) && !b.works.has(index),
    );
    for (const index of [...pausedFor.keys()]) if (!paused.includes(index)) pausedFor.delete(index);
    for (const index of paused) pausedFor.set(index, (pausedFor.get(index) ?? 0) + 10);
    longest = Math.max(longest, ...pausedFor.values());
    if (world.clock.now() > 30_000) break;
  }
  t.equal(b.works.size, 32);
  // The drain itself is no pause: what came before is done meanwhile.
  t.ok(longest <= 100, `${longest} ms`);
  t.equal(world.drainedAtOnceMost, 4);
});

t.test('what a dead node had is worked on again within 3.8 s', async (t) => {
  for (const after of [5_000, 5_123, 5_371, 5_777, 5_999]) {
    const world = new LeaseWorld({ partitions: 64 });
    const nodes = ['a', 'b', 'c'].map((name) => world.join(name));
    await world.passUntil('complete', () => world.isComplete);
    await world.pass(after);
    nodes[0]?.kill();
    const ms = await world.passUntil('complete', () => world.isComplete);
    t.ok(ms <= 3_800, `${ms} ms`);
    t.strictSame(world.clashes, []);
  }
});

t.test(
  'without the store a node works until its leases have ended by its own clock, and not longer',
  async (t) => {
    const world = new LeaseWorld({ partitions: 4 });
    const a = world.join('a');
    await world.passUntil('complete', () => world.isComplete);
    await world.pass(2_000);
    a.line.fate = () => 'request-lost';
    const ms = await world.passUntil('dropped', () => a.works.size === 0);
    t.ok(ms >= 1_600 && ms <= 2_800, `${ms} ms`);
    t.equal(a.agent.stats().lost, 4);
    a.line.fate = () => 'answered';
    await world.passUntil('complete', () => world.isComplete, 1_500);
    t.equal(a.done.filter((word) => word === 'claim 0').length, 2, 'claimed anew');
  },
);

t.test('a lease counts from when it was asked for', async (t) => {
  const world = new LeaseWorld({ partitions: 1 });
  const a = world.join('a');
  a.line.delayMs = () => 400;
  await world.passUntil('granted', () => world.holder(0) !== undefined);
  // The answer is on its way for 400 ms; then nothing more comes.
  const grantedAt = world.clock.now();
  a.line.fate = () => 'request-lost';
  await world.passUntil('complete', () => world.isComplete);
  await world.passUntil('dropped', () => a.works.size === 0);
  const ms = world.clock.now() - grantedAt;
  t.ok(ms >= 2_200 && ms <= 2_420, `${ms} ms`);
  t.equal(world.holder(0), 'a', 'before it ends for the store');
});

t.test('a release without an answer blocks the partition for as long as a lease lasts', async (t) => {
  const world = new LeaseWorld({ partitions: 2 });
  const a = world.join('a');
  await world.passUntil('complete', () => world.isComplete);
  const b = world.join('b');
  // From now on what a gives back is lost on the way.
  a.line.drain = () => {
    a.line.fate = () => 'request-lost';
    return 10;
  };
  await world.passUntil('given up', () => a.done.includes('give up 0') || a.done.includes('give up 1'));
  await world.pass(600);
  const [given] = [0, 1].filter((index) => a.done.includes(`give up ${index}`));
  a.line.fate = () => 'answered';
  void b.agent.leave(3_000);
  const ms = await world.passUntil('a has it again', () => a.works.has(given as number));
  t.ok(ms >= 2_300, `${ms} ms`);
});

t.test('a claim that is answered after its lease has ended counts for nothing', async (t) => {
  const world = new LeaseWorld({ partitions: 1 });
  const a = world.join('a');
  const answers = [8_000, 5];
  a.line.claim = () => answers.shift() ?? 5;
  await world.passUntil('asked', () => a.done.includes('claim 0'));
  a.line.fate = () => 'request-lost';
  await world.pass(3_500);
  a.line.fate = () => 'answered';
  await world.pass(3_000);
  t.strictSame(a.done, ['claim 0'], 'one at a time');
  await world.passUntil('complete', () => world.isComplete);
  t.strictSame(a.done, ['claim 0', 'drop 0', 'claim 0', 'adopt 0']);
});

t.test('a claim that fails is made again, under the same lease', async (t) => {
  const world = new LeaseWorld({ partitions: 1 });
  const a = world.join('a');
  let failures = 20;
  a.line.claim = () => (failures-- > 0 ? new Error('the database is away') : 5);
  const ms = await world.passUntil('complete', () => world.isComplete);
  t.ok(ms > 3_000 && ms < 6_000, `${ms} ms`);
  t.equal(a.agent.stats().lost, 0);
});

t.test(
  'a partition that somebody else has claimed is dropped, and claimed again while the lease is ours',
  async (t) => {
    const world = new LeaseWorld({ partitions: 2 });
    const a = world.join('a');
    await world.passUntil('complete', () => world.isComplete);
    a.agent.lost(1);
    a.agent.lost(1);
    a.agent.lost(77);
    t.strictSame([...a.works], [0]);
    await world.passUntil('complete', () => world.isComplete, 500);
    t.equal(a.done.filter((word) => word === 'drop 1').length, 1);
  },
);

t.test('a node that leaves hands over in order, and is forgotten', async (t) => {
  const world = new LeaseWorld({ partitions: 16 });
  const a = world.join('a');
  const b = world.join('b');
  await world.passUntil('shared', () => world.isComplete && b.works.size === 8);
  let isGone = false;
  void a.agent.leave(20_000).then(() => {
    isGone = true;
  });
  t.equal(a.agent.leave(5), a.agent.leave(6), 'once');
  await world.passUntil('gone', () => isGone, 2_000);
  await world.passUntil('complete', () => world.isComplete, 500);
  t.equal(b.works.size, 16);
  t.notOk(a.done.some((word) => word.startsWith('drop')));
  t.strictSame([a.agent.stats().mode, world.clashes], ['left', []]);
  await world.pass(1_000);
  t.strictSame(b.agent.stats().nodes, ['b']);
  t.throws(() => a.agent.start());
});

t.test('a node leaves by its deadline, whatever does not end', async (t) => {
  const world = new LeaseWorld({ partitions: 8 });
  const a = world.join('a');
  await world.passUntil('complete', () => world.isComplete);
  a.line.drain = () => new Error('it does not end');
  let isGone = false;
  void a.agent.leave(2_000).then(() => {
    isGone = true;
  });
  const ms = await world.passUntil('gone', () => isGone);
  t.ok(ms >= 2_000 && ms <= 3_010, `${ms} ms`);
  t.equal(a.works.size, 0);
  t.equal(world.holder(0), undefined, 'the leases are given back');

  const alone = new LeaseWorld({ partitions: 8 });
  const lost = alone.join('a');
  await alone.passUntil('complete', () => alone.isComplete);
  lost.line.fate = () => 'request-lost';
  void lost.agent.leave(1_000);
  await alone.passUntil('left', () => lost.agent.stats().mode === 'left', 3_000);
  t.equal(lost.works.size, 0, 'without the store too');
});

t.test(
  'whatever answers are late or lost: no two work on a partition, and in the end each has one',
  async (t) => {
    const property = fc.asyncProperty(
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      async (stream) => {
        const random = () => stream.next().value as number;
        const world = new LeaseWorld({ partitions: 6, random });
        // A clock may be off by a percent; the margin of a lease allows for ten.
        const nodes = ['a', 'b', 'c'].map((name, at) => world.join(name, {}, 1 + (at - 1) / 100));
        for (const { line } of nodes) {
          line.delayMs = () => Math.floor(random() ** 4 * 490);
          line.fate = () => (random() < 0.2 ? 'request-lost' : random() < 0.2 ? 'answer-lost' : 'answered');
          line.claim = () => (random() < 0.2 ? new Error('away') : Math.floor(random() ** 4 * 5_000));
          line.drain = () => (random() < 0.1 ? new Error('late') : Math.floor(random() ** 4 * 9_000));
        }
        for (let i = 0; i < 20; i++) {
          await world.pass(Math.floor(random() * 2_000));
          const choice = random();
          const node = nodes[Math.floor(random() * 3)];
          if (choice < 0.3) node?.agent.lost(Math.floor(random() * 6));
          else if (choice < 0.35) void node?.agent.leave(random() * 5_000);
          else if (choice < 0.4) node?.kill();
        }
        for (const { line } of nodes) {
          Object.assign(line, { delayMs: () => 1, fate: () => 'answered', claim: () => 5, drain: () => 10 });
        }
        const late = world.join('late');
        await world.passUntil('complete', () => world.isComplete && late.works.size > 0, 30_000);
        return world.clashes.length === 0;
      },
    );
    await fc.assert(property, { seed: testSeed(t), numRuns: 60 });
    t.pass();
  },
);

t.test('times that cannot work are refused', (t) => {
  t.throws(() => fillPolicy({ renewMs: 2_700 }), RangeError);
  t.throws(() => fillPolicy({ beatMs: 2_500 }), RangeError);
  t.throws(() => fillPolicy({ ttlMs: 0 }), RangeError);
  t.strictSame(fillPolicy(), DEFAULT_POLICY);
  t.end();
});
