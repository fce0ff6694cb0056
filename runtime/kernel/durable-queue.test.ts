import fc from 'fast-check';
import t from 'tap';
import { defineActor } from '../actor.js';
import { ManualClock } from '../clock.js';
import { OutageError, PendingError } from '../errors.js';
import { silentLogger } from '../logger.js';
import type { Message } from '../message.js';
import type { DeadLetterCause } from '../stores/dead-letter.js';
import type { Entry } from './entry.js';
import type { Kernel } from './kernel.js';
import { DurableMessage } from './letter.js';
import { testKernel } from './test-kernel.js';
import type { TypeHost } from './type-host.js';

class Away extends OutageError {
  readonly code = 'AWAY';
}

interface Fixture {
  readonly host: TypeHost;
  readonly kernel: Kernel;
  readonly clock: ManualClock;
  readonly calls: string[][];
  readonly done: string[];
  readonly dead: { readonly id: string; readonly cause: DeadLetterCause }[];
  readonly outages: (string | undefined)[];
  /** What waits behind held keys now; each entry takes a byte. */
  readonly parked: { messages: number; bytes: number };
  push(...ids: string[]): void;
  /** Lets every promise that can settle do so. */
  settle(): Promise<void>;
  /** Nothing is queued, held or under way. */
  empty(): boolean;
}

/** One activation for all keys. Ids are `key` + sequence: the first letter is the key. */
function fixture(
  receive: (messages: readonly Message[]) => Promise<void> | void,
  batchMax = 100,
  lingerMs = 0,
): Fixture {
  const clock = new ManualClock();
  const calls: string[][] = [];
  const done: string[] = [];
  const dead: { id: string; cause: DeadLetterCause }[] = [];
  const outages: (string | undefined)[] = [];
  const parked = { messages: 0, bytes: 0 };
  let offset = 0;
  const kernel = testKernel({
    clock,
    random: () => 0.5,
    retry: { attemptsMax: 3, delayMs: 100, delayMsMax: 1_000 },
  });
  const host = kernel.host({
    definition: defineActor({
      type: 'tested',
      scope: 'thread',
      batchMax,
      lingerMs,
      receive(messages) {
        calls.push(messages.map(({ id }) => id));
        return receive(messages);
      },
    }),
    resources: undefined,
    logger: silentLogger,
    outcome: {
      done: (entries) => done.push(...entries.map(({ message }) => message.id)),
      dead: ({ message }, cause) => dead.push({ id: message.id, cause }),
      parked(messages, bytes) {
        parked.messages += messages;
        parked.bytes += bytes;
      },
      forgotten: () => {},
      outage: (error) => outages.push((error as Away | undefined)?.code),
    },
  });
  const activation = host.activation('');
  return {
    host,
    kernel,
    clock,
    calls,
    done,
    dead,
    outages,
    parked,
    push(...ids) {
      for (const id of ids) activation.push(entry(kernel, id, offset++));
    },
    async settle() {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
    empty: () => activation.quiet,
  };
}

function entry({ codec }: Kernel, id: string, offset: number): Entry {
  const envelope = {
    id,
    key: id.charAt(0),
    dedupe: id,
    receivedAt: 0,
    traceparent: '',
    payload: Buffer.from(id),
  };
  return { partition: 0, offset, bytes: 1, message: new DurableMessage(envelope, codec) };
}

t.test(
  'what a message needs is on its way: its key waits without using up its budget, but not for ever',
  async (t) => {
    class OnItsWay extends PendingError {
      readonly code = 'ON_ITS_WAY';
    }
    const there = new Set<string>();
    const f = fixture((messages) => {
      for (const { id } of messages) if (id.startsWith('a') && !there.has(id)) throw new OnItsWay(id);
    });
    f.push('b1', 'a1', 'a2', 'c1');
    await f.settle();
    t.strictSame([...f.done].sort(), ['b1', 'c1'], 'the others go on');
    const tries = () => f.calls.filter((ids) => ids.includes('a1') && ids.length === 1).length;
    for (let second = 0; second < 10; second++) {
      f.clock.advance(1_000);
      await f.settle();
    }
    t.ok(tries() > 9, 'more often than its budget, and soon after it is there');
    t.strictSame(f.dead, []);
    there.add('a1').add('a2');
    f.clock.advance(1_000);
    await f.settle();
    t.strictSame(f.done.slice(2), ['a1', 'a2'], 'in order');
    f.push('a3', 'a4');
    there.add('a4');
    for (let second = 0; second < 59; second++) {
      await f.settle();
      f.clock.advance(1_000);
    }
    await f.settle();
    t.strictSame(f.dead, []);
    for (let second = 0; second < 10; second++) {
      f.clock.advance(1_000);
      await f.settle();
    }
    t.match(f.dead, [{ id: 'a3', cause: { code: 'ON_ITS_WAY' } }], 'after a minute it counts');
    t.equal(f.done.at(-1), 'a4', 'and its key goes on');
    t.ok(f.empty());
    t.strictSame(f.parked, { messages: 0, bytes: 0 });
  },
);

t.test('what is pushed in one go is one batch, up to the limit', async (t) => {
  const { push, settle, calls, done, empty } = fixture(() => {}, 3);
  push('a1', 'b1', 'a2', 'c1');
  await settle();
  t.strictSame(calls, [['a1', 'b1', 'a2'], ['c1']]);
  t.strictSame(done, ['a1', 'b1', 'a2', 'c1']);
  t.equal(empty(), true);
});

t.test(
  'a poison message is found by halves, held, retried alone, and given up; its key waits, others do not',
  async (t) => {
    const poison = (messages: readonly Message[]) => {
      if (messages.some(({ id }) => id === 'b1')) throw new Error('poison');
    };
    const { push, settle, done, dead, clock, calls, empty } = fixture(poison);
    push('a1', 'a2', 'b1', 'c1', 'b2', 'd1', 'd2', 'd3');
    await settle();
    t.strictSame(done, ['a1', 'a2', 'c1', 'd1', 'd2', 'd3'], 'all but the key of the poison');
    push('b3', 'a3');
    await settle();
    t.equal(done.at(-1), 'a3', 'a later message of the key waits too');
    t.equal(empty(), false);

    clock.advance(100);
    await settle();
    t.strictSame(calls.at(-1), ['b1'], 'tried again, alone');
    t.strictSame(dead, []);
    clock.advance(200);
    await settle();
    t.match(
      dead,
      [{ id: 'b1', cause: { code: 'Error', message: 'poison' } }],
      'given up at the third failure',
    );
    t.strictSame(done.slice(-2), ['b2', 'b3'], 'its key goes on, in order');
    t.equal(empty(), true);
    t.equal(clock.pending, 0);
  },
);

t.test('a retry that succeeds lets its key go on before what came later', async (t) => {
  let failures = 1;
  const { push, settle, done, clock, parked } = fixture((messages) => {
    if (messages.some(({ id }) => id === 'a1') && failures-- > 0) throw new Error('once');
  });
  push('a1');
  await settle();
  push('a2', 'b1', 'a3');
  await settle();
  t.strictSame(done, ['b1']);
  t.strictSame(parked, { messages: 3, bytes: 3 }, 'it and what waits behind it');
  clock.advance(100);
  push('a4');
  await settle();
  t.strictSame(done, ['b1', 'a1', 'a2', 'a3', 'a4']);
  t.strictSame(parked, { messages: 0, bytes: 0 });
});

t.test('a final error is a dead letter at once', async (t) => {
  const final = Object.assign(new Error('no'), { code: 'NO', retryable: false });
  const { push, settle, dead, done, clock } = fixture((messages) => {
    if (messages.some(({ id }) => id === 'a1')) throw final;
  });
  push('a1', 'a2');
  await settle();
  t.match(dead, [{ id: 'a1', cause: { code: 'NO' } }]);
  t.strictSame(done, ['a2']);
  t.equal(clock.pending, 0);
});

t.test('an outage holds everything, splits nothing, costs no attempt', async (t) => {
  let away = true;
  const { push, settle, calls, done, dead, clock, outages } = fixture(() => {
    if (away) throw new Away('no database');
  });
  push('a1', 'b1');
  for (let attempt = 0; attempt < 20; attempt++) {
    await settle();
    clock.advance(2_000);
  }
  t.ok(calls.length >= 20 && calls.every((ids) => ids.length === 2));
  away = false;
  clock.advance(2_000);
  await settle();
  clock.advance(2_000);
  await settle();
  t.strictSame(done, ['a1', 'b1']);
  t.strictSame(dead, []);
  t.equal(outages[0], 'AWAY');
  t.equal(outages.at(-1), undefined);
});

t.test(
  'a batch that is not full lingers; a full one, a drain and the end of the time do not wait',
  async (t) => {
    const { push, settle, calls, clock, kernel } = fixture(() => {}, 3, 10);
    push('a1');
    await settle();
    t.strictSame(calls, []);
    clock.advance(9);
    push('a2');
    await settle();
    t.strictSame(calls, []);
    clock.advance(1);
    await settle();
    t.strictSame(calls, [['a1', 'a2']]);
    push('b1', 'b2', 'b3', 'b4');
    await settle();
    t.strictSame(calls.slice(1), [['b1', 'b2', 'b3']]);
    push('b5', 'b6');
    await settle();
    t.strictSame(calls.slice(2), [['b4', 'b5', 'b6']], 'filled up while it lingered');
    push('c1');
    await settle();
    await kernel.drain();
    t.strictSame(calls.slice(3), [['c1']]);
    t.equal(clock.pending, 0);
  },
);

t.test('a backoff that ends while the lane lingers for its followers is not forgotten', async (t) => {
  let failures = 1;
  const { push, settle, done, clock, empty } = fixture(
    () => {
      if (failures-- > 0) throw new Error('once');
    },
    100,
    10,
  );
  push('a1');
  await settle();
  clock.advance(10);
  await settle();
  clock.advance(70);
  push('a2');
  await settle();
  clock.advance(10);
  for (let turn = 0; turn < 5; turn++) {
    await settle();
    clock.advance(10);
  }
  t.strictSame(done, ['a1', 'a2']);
  t.equal(empty(), true);
});

t.test('drain handles what is queued and leaves what waits', async (t) => {
  const { push, settle, done, kernel } = fixture((messages) => {
    if (messages.some(({ id }) => id.startsWith('p'))) throw new Error('poison');
  }, 1);
  push('p1');
  await settle();
  push('a1', 'a2', 'p2', 'a3');
  await kernel.drain();
  t.strictSame(done, ['a1', 'a2', 'a3']);
});

t.test('other settings hold from the next batch on, and end a linger that has enough', async (t) => {
  const { push, settle, calls, clock, host } = fixture(() => {}, 10, 50);
  push('a1', 'a2', 'a3');
  await settle();
  t.strictSame(calls, [], 'it waits for more');
  host.batch({ batchMax: 2, lingerMs: 50 });
  await settle();
  t.strictSame(calls, [['a1', 'a2']]);
  host.batch({ batchMax: 2, lingerMs: 0 });
  clock.advance(50);
  push('a4');
  await settle();
  t.strictSame(calls.slice(1), [['a3', 'a4']]);
  push('a5');
  await settle();
  t.strictSame(calls.slice(2), [['a5']], 'and no more waiting');
});

t.test('drain does not wait for an outage', async (t) => {
  const { push, settle, done, kernel } = fixture(() => {
    throw new Away('no database');
  });
  push('a1');
  await settle();
  await kernel.drain();
  t.strictSame(done, []);
});

t.test('never two calls at once, order kept per key, everything accounted for: at random', async (t) => {
  // Each message fails a number of times alone: 0 mostly, 9 is more than its budget.
  const plan = fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      failures: fc.constantFrom(0, 0, 0, 0, 1, 2, 9),
      pause: fc.boolean(),
      // Other settings hold from here on.
      batching: fc.option(
        fc.record({ batchMax: fc.integer({ min: 1, max: 5 }), lingerMs: fc.constantFrom(0, 0, 70) }),
        { nil: undefined },
      ),
    }),
    { maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(plan, fc.integer({ min: 1, max: 5 }), async (plan, batchMax) => {
      const left = new Map<string, number>(plan.map(({ key, failures }, at) => [`${key}${at}`, failures]));
      let calls = 0;
      let [now, larger] = [batchMax, 0];
      const { push, settle, done, dead, clock, empty, parked, host } = fixture(async (messages) => {
        if (++calls > 1) throw new Error('two calls at once');
        if (messages.length > now) larger++;
        await new Promise((resolve) => setImmediate(resolve));
        calls--;
        const failing = messages.find(({ id }) => (left.get(id) ?? 0) > 0);
        if (failing === undefined) return;
        if (messages.length === 1) left.set(failing.id, (left.get(failing.id) ?? 0) - 1);
        throw new Error('planned');
      }, batchMax);
      for (const [at, { key, pause, batching }] of plan.entries()) {
        if (batching !== undefined) {
          host.batch(batching);
          now = batching.batchMax;
        }
        push(`${key}${at}`);
        if (pause) await settle();
      }
      for (let turn = 0; turn < 4_000 && !empty(); turn++) {
        clock.advance(50);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (parked.messages !== 0 || parked.bytes !== 0 || larger > 0) return false;
      const gone = new Set(dead.map(({ id }) => id));
      for (const key of ['a', 'b', 'c']) {
        const expected = plan
          .map(({ key }, at) => `${key}${at}`)
          .filter((id) => id.startsWith(key) && !gone.has(id));
        const got = done.filter((id) => id.startsWith(key));
        if (expected.join() !== got.join()) return false;
      }
      return plan.every(({ key, failures }, at) => gone.has(`${key}${at}`) === failures > 2);
    }),
    { numRuns: 60 },
  );
  t.pass();
});
