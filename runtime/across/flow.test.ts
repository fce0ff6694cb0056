/** Messages between threads while they flow: order, limits, groups, timers, and what comes first. */
import t from 'tap';
import { until } from '../testing/until.js';
import { failure, startWorkers } from '../testing/workers.js';

t.setTimeout(120_000);

const TELLS = 3_000;

t.test('order by sender and key, from the main thread and two others at once', async (t) => {
  const { ask, ref, tally, relay, shared, events, settled } = await startWorkers(t, [
    { type: 'left' },
    { type: 'right' },
    { type: 'sink', threads: 2 },
  ]);
  const keys = Array.from({ length: 6 }, (_, n) => `${n}`);
  const told = async (key: string) => {
    for (let n = 1; n <= TELLS; n++) await ref('sink', key).tell({ type: 'add', from: 'main', n });
  };
  const send = (key: string) => ({ type: 'send', to: ['sink', key], first: 1, last: TELLS }) as const;
  await Promise.all(
    keys.flatMap((key) => [told(key), ask('left', key, send(key)), ask('right', key, send(key))]),
  );
  for (const key of keys) {
    // Each sender's question comes after what it told.
    await relay(['left', key], ['sink', key], { type: 'get' });
    await relay(['right', key], ['sink', key], { type: 'get' });
    t.match(await tally('sink', key), {
      count: 3 * TELLS,
      disorder: 0,
      last: { main: TELLS, [`left/${key}`]: TELLS, [`right/${key}`]: TELLS },
    });
  }
  for (const each of shared()) t.match(each, { overlaps: 0, outdated: 0 });
  t.notOk(events.some(({ kind }) => kind === 'dropped'));
  await settled();
});

t.test('what overflows a mailbox is counted', async (t) => {
  const { ask, ref, said, events, tally } = await startWorkers(t, [
    { type: 'sender' },
    { type: 'small', mailboxMax: 10, overflow: 'reject' },
    { type: 'newest', mailboxMax: 10, overflow: 'drop-oldest' },
  ]);
  for (const type of ['small', 'newest']) {
    const slow = ask(type, '1', { type: 'add', from: 'slow', n: 1, ms: 300 });
    await until('it is slow', () => said.some((each) => each.type === type));
    for (let n = 1; n <= 25; n++) ref(type, '1').tell({ type: 'add', from: 'main', n });
    await slow;
    await until(
      'all that is left is handled',
      async () => (await failure(tally(type, '1'))).code === undefined,
    );
    const dropped = () =>
      events.reduce(
        (sum, event) => sum + (event.kind === 'dropped' && event.actor === type ? event.count : 0),
        0,
      );
    await until('it is told', () => dropped() >= 15);
    t.equal(dropped(), 15);
    const { count, last } = await tally(type, '1');
    t.equal(count, 11);
    t.equal(last.main, type === 'small' ? 10 : 25);
  }
});

t.test('urgent messages go first; a reentrant actor answers while it waits', async (t) => {
  const { ask, relay, said } = await startWorkers(t, [
    { type: 'plain' },
    { type: 'open', reentrant: true },
    { type: 'far' },
  ]);
  const slow = ask('plain', '1', { type: 'add', from: 'main', n: 1, ms: 200 });
  await until('it is slow', () => said.some(({ text }) => text === 'begins'));
  const order: string[] = [];
  await Promise.all([
    slow,
    ask('plain', '1', { type: 'say', text: 'later' }).then(() => order.push('later')),
    ask('plain', '1', { type: 'say', text: 'first', urgent: true }).then(() => order.push('first')),
  ]);
  t.strictSame(order, ['first', 'later']);
  // A cycle that would be one, were it not reentrant.
  t.match(
    await relay(['open', '1'], ['far', '1'], { type: 'ask', to: ['open', '1'], job: { type: 'get' } }),
    { value: { value: { count: 0 } } },
  );
});

t.test('timers die with the state, and repeat until then', async (t) => {
  const { ask, said } = await startWorkers(t, [{ type: 'timed', threads: 2 }]);
  const count = (text: string) => said.filter((each) => each.text === text).length;
  await ask('timed', '1', { type: 'timer', ms: 20, job: { type: 'say', text: 'once' } });
  await ask('timed', '2', { type: 'timer', ms: 20, every: true, job: { type: 'say', text: 'again' } });
  await ask('timed', '3', { type: 'timer', ms: 400, job: { type: 'say', text: 'never' } });
  await failure(ask('timed', '3', { type: 'fail', code: 'TOLD' }));
  await until('they came', () => count('once') === 1 && count('again') >= 3);
  await failure(ask('timed', '2', { type: 'fail', code: 'TOLD' }));
  await ask('timed', '2', { type: 'say', text: 'after' });
  await until('it is said', () => count('after') === 1);
  const before = count('again');
  await ask('timed', '4', { type: 'timer', ms: 600, job: { type: 'say', text: 'late' } });
  await until('much later', () => count('late') === 1);
  t.equal(count('again'), before);
  t.equal(count('never'), 0);
  t.equal(count('once'), 1);
});

t.test('limits hold over three threads, and the keys of a group live in one', async (t) => {
  const { ask, said, shared } = await startWorkers(t, [
    { type: 'few', threads: 3, limits: { concurrencyMax: 4 } },
    { type: 'rated', threads: 3, limits: { ratePerSecond: 100, burst: 10 } },
    { type: 'grouped', threads: 3, grouped: true },
    { type: 'sender' },
  ]);
  const keys = Array.from({ length: 24 }, (_, n) => `${n}`);
  const many = 120;
  const from = performance.now();
  await Promise.all(
    Array.from({ length: many }, (_, n) => ask('rated', `${n % 24}`, { type: 'get' }, 30_000)),
  );
  const ms = performance.now() - from;
  // Ten at once, and then one each 10 ms.
  t.ok(ms >= ((many - 10) / 100) * 1_000 * 0.95, `${Math.round(ms)} ms`);
  t.ok(ms < 6_000, `${Math.round(ms)} ms`);

  await Promise.all(keys.map((key) => ask('few', key, { type: 'add', from: 'main', n: 1, ms: 50 })));
  const [few] = shared();
  t.ok((few?.callsMax ?? 0) <= 4, `${few?.callsMax} calls at once`);
  t.ok((few?.callsMax ?? 0) >= 2);
  t.equal(new Set(said.filter(({ type }) => type === 'few').map(({ thread }) => thread)).size, 3);

  const threads = new Set<string>();
  const groups = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const group of groups) {
    const of = await Promise.all(
      [1, 2, 3, 4].map((n) => ask('grouped', `${group}-${n}`, { type: 'say', text: '' })),
    );
    t.equal(new Set(of).size, 1, group);
    threads.add(String(of[0]));
    const to = ['grouped', `${group}-9`] as const;
    t.match(await ask('sender', '1', { type: 'ask', to, job: { type: 'say', text: '' } }), { value: of[0] });
  }
  t.ok(threads.size >= 2, 'not all groups in one');
});

t.test('the least recently used go first', async (t) => {
  const { ask, tally, system } = await startWorkers(t, [{ type: 'few', activationsMax: 3 }]);
  const add = (key: string, n: number) => ask('few', key, { type: 'add', from: 'main', n });
  for (const key of ['1', '2', '3']) await add(key, 1);
  await add('1', 2);
  await add('4', 1);
  t.match(await tally('few', '1'), { count: 2 });
  t.match(await tally('few', '3'), { count: 1 });
  t.match(await tally('few', '4'), { count: 1 });
  t.match(await tally('few', '2'), { count: 0 }, 'it went, and came again');
  await until('three live', () => system.stats().actors[0]?.live === 3);
});
