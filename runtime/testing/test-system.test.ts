import t from 'tap';
import { defineActor, type ThreadContext } from '../actor.js';
import { OutageError } from '../errors.js';
import type { Asks } from '../message.js';
import { TestSystem, type TestSystemOptions } from './test-system.js';

type AccountBody =
  | { readonly type: 'deposit'; readonly amount: number }
  | { readonly type: 'later'; readonly ms: number }
  | ({ readonly type: 'balance' } & Asks<number>)
  | ({ readonly type: 'slow'; readonly ms: number } & Asks<string>)
  | ({ readonly type: 'never' } & Asks<string>)
  | ({ readonly type: 'whole' } & Asks<unknown>);

/** Doubles as a subject for most of the tests. `settings` of a test: what it is to do at `open`. */
const account = defineActor<AccountBody, { balance: number; waiting: { reply(value: string): void }[] }>({
  type: 'account',
  scope: 'key',
  batchMax: 4,
  state: () => ({ balance: 0, waiting: [] }),
  open: ({ settings }: ThreadContext) => settings,
  receive(messages, { state, timers }) {
    for (const message of messages) {
      switch (message.type) {
        case 'deposit':
          state.balance += message.body.amount;
          break;
        case 'later':
          timers.after('later', message.body.ms, { type: 'deposit', amount: 1 });
          break;
        case 'balance':
          message.reply(state.balance);
          break;
        case 'slow':
          state.waiting.push(message);
          timers.after('slow', message.body.ms, { type: 'released' });
          break;
        case 'whole':
          message.reply(() => {});
          break;
        case 'never':
          break;
        default:
          for (const waiting of state.waiting.splice(0)) waiting.reply('at last');
      }
    }
  },
});

async function start(t: Tap, options: Partial<TestSystemOptions> = {}): Promise<TestSystem> {
  const system = await TestSystem.start({ actors: [account], ...options });
  t.teardown(() => system.stop());
  return system;
}

type Tap = Pick<typeof t, 'teardown'>;

t.test('tell, ask and tellDurably work as in the real system, keys apart', async (t) => {
  const system = await start(t);
  const a = system.ref(account, 'a');
  t.equal(a.tell({ type: 'deposit', amount: 5 }), undefined);
  const id = await a.tellDurably({ type: 'deposit', amount: 7 });
  t.match(id, /^[0-9a-f-]{36}$/);
  await system.settle();
  t.equal(system.lag, 0);
  t.equal(await a.ask({ type: 'balance' }), 12);
  t.equal(await system.ref(account, 'b').ask({ type: 'balance' }), 0);
  t.equal(`${a}`, 'account/a');
  t.match(system.trace, [
    "1. 0 ms  account/a <- { type: 'deposit', amount: 5 } (told by the test)",
    "2. 0 ms  account/a <- { type: 'deposit', amount: 7 } (durable)",
    "3. 0 ms  account/a <- { type: 'balance' } (asked by the test)",
    '4. 0 ms  account/a -> replies 12',
    "5. 0 ms  account/b <- { type: 'balance' } (asked by the test)",
    '6. 0 ms  account/b -> replies 0',
  ]);
  t.match(system.events, [
    { kind: 'thread-started', actor: 'account' },
    { kind: 'activated', count: 1 },
    { kind: 'activated', count: 1 },
  ]);
});

t.test('a module is loaded by its URL, and actors that nobody knows are an error', async (t) => {
  const url = new URL('./actors/counter.js', import.meta.url);
  await t.rejects(start(t, { actors: [url, String(url)] }), { code: 'TETHER_ACTOR_MODULE' });
  const system = await start(t);
  t.throws(() => system.ref('nobody', 'x').tell(1), { code: 'TETHER_ACTOR_UNKNOWN' });
  await t.rejects(system.ref('nobody', 'x').ask(1), { code: 'TETHER_ACTOR_UNKNOWN' });
  await t.rejects(system.ref('nobody', 'x').tellDurably(1), { code: 'TETHER_ACTOR_UNKNOWN' });
  t.throws(() => system.probe('account'), { code: 'TETHER_ACTOR_MODULE' });
});

t.test('time moves by the test alone: timers, deadlines of asks, idle activations', async (t) => {
  const system = await start(t);
  const a = system.ref(account, 'a');
  const since = system.now;
  await a.tell({ type: 'later', ms: 30_000 });
  await system.advance(29_999);
  t.equal(await a.ask({ type: 'balance' }), 0);
  await system.advance(1);
  t.equal(await a.ask({ type: 'balance' }), 1);
  t.equal(system.now - since, 30_000);
  const never = a.ask({ type: 'never' }, { timeoutMs: 500 });
  await Promise.all([t.rejects(never, { code: 'TETHER_ASK_TIMEOUT' }), system.advance(510)]);
  t.equal(await system.run(a.ask({ type: 'slow', ms: 4_000 })), 'at last');
  t.equal(system.now - since, 34_510);
  await t.rejects(system.run(new Promise(() => {}), { withinMs: 5_000 }), /not settled in 5000 ms/);
  await system.advance(62_000);
  t.equal(await a.ask({ type: 'balance' }), 0, 'it was passivated');
  for (const ms of [-1, 0.5, Number.NaN]) await t.rejects(system.advance(ms), RangeError);
});

t.test('an ask that waits for time that nobody moves says so', async (t) => {
  const system = await start(t, { stallMsMax: 20 });
  await t.rejects(system.ref(account, 'a').ask({ type: 'never' }), {
    name: 'StalledError',
    message: /^account\/a has not replied.*system\.run\(ask\)/,
  });
});

t.test('what cannot cross a thread fails, unless told otherwise', async (t) => {
  const system = await start(t);
  const body = { type: 'deposit', amount: 1, done: () => {} } as const;
  t.throws(() => system.ref(account, 'a').tell(body), { code: 'TETHER_BODY' });
  await t.rejects(system.ref(account, 'a').ask({ type: 'whole' }), { code: 'TETHER_BODY' });
  const inside = await start(t, { encode: false });
  inside.ref(account, 'a').tell(body);
  t.equal(await inside.ref(account, 'a').ask({ type: 'balance' }), 1);
  t.type(await inside.ref(account, 'a').ask({ type: 'whole' }), 'function');
});

t.test('bodies are copies, and hold references', async (t) => {
  const system = await start(t);
  const probe = system.probe<{ readonly to: unknown; readonly list: number[] }>('copies');
  const body = { to: system.ref(account, 'a'), list: [1] };
  await probe.ref().tell(body);
  body.list.push(2);
  const message = await probe.next();
  t.strictSame(message.body.list, [1]);
  t.equal(`${message.body.to}`, 'account/a');
});

t.test('a durable message is tried again with backoff, is given up, and replayed', async (t) => {
  const system = await start(t, { retry: { attemptsMax: 3, delayMs: 1_000, delayMsMax: 10_000 } });
  const a = system.ref(account, 'a');
  system.faults.failTimes(account, 3, { key: 'a' });
  const id = await a.tellDurably({ type: 'deposit', amount: 5 }, { dedupe: 'once' });
  await system.settle();
  t.equal(system.lag, 1);
  t.equal(system.deadLetters.length, 0);
  await system.advance(1_000);
  t.equal(system.deadLetters.length, 0);
  await system.advance(2_000);
  t.match(system.deadLetters, [
    { id, actor: 'account', key: 'a', dedupe: 'once', attempts: 3, body: { type: 'deposit', amount: 5 } },
  ]);
  t.match(system.deadLetters[0]?.cause.message, 'a fault of the test in account');
  t.equal(system.lag, 0);
  t.match(system.events.at(-1), { kind: 'dead-letter', id });
  await system.replay(id);
  await system.settle();
  t.equal(await a.ask({ type: 'balance' }), 5);
  t.equal(system.deadLetters.length, 0);
  await t.rejects(system.replay(id), RangeError);
});

t.test('an endless exchange is an error that shows it', async (t) => {
  const pong = defineActor<number>({
    type: 'pong',
    scope: 'key',
    receive(messages, context) {
      for (const { body } of messages) context.ref(pong, context.key === 'a' ? 'b' : 'a').tell(body + 1);
    },
  });
  const system = await start(t, { actors: [pong] });
  system.ref(pong, 'a').tell(0);
  await t.rejects(system.settle({ turnsMax: 50 }), {
    name: 'UnsettledError',
    message: /^not settled after 50 turns[\s\S]*pong\/[ab] <- \d+ \(told\)/,
  });
});

t.test('actors are opened with their settings, and closed', async (t) => {
  const calls: unknown[] = [];
  const opened = defineActor<unknown, unknown, string>({
    type: 'opened',
    scope: 'thread',
    open: async ({ settings, thread, actor }) => {
      calls.push([settings, thread, actor]);
      return 'resources';
    },
    close: (resources) => void calls.push(resources),
    receive(_, { resources }) {
      calls.push(resources);
    },
  });
  const system = await start(t, { actors: [opened], settings: { opened: { n: 1 } } });
  system.ref(opened, 'a').tell(1);
  await system.settle();
  await system.stop();
  t.strictSame(calls, [[{ n: 1 }, 0, 'opened'], 'resources', 'resources']);
  const fails = defineActor({
    type: 'f',
    scope: 'key',
    open: () => Promise.reject(new Error('no')),
    receive() {},
  });
  await t.rejects(start(t, { actors: [fails] }), { message: 'no' });
});

t.test('asks end with the system', async (t) => {
  const system = await start(t);
  const never = system.ref(account, 'a').ask({ type: 'never' });
  await system.settle();
  await Promise.all([t.rejects(never, { code: 'TETHER_ACTIVATION_STOPPED' }), system.stop()]);
});

t.test('a call that hangs costs the thread', async (t) => {
  let hangs = true;
  const hung = defineActor({
    type: 'hung',
    scope: 'key',
    receive: () => (hangs ? new Promise(() => {}) : undefined),
  });
  const system = await start(t, { actors: [hung], receiveMsMax: 10_000 });
  await system.ref(hung, 'a').tellDurably(1);
  await system.settle();
  hangs = false;
  await system.advance(12_000);
  t.equal(system.lag, 0);
  t.match(
    system.events.find(({ kind }) => kind === 'thread-lost'),
    { cause: { code: 'TETHER_RECEIVE_TIMEOUT' } },
  );
});

t.test('a hook around receive sees and changes every call', async (t) => {
  class Away extends OutageError {
    readonly code = 'AWAY';
  }
  const calls: string[] = [];
  const system = await start(t, {
    around({ actor, key, messages }, receive) {
      calls.push(`${actor}/${key} ${messages.length}`);
      if (calls.length === 1) throw new Away('for a moment');
      return receive();
    },
  });
  await system.ref(account, 'a').tellDurably({ type: 'deposit', amount: 1 });
  await system.advance(1_000);
  t.equal(system.now % 1, 0);
  t.strictSame(calls, ['account/a 1', 'account/a 1']);
  t.match(
    system.events.filter(({ kind }) => kind === 'outage'),
    [{ code: 'AWAY' }, { code: undefined }],
  );
});
