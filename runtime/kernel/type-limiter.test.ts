import fc from 'fast-check';
import t from 'tap';
import { SharedLimits } from '../pool/shared-limits.js';
import { testSeed } from '../testing/seed.js';
import { DurableMessage } from './letter.js';
import { fate, hostIn, manualKernel, settle } from './test-kernel.js';
import { limited, pass } from './test-limited.js';
import type { TypeLimiter } from './type-limiter.js';

t.test('so many calls and no more; who waits is served in order', async (t) => {
  const { kernel, host, begun, underWay, tell, clock } = limited({ concurrencyMax: 2 }, {}, true);
  for (const key of ['a', 'b', 'c', 'd', 'e']) tell(key);
  await settle();
  t.strictSame(
    underWay.map(({ key }) => key),
    ['a', 'b'],
  );
  tell('a', 1);
  for (let n = 0; n < 6; n++) {
    underWay[0]?.end();
    await settle();
    t.ok(underWay.length <= 2);
  }
  t.strictSame(
    begun.map(({ key }) => key),
    ['a', 'b', 'c', 'd', 'e', 'a'],
  );
  for (const { end } of [...underWay]) end();
  await settle();
  t.equal(kernel.waiting, 0);
  t.equal(clock.pending, 0);
  t.ok(host.activation('a').quiet);
});

t.test('a rate: the burst at once, then message by message, in order, batches cut', async (t) => {
  const { kernel, clock, begun, tell } = limited({ ratePerSecond: 10, burst: 3 });
  for (let n = 0; n < 5; n++) tell('a', n);
  tell('b', 0);
  await settle();
  t.strictSame(
    begun.map(({ bodies }) => bodies),
    [[0, 1, 2]],
  );
  await pass(clock, 90);
  t.equal(begun.length, 1);
  await pass(clock, 10);
  t.strictSame(
    begun.slice(1).map(({ key, bodies }) => [key, bodies]),
    [['b', [0]]],
    'a had its turn',
  );
  await pass(clock, 100);
  t.strictSame(begun.at(-1)?.bodies, [3]);
  await pass(clock, 100);
  t.strictSame(begun.at(-1)?.bodies, [4]);
  t.equal(kernel.waiting, 0);
  t.equal(clock.pending, 0, 'no timer when nothing waits');
});

t.test('a group has its own limits, holds up no other, and is forgotten when it is idle', async (t) => {
  const { clock, begun, underWay, limiter, tell } = limited({ perGroup: { concurrencyMax: 1 } }, {}, true);
  for (const key of ['a1', 'a2', 'a3', 'b1', 'b2']) tell(key);
  await settle();
  t.strictSame(
    underWay.map(({ key }) => key),
    ['a1', 'b1'],
  );
  underWay[0]?.end();
  await settle();
  t.strictSame(
    underWay.map(({ key }) => key),
    ['b1', 'a2'],
  );
  t.equal(limiter.groups, 2);
  while (underWay.length > 0) {
    underWay[0]?.end();
    await settle();
  }
  t.equal(
    begun
      .map(({ key }) => key)
      .filter((key) => key.startsWith('a'))
      .join(),
    'a1,a2,a3',
  );
  t.equal(begun.length, 5);
  t.equal(limiter.groups, 0);
  t.equal(clock.pending, 0);
});

t.test('a group with a rate is forgotten once its bucket is full', async (t) => {
  const { kernel, clock, begun, limiter, tell } = limited({ perGroup: { ratePerSecond: 10, burst: 2 } });
  for (const key of ['a1', 'a2', 'a3', 'b1']) tell(key);
  await settle();
  t.strictSame(
    begun.map(({ key }) => key),
    ['a1', 'a2', 'b1'],
  );
  await pass(clock, 100);
  t.equal(begun.at(-1)?.key, 'a3');
  kernel.sweep();
  t.equal(limiter.groups, 1, 'b is full again, a is not');
  await pass(clock, 300);
  kernel.sweep();
  t.equal(limiter.groups, 0);
});

t.test('what nobody waits for any more takes no token', async (t) => {
  const { kernel, clock, begun, ref, tell } = limited({ ratePerSecond: 1, burst: 1 });
  tell('a', 0);
  await settle();
  const expired = Promise.all([1, 2, 3].map((n) => fate(ref('a').ask(n as never, { timeoutMs: 500 }))));
  const kept = fate(ref('b').ask(9 as never));
  await settle();
  await pass(clock, 600);
  t.strictSame(await expired, Array(3).fill('TETHER_ASK_TIMEOUT'));
  await pass(clock, 400);
  t.equal(await kept, 9, 'at the first token, although another was before it');
  t.strictSame(
    begun.map(({ key }) => key),
    ['a', 'b'],
  );
  t.equal(kernel.waiting, 0);
  await pass(clock, 10);
  t.equal(clock.pending, 0);
});

t.test('durable messages count as well, and drain loses nothing', async (t) => {
  const { kernel, host, clock, begun, tell } = limited(
    { ratePerSecond: 100, burst: 1, concurrencyMax: 1 },
    { batchMax: 4 },
  );
  for (let n = 0; n < 10; n++) {
    const envelope = {
      id: `${n}`,
      key: 'a',
      dedupe: '',
      receivedAt: 0,
      traceparent: '',
      payload: new Uint8Array([n]),
    };
    const message = new DurableMessage(envelope, kernel.codec);
    host.activation('a').push({ partition: 0, offset: n, bytes: 1, message });
    tell('b', n);
  }
  let drained = false;
  void kernel.drain().then(() => {
    drained = true;
  });
  await pass(clock, 100);
  t.equal(drained, false);
  await pass(clock, 100);
  t.equal(drained, true);
  t.equal(begun.flatMap(({ bodies }) => bodies).length, 20);
  t.equal(clock.pending, 0);
});

t.test('one that is stopped leaves the queue, and those behind it go on', async (t) => {
  const { kernel, host, begun, underWay, tell } = limited(
    { concurrencyMax: 1, perGroup: { concurrencyMax: 1 } },
    {},
    true,
  );
  for (const key of ['a', 'b', 'c']) tell(key);
  await settle();
  host.activation('b').stop(new Error('over'));
  underWay[0]?.end();
  await settle();
  t.strictSame(
    begun.map(({ key }) => key),
    ['a', 'c'],
  );
  kernel.stop(new Error('over'));
  underWay[0]?.end();
  await settle();
  t.equal(kernel.waiting, 0);
});

t.test('whatever the limits: kept, in order, nothing lost, nothing left over', async (t) => {
  const numbers = fc.record(
    {
      concurrencyMax: fc.integer({ min: 1, max: 3 }),
      ratePerSecond: fc.constantFrom(5, 20, 1_000),
    },
    { requiredKeys: [] },
  );
  const step = fc.record({
    does: fc.constantFrom('tell', 'tell', 'tell', 'ask', 'end', 'pass'),
    key: fc.constantFrom('a1', 'a2', 'b1', 'b2', 'c1'),
    ms: fc.constantFrom(10, 50, 300),
  });
  await fc.assert(
    fc.asyncProperty(
      numbers,
      numbers,
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      fc.array(step, { maxLength: 40 }),
      async (all, perGroup, batchMax, reentrant, steps) => {
        const definition = { batchMax, reentrant };
        const { kernel, clock, host, begun, underWay, tell, ref } = limited(
          { ...all, perGroup },
          definition,
          true,
        );
        const problems: string[] = [];
        const asked: Promise<unknown>[] = [];
        let expired = 0;
        const check = () => {
          const calls = (group: string) => underWay.filter(({ key }) => key.startsWith(group)).length;
          if (calls('') > (all.concurrencyMax ?? 99)) problems.push('too many calls');
          for (const group of 'abc') {
            if (calls(group) > (perGroup.concurrencyMax ?? 99)) problems.push('too many calls of a group');
          }
        };
        for (const [n, { does, key, ms }] of steps.entries()) {
          if (does === 'tell') tell(key, n);
          else if (does === 'ask') {
            const ask = fate(ref(key).ask(n as never, { timeoutMs: ms })).then((end) => {
              if (end === 'TETHER_ASK_TIMEOUT') expired++;
            });
            asked.push(ask);
          } else if (does === 'end') underWay[n % Math.max(1, underWay.length)]?.end();
          else await pass(clock, ms, 50);
          await settle(2);
          check();
        }
        for (let turn = 0; turn < 200 && (kernel.waiting > 0 || underWay.length > 0); turn++) {
          for (const { end } of [...underWay]) end();
          await pass(clock, 250, 250);
          check();
        }
        await pass(clock, 20);
        await Promise.all(asked);
        const sent = steps.filter(({ does }) => does === 'tell' || does === 'ask').length;
        const got = begun.flatMap(({ bodies }) => bodies).length;
        if (got + expired !== sent) problems.push(`${got} and ${expired} of ${sent}`);
        for (const key of new Set(begun.map(({ key }) => key))) {
          const ids = begun.filter((one) => one.key === key).flatMap(({ bodies }) => bodies);
          if (ids.join() !== [...ids].sort((x, y) => x - y).join()) problems.push('out of order');
        }
        for (const [prefix, { ratePerSecond }] of [
          ['', all],
          ['a', perGroup],
          ['b', perGroup],
        ] as const) {
          if (ratePerSecond === undefined) continue;
          const burst = Math.max(1, Math.floor(ratePerSecond / 10));
          const times = begun
            .filter(({ key }) => key.startsWith(prefix))
            .flatMap(({ at, bodies }) => bodies.map(() => at));
          for (const [from, begin] of times.entries()) {
            for (const [to, end] of times.entries()) {
              const most = burst + ((end - begin) * ratePerSecond) / 1_000 + 1e-3;
              if (to >= from && to - from + 1 > most) problems.push(`${to - from + 1} in ${end - begin} ms`);
            }
          }
        }
        if (clock.pending > 0) problems.push(`${clock.pending} timers are left`);
        if (kernel.waiting > 0) problems.push('some wait for ever');
        await pass(clock, 60_000, 30_000);
        kernel.sweep();
        if ((host.limiter as TypeLimiter | undefined)?.groups) problems.push('groups are left');
        if (problems.length > 0) throw new Error([...new Set(problems)].join('\n'));
      },
    ),
    { seed: testSeed(t), numRuns: 100 },
  );
  t.pass();
});

t.test('kernels that share limits take turns, and give all of them back', async (t) => {
  const limits = {
    concurrencyMax: 2,
    ratePerSecond: Number.POSITIVE_INFINITY,
    burst: Number.POSITIVE_INFINITY,
  };
  const shared = new SharedLimits(limits, 2);
  let calls = 0;
  let most = 0;
  const order: number[] = [];
  for (const id of [0, 1]) {
    const { kernel } = manualKernel({ id });
    const definition = {
      type: 'limited',
      scope: 'key' as const,
      limits: { concurrencyMax: 2 },
      async receive() {
        most = Math.max(most, ++calls);
        order.push(id);
        await settle(2);
        calls--;
      },
    };
    hostIn(kernel, definition, shared.attach(id));
    for (let n = 0; n < 20; n++) kernel.ref('limited', `k${n}`).tell(n);
  }
  for (let turn = 0; turn < 2_000 && order.length < 40; turn++) await settle(1);
  await settle();
  t.equal(order.length, 40);
  t.equal(most, 2);
  t.equal(shared.inUse, 0);
  const early = order.slice(0, 20).filter((id) => id === 0).length;
  t.ok(early >= 8 && early <= 12, `${early} of the first 20 calls were those of one kernel`);
});

t.test('nobody overtakes the one that was called', async (t) => {
  const { clock, begun, tell } = limited({ ratePerSecond: 10, burst: 1, perGroup: { concurrencyMax: 5 } });
  tell('a');
  tell('b');
  await settle();
  // Stands in the run queue before the one that the clock calls.
  tell('c');
  clock.advance(100);
  await settle();
  t.strictSame(
    begun.map(({ key }) => key),
    ['a', 'b'],
  );
});

t.test('who waits costs nothing', async (t) => {
  const { kernel, underWay, tell } = limited(
    { concurrencyMax: 1, perGroup: { concurrencyMax: 2 } },
    {},
    true,
  );
  for (const key of ['a1', 'a2', 'a3', 'b1']) tell(key);
  await settle();
  const { turn } = kernel.scheduler;
  await settle(50);
  t.equal(kernel.scheduler.turn, turn);
  while (underWay.length > 0) {
    underWay[0]?.end();
    await settle();
  }
  t.equal(kernel.waiting, 0);
});

for (const onFailure of ['restart', 'stop'] as const) {
  t.test(`one that fails while it waits holds up nobody: ${onFailure}`, async (t) => {
    const begun: string[] = [];
    let fail = (_: Error) => {};
    const { kernel } = limited(
      { concurrencyMax: 1 },
      {
        reentrant: true,
        batchMax: 1,
        supervision: { onFailure, delayMs: 5_000 },
        receive(_, { key }) {
          begun.push(key);
          if (key !== 'a') return;
          return new Promise<void>((_, reject) => {
            fail = reject;
          });
        },
      },
    );
    for (const key of ['a', 'x', 'a', 'b']) {
      kernel.ref('limited', key).tell(0);
      await settle();
    }
    t.strictSame(begun, ['a']);
    fail(new Error('poison'));
    await settle();
    t.strictSame(begun, ['a', 'x', 'b'], 'the clock stands still');
  });
}
