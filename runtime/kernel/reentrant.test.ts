/** What a reentrant type may do, and what it still may not. */
import t from 'tap';
import type { ActorContext } from '../actor.js';
import type { Message } from '../message.js';
import { DurableMessage } from './letter.js';
import { fate, hostIn, manualKernel, settle } from './test-kernel.js';

type Body = { readonly type: string };

/** Calls that go on when they are told to. */
function gates() {
  const open = new Map<string, { pass: () => void; fail: (error: Error) => void }>();
  const wait = (name: string) =>
    new Promise<void>((pass, fail) => {
      open.set(name, { pass, fail });
    });
  return { open, wait };
}

function fixture(definition: object = {}) {
  const { open, wait } = gates();
  const made = manualKernel({ receiveMsMax: 10_000 });
  const order: string[] = [];
  const host = hostIn<Body, unknown, unknown>(made.kernel, {
    type: 'open',
    scope: 'key',
    batchMax: 1,
    reentrant: true,
    async receive([message]) {
      const name = message?.id || (message?.body.type as string);
      order.push(`${name} begins`);
      await wait(name);
      order.push(`${name} ends`);
    },
    ...definition,
  });
  return { ...made, host, open, order, ref: made.kernel.ref('open', 'a') };
}

t.test('volatile messages are handled while an earlier call waits', async (t) => {
  const { open, order, ref } = fixture();
  ref.tell({ type: 'a' });
  ref.tell({ type: 'b' });
  await settle();
  open.get('b')?.pass();
  await settle();
  open.get('a')?.pass();
  await settle();
  t.strictSame(order, ['a begins', 'b begins', 'b ends', 'a ends']);
});

t.test('one that is not reentrant has one call at a time', async (t) => {
  const { open, order, ref } = fixture({ reentrant: false });
  ref.tell({ type: 'a' });
  ref.tell({ type: 'b' });
  await settle();
  t.strictSame(order, ['a begins']);
  open.get('a')?.pass();
  await settle();
  t.strictSame(order, ['a begins', 'a ends', 'b begins']);
  open.get('b')?.pass();
});

t.test('durable messages are never two at once', async (t) => {
  const { kernel, host, open, order, ref } = fixture();
  const push = (id: string) => {
    const envelope = { id, key: 'a', dedupe: id, receivedAt: 0, traceparent: '', payload: new Uint8Array() };
    host
      .activation('a')
      .push({ partition: 0, offset: 0, bytes: 1, message: new DurableMessage(envelope, kernel.codec) });
  };
  push('d1');
  push('d2');
  await settle();
  ref.tell({ type: 'v' });
  await settle();
  t.strictSame(order, ['d1 begins', 'v begins'], 'volatile ones may overlap');
  open.get('v')?.pass();
  await settle();
  t.strictSame(order, ['d1 begins', 'v begins', 'v ends']);
  open.get('d1')?.pass();
  await settle();
  t.strictSame(order.slice(3), ['d1 ends', 'd2 begins']);
  open.get('d2')?.pass();
  await settle();
  t.ok(host.activation('a').quiet);
});

t.test('so many calls and no more', async (t) => {
  const { host, kernel, open, order, ref } = fixture();
  for (let n = 0; n < 105; n++) ref.tell({ type: `m${n}` });
  await settle();
  t.equal(order.length, host.callsMax);
  t.equal(kernel.waiting, 5);
  open.get('m0')?.pass();
  await settle();
  t.equal(order.at(-1), 'm100 begins');
});

t.test('it may be asked by whom it asks', async (t) => {
  const { kernel, ref } = fixture({
    async receive([message]: readonly Message<Body>[], context: ActorContext) {
      if (message?.type === 'ask') message.reply((await context.self.ask({ type: 'answer' })) as never);
      else message?.reply('yes' as never);
    },
  });
  t.equal(await fate(ref.ask({ type: 'ask' })), 'yes');
  t.equal(kernel.deadlines.size, 0);
});

t.test('the first call is not waited for once the state is there', async (t) => {
  const { kernel, clock, ref } = fixture({
    async state() {
      return {};
    },
    async receive([message]: readonly Message<Body>[], context: ActorContext) {
      if (message?.type === 'ask') message.reply((await context.self.ask({ type: 'answer' })) as never);
      else message?.reply('yes' as never);
    },
  });
  const asked = fate(ref.ask({ type: 'ask' }));
  await settle();
  clock.advance(6_000);
  t.equal(await asked, 'yes');
  t.equal(kernel.deadlines.size, 0);
});

t.test('a call is as old as it is, however many came after it', async (t) => {
  const { clock, host, open, ref } = fixture();
  ref.tell({ type: 'm0' });
  await settle();
  for (let n = 1; n < 10; n++) {
    clock.advance(100);
    ref.tell({ type: `m${n}` });
    await settle();
    open.get(`m${n - 1}`)?.pass();
    await settle();
    t.equal(host.suspendedSince(), clock.now());
  }
  open.get('m9')?.pass();
  await settle();
  t.equal(host.suspendedSince(), undefined);
});

t.test('a rest is not cut short by other calls that fail', async (t) => {
  const { clock, told, open, order, ref } = fixture({
    supervision: { restartsMax: 1, withinMs: 5_000, delayMs: 20 },
  });
  for (const type of ['a', 'b', 'c']) ref.tell({ type });
  await settle();
  open.get('a')?.fail(new Error('first'));
  await settle();
  open.get('b')?.fail(new Error('second'));
  await settle();
  t.equal(told('escalated').length, 1);
  open.get('c')?.fail(new Error('third, while it rests'));
  await settle();
  clock.advance(4_900);
  t.equal(await fate(ref.ask({ type: 'd' })), 'TETHER_ACTIVATION_STOPPED');
  clock.advance(200);
  ref.tell({ type: 'e' });
  await settle();
  t.equal(order.at(-1), 'e begins');
  open.get('e')?.pass();
});
