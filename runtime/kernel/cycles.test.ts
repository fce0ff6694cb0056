import t from 'tap';
import type { ActorContext } from '../actor.js';
import type { ActorRef } from '../actor-ref.js';
import type { Message } from '../message.js';
import { fate, hostIn, manualKernel, settle } from './test-kernel.js';

/** Names of actors: each asks the next, the last one answers. */
type Body = readonly string[];

function fixture(more: object = {}) {
  const made = manualKernel();
  hostIn<Body, unknown, unknown>(made.kernel, {
    type: 'chain',
    scope: 'key',
    batchMax: 1,
    async receive([message], context) {
      const [next, ...rest] = message?.body ?? [];
      if (next === undefined) message?.reply('end' as never);
      else {
        try {
          message?.reply((await context.ref('chain', next).ask(rest as never)) as never);
        } catch (error) {
          message?.fail(error);
        }
      }
    },
    ...more,
  });
  const ask = (...[first, ...rest]: string[]) =>
    made.kernel.ref('chain', first as string).ask(rest as never) as Promise<unknown>;
  return { ...made, ask };
}

for (const chain of ['aa', 'aba', 'abca', 'xabca']) {
  t.test(`a cycle fails at once, and is named: ${chain}`, async (t) => {
    const { kernel, ask } = fixture();
    const error = (await ask(...chain).catch((error) => error)) as { code: string; message: string };
    const cycle = [...chain.slice(chain.indexOf(chain.at(-1) as string))].map((key) => `chain/${key}`);
    t.equal(error.code, 'TETHER_ASK_FAILED', 'as the first asker sees it');
    t.ok(error.message.includes('TETHER_ASK_CYCLE'), error.message);
    t.ok(error.message.includes(cycle.join(' -> ')), error.message);
    t.equal(kernel.deadlines.size, 0);
  });
}

t.test('a chain without a cycle is none, again and again', async (t) => {
  const { ask } = fixture();
  for (let n = 0; n < 3; n++)
    t.strictSame(await Promise.all([ask(...'abcd'), ask(...'abd')]), ['end', 'end']);
});

t.test('an actor may be asked by whom it asked once its own call is over', async (t) => {
  const { kernel } = manualKernel();
  const seen: unknown[] = [];
  hostIn<string, unknown, unknown>(kernel, {
    type: 'late',
    scope: 'key',
    batchMax: 1,
    async receive([message], context) {
      // Nobody waits for what `a` asks here, so its call is over when `b` asks back.
      if (message?.body === 'begin')
        void fate(context.ref('late', 'b').ask('back')).then((end) => seen.push(end));
      else if (message?.body === 'back') {
        await settle();
        message.reply((await context.ref('late', 'a').ask('answer')) as never);
      } else message?.reply('fine' as never);
    },
  });
  kernel.ref('late', 'a').tell('begin');
  await settle(20);
  t.strictSame(seen, ['fine']);
});

t.test('a cycle over references that came in bodies is found', async (t) => {
  const { kernel } = manualKernel();
  type Passed = { readonly to: ActorRef<Passed> | undefined; readonly next: ActorRef<Passed> | undefined };
  hostIn<Passed, unknown, unknown>(kernel, {
    type: 'passed',
    scope: 'key',
    batchMax: 1,
    async receive([message]) {
      const { to, next } = message?.body ?? {};
      if (to === undefined) message?.reply('end' as never);
      else {
        try {
          message?.reply((await to.ask({ to: next, next: undefined } as never)) as never);
        } catch (error) {
          message?.fail(error);
        }
      }
    },
  });
  const ref = (key: string) => kernel.ref('passed', key) as ActorRef<Passed>;
  const { code, message } = (await ref('a')
    .ask({ to: ref('b'), next: ref('a') } as never)
    .catch((error: unknown) => error)) as { code: string; message: string };
  t.equal(code, 'TETHER_ASK_FAILED');
  t.match(message, /passed\/a -> passed\/b -> passed\/a/);
  t.equal(kernel.deadlines.size, 0);
});

t.test('an asker that gave up is in no cycle, even if it still works', async (t) => {
  const { kernel, clock } = manualKernel();
  const seen: unknown[] = [];
  const goOn: (() => void)[] = [];
  const wait = () => new Promise<void>((resolve) => goOn.push(resolve));
  hostIn<string, unknown, unknown>(kernel, {
    type: 'late',
    scope: 'key',
    batchMax: 1,
    async receive([message], context) {
      if (message?.body === 'begin') {
        seen.push(await fate(context.ref('late', 'b').ask('back', { timeoutMs: 50 })));
        await wait();
      } else if (message?.body === 'back') {
        await wait();
        seen.push(await fate(context.ref('late', 'a').ask('answer')));
      } else message?.reply('fine' as never);
    },
  });
  kernel.ref('late', 'a').tell('begin');
  await settle();
  clock.advance(60);
  await settle();
  for (const go of goOn) {
    go();
    await settle();
  }
  t.strictSame(seen, ['TETHER_ASK_TIMEOUT', 'fine']);
});

t.test('a reentrant type may be in a cycle', async (t) => {
  const { ask } = fixture({ reentrant: true });
  t.equal(await ask(...'abca'), 'end');
});

t.test('a reference in a body asks for whoever holds it, and goes through bytes', async (t) => {
  const { kernel } = manualKernel();
  const held = kernel.codec.unpack(
    kernel.codec.pack({ list: [kernel.ref('chain', 'z')], at: new Date(5) }),
  ) as { readonly list: readonly [ActorRef]; readonly at: Date };
  t.equal(`${held.list[0]}`, 'chain/z');
  t.equal(held.at.getTime(), 5);
  hostIn<Body, unknown, unknown>(kernel, {
    type: 'chain',
    scope: 'key',
    receive: (messages) => {
      for (const message of messages) message.reply(message.key as never);
    },
  });
  t.equal(await held.list[0].ask([] as never), 'z');
  t.equal(await fate(kernel.ref('none', 'z').ask([] as never)), 'TETHER_ACTOR_UNKNOWN');
});

t.test('over a reference that came as bytes a cycle is found until receive first awaits', async (t) => {
  for (const [awaits, end] of [
    [false, 'TETHER_ASK_CYCLE'],
    [true, 'TETHER_ASK_TIMEOUT'],
  ] as const) {
    const { kernel, clock } = manualKernel();
    const { codec } = kernel;
    const held = codec.unpack(codec.pack(kernel.ref('pair', 'a'))) as ActorRef;
    hostIn<unknown, unknown, unknown>(kernel, {
      type: 'pair',
      scope: 'key',
      async receive([message], context) {
        if (awaits) await settle(1);
        const to = context.key === 'a' ? context.ref('pair', 'b') : held;
        message?.reply((await fate(to.ask('go' as never, { timeoutMs: 50 }))) as never);
      },
    });
    const asked = fate(kernel.ref('pair', 'a').ask('go' as never));
    await settle();
    clock.advance(70);
    t.equal(await asked, end);
  }
});

t.test('what cannot be packed is refused, not left out', async (t) => {
  const { kernel } = manualKernel();
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (const body of [circle, { f() {} }, { s: Symbol('s') }]) {
    t.throws(() => kernel.codec.pack(body), { code: 'TETHER_BODY' });
  }
  t.throws(() => kernel.codec.unpack(Buffer.from([0x93])), { code: 'TETHER_BODY' });
  const kept = { u: undefined, m: new Map([[1, new Set(['x'])]]), b: 2n ** 80n, bytes: Buffer.from('x') };
  t.strictSame(kernel.codec.unpack(kernel.codec.pack(kept)), kept);
});

t.test('context.signal', async (t) => {
  const { kernel, clock } = manualKernel({ receiveMsMax: 1_000 });
  const contexts: ActorContext[] = [];
  const signals: AbortSignal[] = [];
  let early = true;
  hostIn<string, unknown, unknown>(kernel, {
    type: 'held',
    scope: 'key',
    batchMax: 64,
    async receive(messages: readonly Message<string>[], context) {
      contexts.push(context as ActorContext);
      if (early) signals.push(context.signal);
      await new Promise<void>((resolve) => {
        if (messages[0]?.body === 'brief') resolve();
        else context.signal.addEventListener('abort', () => resolve());
      });
    },
  });
  const ref = kernel.ref('held', 'a');

  ref.tell('long');
  await settle();
  clock.advance(880);
  t.equal(signals[0]?.aborted, false);
  clock.advance(40);
  t.match(signals[0]?.reason, { code: 'TETHER_RECEIVE_TIMEOUT' }, 'before the thread is replaced');
  await settle();

  const asks = [10, 200].map((timeoutMs) => fate(ref.ask('long' as never, { timeoutMs })));
  await settle();
  clock.advance(30);
  await settle();
  t.equal(signals[1]?.aborted, false, 'one of two still waits');
  clock.advance(200);
  t.equal(signals[1]?.aborted, true, 'everybody has given up');
  await Promise.all(asks);
  await settle();

  ref.tell('brief');
  await settle();
  t.equal(contexts[0]?.signal.aborted, true, 'read when no call is under way');
  ref.tell('long');
  await settle();
  t.equal(signals.at(-1)?.aborted, false, 'the next call has its own');
  t.equal(kernel.deadlines.size, 1);
  kernel.stop(new Error('over'));
  t.match(signals.at(-1)?.reason, { message: 'over' });
  t.equal(kernel.deadlines.size, 0);
  early = false;
});
