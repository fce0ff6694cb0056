/** What an activation promises, whoever sends, asks, fails or waits: at random, and case by case. */
import { setImmediate as macrotask } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import type { ActorContext } from '../actor.js';
import { testSeed } from '../testing/seed.js';
import { fate, hostIn, manualKernel, settle } from './test-kernel.js';

interface Body {
  readonly id: number;
  readonly from: number;
  /** What `receive` does with it. */
  readonly does: 'nothing' | 'reply' | 'fail' | 'throw' | 'keep' | 'ask' | 'timer';
  readonly urgent: boolean;
}

const ALLOWED = new Set([
  'replied',
  'TETHER_ASK_FAILED',
  'TETHER_ASK_TIMEOUT',
  'TETHER_MAILBOX_FULL',
  'TETHER_ACTIVATION_STOPPED',
  'TETHER_ASK_CYCLE',
]);

const KEYS = ['a', 'b', 'c'];

const step = fc.record({
  key: fc.constantFrom(...KEYS),
  from: fc.nat(2),
  how: fc.constantFrom('tell', 'ask', 'pause', 'advance', 'sweep'),
  does: fc.constantFrom('nothing', 'reply', 'reply', 'fail', 'throw', 'keep', 'ask', 'timer') as fc.Arbitrary<
    Body['does']
  >,
  ms: fc.constantFrom(1, 20, 150, 2_000),
  urgent: fc.boolean(),
});

const type = fc.record({
  batchMax: fc.integer({ min: 1, max: 4 }),
  mailboxMax: fc.constantFrom(2, 8, 1_000),
  overflow: fc.constantFrom('backpressure', 'reject', 'drop-oldest') as fc.Arbitrary<
    'backpressure' | 'reject' | 'drop-oldest'
  >,
  lingerMs: fc.constantFrom(0, 0, 5),
  activationsMax: fc.constantFrom(2, 100),
  supervision: fc.record({
    onFailure: fc.constantFrom('restart', 'stop') as fc.Arbitrary<'restart' | 'stop'>,
    restartsMax: fc.constantFrom(1, 10),
    withinMs: fc.constant(1_000),
  }),
});

t.test('whatever comes: one call at a time, in order, at most once, and nothing is left over', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      type,
      fc.array(step, { maxLength: 50 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      async (type, steps, slow, choices) => {
        const problems: string[] = [];
        // The run queue's order is the test's to choose.
        const { kernel, clock } = manualKernel({
          choose: (length) => (choices.next().value as number) % length,
        });
        const busy = new Set<string>();
        /** Ids that calls which returned were handed, by key. */
        const committed: { readonly key: string; readonly body: Body }[] = [];
        const given = new Map<string, number>();
        const host = hostIn<Body, unknown, unknown>(kernel, {
          type: 'tested',
          scope: 'key',
          idleMsMax: 1_000,
          urgent: ({ urgent }) => urgent,
          ...type,
          receive(messages, context) {
            const { key } = context;
            if (busy.has(key)) problems.push(`two calls at once for ${key}`);
            if (messages.length > type.batchMax) problems.push('more than batchMax');
            busy.add(key);
            const work = () => {
              const failing = messages.find(({ body }) => body.does === 'throw');
              for (const message of messages) {
                const { body } = message;
                const expired = gone.has(body.id);
                if (expired) problems.push(`${body.id} was handed over, but nobody waits for it`);
                if (failing !== undefined) continue;
                if (body.does === 'reply') message.reply('replied' as never);
                if (body.does === 'fail') message.fail(new Error('no'));
                if (body.does === 'timer')
                  context.timers.after('t', 30, { ...body, id: -1, does: 'nothing' });
              }
              if (failing !== undefined) throw new Error('poison');
            };
            const end = () => {
              busy.delete(key);
              for (const { body } of messages) committed.push({ key, body });
            };
            if (!slow && messages.every(({ body }) => body.does !== 'ask')) {
              try {
                work();
                end();
              } finally {
                busy.delete(key);
              }
              return undefined;
            }
            return (async () => {
              try {
                work();
                await macrotask();
                for (const message of messages) {
                  if (message.body.does !== 'ask') continue;
                  const other = KEYS[(KEYS.indexOf(key) + 1) % KEYS.length] as string;
                  const body: Body = { id: -1, from: 9, does: 'reply', urgent: false };
                  await fate(context.ref('tested', other).ask(body, { timeoutMs: 500 }));
                  message.reply('replied' as never);
                }
                end();
              } finally {
                busy.delete(key);
              }
            })();
          },
        });
        const gone = new Set<number>();
        const asks: Promise<unknown>[] = [];
        let settled = 0;
        for (const [id, { key, from, how, does, ms, urgent }] of steps.entries()) {
          const ref = kernel.ref('tested', key);
          const body: Body = { id, from, does, urgent };
          given.set(`${id}`, 1);
          if (how === 'tell') void ref.tell(body);
          else if (how === 'ask') {
            const asked = fate(ref.ask(body as never, { timeoutMs: ms })).then((end) => {
              settled++;
              if (end === 'TETHER_ASK_TIMEOUT') gone.add(id);
              if (!ALLOWED.has(String(end))) problems.push(`an ask ended with ${end}`);
            });
            asks.push(asked);
          } else if (how === 'pause') await macrotask();
          else if (how === 'advance') clock.advance(ms);
          else kernel.sweep();
          if (how === 'advance') await Promise.resolve();
        }
        for (let turn = 0; turn < 300; turn++) {
          clock.advance(50);
          await macrotask();
        }
        if (settled !== asks.length) problems.push(`${asks.length - settled} asks never ended`);
        if (kernel.waiting !== 0) problems.push(`${kernel.waiting} wait for ever`);
        if (kernel.deadlines.size !== 0) problems.push(`${kernel.deadlines.size} deadlines are left`);
        const ids = committed.map(({ body }) => body.id).filter((id) => id >= 0);
        if (new Set(ids).size !== ids.length) problems.push(`handled twice: ${ids}`);
        for (const key of KEYS) {
          for (const urgent of [true, false]) {
            const mine = committed.filter((one) => one.key === key && one.body.urgent === urgent);
            const ids = mine.map(({ body }) => body.id).filter((id) => id >= 0);
            if (ids.some((id, at) => at > 0 && id < (ids[at - 1] as number))) {
              problems.push(`out of order for ${key}: ${ids}`);
            }
          }
        }
        kernel.sweep();
        if (host.live !== 0) problems.push(`${host.live} are not passivated`);
        if (problems.length > 0) throw new Error(problems.join('\n'));
      },
    ),
    { seed: testSeed(t), numRuns: 150 },
  );
  t.pass();
});

function one(receive: (id: string, context: ActorContext) => unknown, definition: object = {}) {
  const made = manualKernel();
  const host = hostIn<string, unknown, unknown>(made.kernel, {
    type: 'one',
    scope: 'key',
    batchMax: 1,
    receive: (messages, context) =>
      receive(messages[0]?.body as string, context as ActorContext) as Promise<void>,
    ...definition,
  });
  return { ...made, host, ref: made.kernel.ref('one', 'a') };
}

t.test('a receive that returns something else than a promise has returned', async (t) => {
  const handled: string[] = [];
  const { ref } = one((id) => handled.push(id));
  ref.tell('a');
  ref.tell('b');
  await settle();
  t.strictSame(handled, ['a', 'b']);
});

t.test('stop within a call, sync or async, is for good', async (t) => {
  for (const slow of [false, true]) {
    const handled: string[] = [];
    const made = one(async (id) => {
      handled.push(id);
      if (slow) await macrotask();
      made.kernel.stop(new Error('over'));
      await macrotask();
    });
    const { kernel, ref, told } = made;
    ref.tell('a');
    ref.tell('b');
    await settle();
    ref.tell('c');
    t.equal(await fate(ref.ask('d')), 'over');
    await settle();
    t.strictSame(handled, ['a']);
    t.equal(kernel.waiting, 0);
    t.equal(kernel.deadlines.size, 0);
    t.match(told('dropped'), [{ reason: 'stopped', count: 2 }]);
  }
});

t.test('drain handles what is queued and what that sends, and waits for no backoff', async (t) => {
  const handled: string[] = [];
  const { kernel, ref, clock } = one(async (id, context) => {
    await macrotask();
    handled.push(`${context.key}${id}`);
    if (id === 'poison') throw new Error('poison');
    if (id.length < 3) context.ref('one', id === '1' ? 'b' : 'c').tell(`${id}1`);
  });
  const quiet = kernel.ref('one', 'b');
  quiet.tell('111');
  await settle();
  const poisoned = kernel.ref('one', 'd');
  poisoned.tell('poison');
  poisoned.tell('left');
  ref.tell('1');
  await kernel.drain();
  t.strictSame(handled.sort(), ['a1', 'b11', 'b111', 'c111', 'dpoison']);
  t.equal(kernel.waiting, 1);
  kernel.stop(new Error('over'));
  t.equal(kernel.waiting, 0);
  t.equal(clock.pending, 0);
});

t.test(
  'a message lingers for others, until the batch is full, the time is over or the kernel drains',
  async (t) => {
    const calls: number[] = [];
    const { kernel, clock } = manualKernel();
    hostIn(kernel, {
      type: 'one',
      scope: 'key',
      batchMax: 3,
      lingerMs: 20,
      receive: (messages) => void calls.push(messages.length),
    });
    const ref = kernel.ref('one', 'a');
    ref.tell(1);
    await settle();
    clock.advance(19);
    await settle();
    t.strictSame(calls, []);
    clock.advance(1);
    await settle();
    t.strictSame(calls, [1]);
    ref.tell(1);
    await settle();
    ref.tell(1);
    ref.tell(1);
    await settle();
    t.strictSame(calls, [1, 3], 'at once when it is full');
    ref.tell(1);
    await settle();
    await kernel.drain();
    t.strictSame(calls, [1, 3, 1]);
    t.equal(clock.pending, 0);
  },
);

t.test(
  'the activation of many keys has caught up with what there was, though there is always more',
  async (t) => {
    const { kernel } = manualKernel();
    let handled = 0;
    const host = hostIn<number, undefined, undefined>(kernel, {
      type: 'set',
      scope: 'thread',
      async receive(_messages, { self }) {
        await macrotask();
        handled++;
        if (handled < 1_000) void self.tell(handled);
      },
    });
    for (let n = 0; n < 3; n++) void host.activation('').tell(n);
    const released = await host.release(() => true, 1_000, new Promise(() => {}));
    t.ok(released);
    t.ok(handled >= 3 && handled < 10, `${handled} were handled by then`);
  },
);
