import t from 'tap';
import { defineActor } from '../actor.js';
import { EnvelopeError } from '../errors.js';
import type { Asks } from '../message.js';
import { TestSystem, type TestSystemOptions } from './test-system.js';

type Body =
  | { readonly type: 'add'; readonly n: number }
  | ({ readonly type: 'sum' } & Asks<number>)
  | ({ readonly type: 'relay' } & Asks<number>)
  | ({ readonly type: 'never' } & Asks<number>);

/** Sums in its state, and writes each effect to `ledger`, as one would to a database. */
function summing(ledger: string[] = []) {
  return defineActor<Body, { sum: number }>({
    type: 'sum',
    scope: 'key',
    state: () => ({ sum: 0 }),
    async receive(messages, context) {
      for (const message of messages) {
        if (message.type === 'add') {
          context.state.sum += message.body.n;
          ledger.push(message.dedupe);
        } else if (message.type === 'sum') message.reply(context.state.sum);
        else if (message.type === 'relay') {
          message.reply(await context.ref<Body>('sum', 'other').ask({ type: 'never' }));
        }
      }
    },
  });
}

async function start(t: Tap, ledger?: string[], options: Partial<TestSystemOptions> = {}) {
  const actor = summing(ledger);
  const system = await TestSystem.start({ actors: [actor], ...options });
  t.teardown(() => system.stop());
  return { system, actor, a: system.ref(actor, 'a'), b: system.ref(actor, 'b') };
}

type Tap = Pick<typeof t, 'teardown'>;

t.test('failNext: one call, of one key when it is named', async (t) => {
  const { system, actor, a, b } = await start(t);
  system.faults.failNext(actor, { key: 'b', error: new RangeError('told to') });
  t.equal(await a.ask({ type: 'sum' }), 0);
  await t.rejects(b.ask({ type: 'sum' }), { code: 'TETHER_ASK_FAILED', reason: 'RangeError' });
  t.equal(await system.run(b.ask({ type: 'sum' })), 0);
  t.match(
    system.events.find(({ kind }) => kind === 'restarted'),
    { key: 'b', restarts: 1 },
  );
});

t.test('an error decides by its class what becomes of the message', async (t) => {
  const { system, actor, a } = await start(t);
  system.faults.failNext(actor, { error: new EnvelopeError('final') });
  await a.tellDurably({ type: 'add', n: 1 });
  await system.settle();
  t.match(system.deadLetters, [{ attempts: 1, cause: { code: 'TETHER_ENVELOPE_MALFORMED' } }]);
});

t.test('of a batch, the message that is meant fails alone', async (t) => {
  const ledger: string[] = [];
  const batch = defineActor<Body>({
    type: 'batch',
    scope: 'thread',
    receive: (messages) => void ledger.push(...messages.map(({ key }) => key)),
  });
  const system = await TestSystem.start({ actors: [batch] });
  t.teardown(() => system.stop());
  system.faults.failTimes(batch, 5, { key: 'c' });
  for (const key of ['a', 'b', 'c', 'd']) await system.ref(batch, key).tellDurably({ type: 'add', n: 1 });
  await system.advance(60_000);
  t.strictSame(ledger.sort(), ['a', 'b', 'd']);
  t.match(system.deadLetters, [{ key: 'c', attempts: 5 }]);
});

t.test('an outage holds durable messages until it is over, and blames none', async (t) => {
  const { system, actor, a } = await start(t);
  system.faults.outage(actor);
  await a.tellDurably({ type: 'add', n: 4 });
  await system.advance(600_000);
  t.equal(system.lag, 1);
  t.equal(system.deadLetters.length, 0);
  await t.rejects(system.run(a.ask({ type: 'sum' })), {
    code: 'TETHER_ASK_FAILED',
    message: /INJECTED_OUTAGE/,
  });
  system.faults.restore(actor);
  await system.advance(2_000);
  t.equal(await a.ask({ type: 'sum' }), 4);
  t.match(
    system.events.filter(({ kind }) => kind === 'outage').map((event) => 'code' in event && event.code),
    ['INJECTED_OUTAGE', undefined],
  );
});

t.test(
  'a crash: state and volatile messages are gone, asks are told, the log is delivered again',
  async (t) => {
    const { system, a, b } = await start(t);
    await a.tellDurably({ type: 'add', n: 1 });
    await system.settle();
    t.equal(await a.ask({ type: 'sum' }), 1);
    const asks = [a.ask({ type: 'never' }), b.ask({ type: 'relay' })];
    await system.settle();
    b.tell({ type: 'add', n: 5 });
    const durable = b.tellDurably({ type: 'add', n: 3 });
    const crashed = system.faults.crash();
    for (const ask of asks) await t.rejects(ask, { code: 'TETHER_THREAD_LOST' });
    await Promise.all([crashed, durable]);
    await system.settle();
    t.equal(await a.ask({ type: 'sum' }), 0, 'what was done is not delivered again');
    t.equal(await b.ask({ type: 'sum' }), 3);
    t.match(
      system.events.filter(({ kind }) => kind === 'thread-lost'),
      [{ actor: 'sum', thread: 0 }],
    );
  },
);

t.test('a crash before a call and after it: the latter repeats the effect', async (t) => {
  for (const [when, effects] of [
    ['before', 1],
    ['after', 2],
  ] as const) {
    const ledger: string[] = [];
    const { system, actor, a } = await start(t, ledger);
    system.faults.crashNext(actor, when, { key: 'a' });
    const id = await a.tellDurably({ type: 'add', n: 1 });
    await system.settle();
    t.equal(system.lag, 0);
    t.strictSame(ledger, Array(effects).fill(id));
    t.equal(await a.ask({ type: 'sum' }), 1);
  }
});

t.test('what a call of the thread that ended does later is not heard', async (t) => {
  const ends: (() => void)[] = [];
  const gated = defineActor({
    type: 'gated',
    scope: 'key',
    receive: () => new Promise<void>((resolve) => void ends.push(resolve)),
  });
  const system = await TestSystem.start({ actors: [gated] });
  t.teardown(() => system.stop());
  await system.ref(gated, 'a').tellDurably(1);
  await system.settle();
  await system.faults.crash();
  await system.settle();
  t.equal(ends.length, 2, 'it is delivered again');
  ends[0]?.();
  await system.settle();
  t.equal(system.lag, 1);
  ends[1]?.();
  await system.settle();
  t.equal(system.lag, 0);
});

t.test('a message that ends its thread again and again becomes a dead letter', async (t) => {
  const { system, actor, a } = await start(t);
  for (let n = 0; n < 20; n++) system.faults.crashNext(actor, 'before', { key: 'a' });
  await a.tellDurably({ type: 'add', n: 1 });
  await system.advance(60_000);
  t.match(system.deadLetters, [{ cause: { code: 'TETHER_THREAD_CRASH' } }]);
});

t.test('dropNext: a tell is gone, an ask waits in vain', async (t) => {
  const { system, actor, a } = await start(t);
  system.faults.dropNext(actor, { key: 'a', times: 2 });
  a.tell({ type: 'add', n: 1 });
  await t.rejects(system.run(a.ask({ type: 'sum' })), { code: 'TETHER_ASK_TIMEOUT' });
  t.equal(await a.ask({ type: 'sum' }), 0);
  t.match(system.events.filter(({ kind }) => kind === 'dropped').length, 2);
});

t.test('delayReplies: the reply takes its time, of the system', async (t) => {
  const { system, actor, a } = await start(t);
  system.faults.delayReplies(actor, 1_000, 2_000);
  const since = system.now;
  t.equal(await system.run(a.ask({ type: 'sum' })), 0);
  t.ok(system.now - since >= 1_000 && system.now - since <= 2_000);
  system.faults.delayReplies(actor, 6_000);
  await t.rejects(system.run(a.ask({ type: 'sum' })), { code: 'TETHER_ASK_TIMEOUT' });
  system.faults.clear();
  t.equal(await a.ask({ type: 'sum' }), 0);
});

t.test('faults by chance: every message is done in the end, and once and again', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const ledger: string[] = [];
    const { system, a } = await start(t, ledger, { seed });
    system.faults.chance({ fail: 0.1, crash: 0.1, drop: 0.5 });
    const ids = [];
    for (let n = 0; n < 20; n++) ids.push(await a.tellDurably({ type: 'add', n }));
    await system.advance(300_000);
    const handled = new Set([...ledger, ...system.deadLetters.map(({ id }) => id)]);
    t.equal(system.lag, 0);
    t.strictSame([...handled].sort(), ids.sort());
    await system.stop();
  }
});
