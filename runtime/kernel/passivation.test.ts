/** How long an activation lives, and what goes with it. */
import t from 'tap';
import type { ActorContext } from '../actor.js';
import { DurableMessage } from './letter.js';
import { fate, hostIn, manualKernel, settle } from './test-kernel.js';

function fixture(definition: object = {}, handle: (id: string, context: ActorContext) => unknown = () => {}) {
  const made = manualKernel();
  const handled: string[] = [];
  const host = hostIn<string, unknown, unknown>(made.kernel, {
    type: 'tested',
    scope: 'key',
    batchMax: 1,
    idleMsMax: 1_000,
    state: (key) => {
      handled.push(`${key} lives`);
      return {};
    },
    receive([message], context) {
      handled.push(`${context.key}:${message?.id || message?.body}`);
      return handle(message?.body as string, context as ActorContext) as Promise<void>;
    },
    ...definition,
  });
  return { ...made, host, handled, ref: (key: string) => made.kernel.ref('tested', key) };
}

t.test('an idle activation is passivated, and comes back by its references', async (t) => {
  const { kernel, clock, host, handled, ref, told } = fixture();
  const a = ref('a');
  a.tell('1');
  ref('b').tell('1');
  await settle();
  clock.advance(600);
  a.tell('2');
  await settle();
  clock.advance(400);
  kernel.sweep();
  t.equal(host.live, 1, 'b has been idle for its time, a has not');
  t.match(told('passivated'), [{ count: 1 }]);
  clock.advance(600);
  kernel.sweep();
  t.equal(host.live, 0);
  a.tell('3');
  await settle();
  t.strictSame(handled, ['a lives', 'a:1', 'b lives', 'b:1', 'a:2', 'a lives', 'a:3']);
  t.equal(kernel.waiting, 0);
});

t.test('one that owes an answer stays for its time, one that works stays', async (t) => {
  let goOn = () => {};
  const { kernel, clock, host, ref } = fixture({}, (id) =>
    id === 'work'
      ? new Promise<void>((resolve) => {
          goOn = resolve;
        })
      : undefined,
  );
  const asked = fate(ref('a').ask('owe' as never, { timeoutMs: 5_000 }));
  ref('b').tell('work');
  await settle();
  clock.advance(2_000);
  kernel.sweep();
  t.equal(host.live, 2);
  clock.advance(4_000);
  t.equal(await asked, 'TETHER_ASK_TIMEOUT');
  goOn();
  await settle();
  kernel.sweep();
  t.equal(host.live, 1, 'b was just used');
  clock.advance(1_000);
  kernel.sweep();
  t.equal(host.live, 0);
});

t.test('beyond activationsMax the one that was used longest ago goes', async (t) => {
  const { kernel, host, handled, ref, told } = fixture({ activationsMax: 3 });
  ref('a').tell('1');
  await settle();
  for (const key of ['b', 'c']) {
    ref(key).tell('1');
    await settle();
  }
  ref('d').tell('1');
  await settle();
  t.equal(host.live, 3);
  ref('b').tell('2');
  await settle();
  ref('e').tell('1');
  await settle();
  ref('b').tell('3');
  ref('c').tell('2');
  await settle();
  t.equal(handled.filter((line) => line === 'b lives').length, 1, 'b was used, c was the oldest');
  t.equal(handled.filter((line) => line === 'c lives').length, 2);
  t.equal(
    told('passivated').reduce((sum, { count }) => sum + count, 0),
    3,
  );
  t.equal(kernel.waiting, 0);
  t.equal(kernel.deadlines.size, 0);
});

t.test('one that owes an answer goes last, and its asker is told at once', async (t) => {
  const { kernel, host, handled, ref } = fixture({ activationsMax: 2 });
  const owed = fate(ref('a').ask('owe' as never));
  await settle();
  for (const key of ['b', 'c']) {
    ref(key).tell('1');
    await settle();
  }
  t.strictSame(
    handled.filter((line) => line.endsWith('lives')),
    ['a lives', 'b lives', 'c lives'],
  );
  ref('b').tell('2');
  await settle();
  t.equal(handled.filter((line) => line === 'b lives').length, 2, 'b went, though a was older');
  const owedToo = fate(ref('b').ask('owe' as never));
  await settle();
  ref('c').tell('2');
  t.equal(await owed, 'TETHER_ACTIVATION_STOPPED');
  ref('d').tell('1');
  await settle();
  t.equal(host.live, 2);
  kernel.stop(new Error('over'));
  await owedToo;
  t.equal(kernel.deadlines.size, 0);
});

t.test('messages to more activations than there may be are all handled', async (t) => {
  const { kernel, host, handled, ref } = fixture({ activationsMax: 2 });
  for (let n = 0; n < 50; n++) ref(`k${n}`).tell('1');
  for (let n = 0; n < 50; n++) ref(`k${n}`).tell('2');
  await settle();
  t.equal(handled.filter((line) => line.endsWith(':1')).length, 50);
  t.equal(handled.filter((line) => line.endsWith(':2')).length, 50);
  t.equal(kernel.waiting, 0);
  ref('k0').tell('3');
  await settle();
  t.ok(host.live <= 50);
});

t.test('timers: after, every, cancelled, replaced, and gone with the activation', async (t) => {
  const { kernel, clock, host, handled, ref } = fixture({ idleMsMax: 500 }, (id, { timers }) => {
    if (id === 'once') timers.after('t', 100, 'rang');
    if (id === 'again') timers.after('t', 200, 'rang later');
    if (id === 'cancel') timers.cancel('t');
    if (id === 'every') timers.every('e', 100, 'beat');
    if (id === 'bad') timers.every('e', 0, 'beat');
  });
  const tell = async (id: string, ms: number) => {
    handled.length = 0;
    ref('a').tell(id);
    await settle();
    for (let at = 0; at < ms; at += 10) {
      clock.advance(10);
      await settle(1);
    }
    return handled.filter((line) => line !== 'a lives').map((line) => line.slice(2));
  };
  t.strictSame(await tell('once', 300), ['once', 'rang']);
  await tell('once', 50);
  t.strictSame(await tell('again', 300), ['again', 'rang later'], 'in place of the first');
  await tell('once', 50);
  t.strictSame(await tell('cancel', 300), ['cancel']);
  t.strictSame(await tell('every', 350), ['every', 'beat', 'beat', 'beat']);
  kernel.stop(new Error('over'));
  clock.advance(1_000);
  await settle();
  t.equal(host.live, 0);
  t.equal(clock.pending, 0);
  t.equal(kernel.waiting, 0);
});

t.test('a timer does not keep an activation, and one set too late is never set', async (t) => {
  let late = () => {};
  const { kernel, clock, host, ref } = fixture({}, (_, { timers }) => {
    timers.after('t', 5_000, 'rang');
    late = () => timers.every('late', 10, 'beat');
  });
  ref('a').tell('1');
  await settle();
  clock.advance(1_000);
  kernel.sweep();
  t.equal(host.live, 0);
  late();
  t.equal(clock.pending, 0);
});

t.test('a life that ends by a failure ends its timers', async (t) => {
  const { clock, handled, ref } = fixture({}, (id, { timers }) => {
    timers.after('t', 100, 'rang');
    if (id === 'poison') throw new Error('poison');
  });
  ref('a').tell('poison');
  await settle();
  clock.advance(200);
  await settle();
  t.strictSame(handled, ['a lives', 'a:poison']);
});

t.test('durable and volatile messages take turns and never overlap', async (t) => {
  let calls = 0;
  const { kernel, host, handled, ref } = fixture({}, async () => {
    if (++calls > 1) t.fail('two calls at once');
    await settle(1);
    calls--;
  });
  for (let n = 0; n < 4; n++) {
    ref('a').tell(`v${n}`);
    const envelope = {
      id: `d${n}`,
      key: 'a',
      dedupe: '',
      receivedAt: 0,
      traceparent: '',
      payload: new Uint8Array([0]),
    };
    const message = new DurableMessage(envelope, kernel.codec);
    host.activation('a').push({ partition: 0, offset: n, bytes: 1, message });
  }
  await settle(30);
  t.strictSame(
    handled.slice(1).map((line) => line.slice(2)),
    ['v0', 'd0', 'v1', 'd1', 'v2', 'd2', 'v3', 'd3'],
  );
  t.ok(host.activation('a').quiet);
});
