import t from 'tap';
import type { ActorContext } from '../actor.js';
import { OutageError } from '../errors.js';
import type { Supervision } from '../supervision.js';
import { fate, hostIn, manualKernel, settle } from './test-kernel.js';

class Away extends OutageError {
  readonly code = 'AWAY';
}

/** Counts in its state; `poison` throws, `keep` owes an answer, all else is answered with the count. */
function fixture(supervision: Supervision, definition: object = {}) {
  const made = manualKernel();
  let states = 0;
  const host = hostIn<string, { count: number }, unknown>(made.kernel, {
    type: 'tested',
    scope: 'key',
    batchMax: 1,
    supervision,
    state() {
      states++;
      return { count: 0 };
    },
    receive(messages, context) {
      for (const message of messages) {
        context.state.count++;
        if (message.body === 'poison') throw new Error('poison');
        if (message.body === 'away') throw new Away('the database is away');
        if (message.body !== 'keep') message.reply(context.state.count as never);
      }
    },
    ...definition,
  });
  const ref = made.kernel.ref('tested', 'a');
  const ask = (body: string) => fate(ref.ask(body));
  return { ...made, host, ref, ask, states: () => states };
}

t.test(
  'restart: state anew after a backoff, waiting mail is kept, owed asks are refused at once',
  async (t) => {
    const { kernel, clock, ask, told, states } = fixture({ delayMs: 100 });
    const owed = ask('keep');
    await settle();
    const failed = ask('poison');
    const next = ask('count');
    t.equal(await failed, 'TETHER_ASK_FAILED');
    t.equal(await owed, 'TETHER_ACTIVATION_STOPPED', 'no message came for it, and no time passed');
    await settle();
    t.equal(kernel.waiting, 1);
    // Half of it is jitter: random is 0.5 here.
    clock.advance(74);
    await settle();
    t.equal(kernel.waiting, 1);
    clock.advance(1);
    t.equal(await next, 1, 'the state is new');
    t.equal(states(), 2);
    t.match(told('failed'), [{ key: 'a', cause: { message: 'poison' } }]);
    t.match(told('restarted'), [{ key: 'a', restarts: 1, cause: { message: 'poison' } }]);
    t.equal(kernel.deadlines.size, 0);
  },
);

t.test('the backoff doubles up to its ceiling', async (t) => {
  const { clock, ask, ref } = fixture({ delayMs: 100, delayMsMax: 300 });
  for (const ms of [75, 150, 225, 225]) {
    t.equal(await ask('poison'), 'TETHER_ASK_FAILED');
    let done = false;
    void ref.ask('count').then(() => {
      done = true;
    });
    await settle();
    clock.advance(ms - 1);
    await settle();
    t.equal(done, false);
    clock.advance(1);
    await settle();
    t.equal(done, true, `after ${ms} ms`);
  }
});

t.test('resume: nothing happens to the state', async (t) => {
  const { ask, states, told } = fixture({ onFailure: 'resume' });
  t.equal(await ask('count'), 1);
  t.equal(await ask('poison'), 'TETHER_ASK_FAILED');
  t.equal(await ask('count'), 3);
  t.equal(states(), 1);
  t.equal(told('failed').length, 1);
  t.equal(told('restarted').length, 0);
});

t.test('stop: waiting mail is refused, the next message begins a new life at once', async (t) => {
  const { kernel, ask, ref, told, states } = fixture({ onFailure: 'stop' });
  const owed = ask('keep');
  await settle();
  const failed = ask('poison');
  const waiting = ask('count');
  ref.tell('count');
  t.equal(await failed, 'TETHER_ASK_FAILED');
  t.equal(await waiting, 'TETHER_ACTIVATION_STOPPED');
  t.equal(await owed, 'TETHER_ACTIVATION_STOPPED');
  t.equal(await ask('count'), 1);
  t.equal(states(), 2);
  t.match(told('stopped'), [{ key: 'a' }]);
  t.match(told('dropped'), [{ reason: 'stopped', count: 1 }]);
  t.equal(kernel.waiting, 0);
});

t.test('too many restarts escalate: it refuses for a while, and is back', async (t) => {
  const { kernel, clock, ask, ref, told } = fixture({ restartsMax: 2, withinMs: 10_000, delayMs: 10 });
  for (let n = 0; n < 2; n++) {
    t.equal(await ask('poison'), 'TETHER_ASK_FAILED');
    clock.advance(20);
  }
  const failed = ask('poison');
  const waiting = ask('count');
  t.equal(await failed, 'TETHER_ASK_FAILED');
  t.equal(await waiting, 'TETHER_ACTIVATION_STOPPED');
  t.match(told('escalated'), [{ key: 'a', restMs: 10_000 }]);
  clock.advance(9_999);
  t.equal(await ask('count'), 'TETHER_ACTIVATION_STOPPED');
  ref.tell('count');
  t.match(told('dropped'), [{ reason: 'stopped', count: 1 }]);
  clock.advance(1);
  t.equal(await ask('count'), 1);
  t.equal(await ask('poison'), 'TETHER_ASK_FAILED');
  t.equal(told('restarted').at(-1)?.restarts, 1, 'counted anew');
  t.equal(kernel.waiting, 0);
});

t.test('the window slides: restarts that are just borne, over and over, escalate', async (t) => {
  const { clock, ask, told } = fixture({ restartsMax: 3, withinMs: 10_000, delayMs: 10, delayMsMax: 10 });
  const restarts: number[] = [];
  for (const ms of [9_000, 500, 1_000, 20]) {
    t.equal(await ask('poison'), 'TETHER_ASK_FAILED');
    restarts.push(told('restarted').at(-1)?.restarts ?? 0);
    clock.advance(ms);
  }
  // At 0, 9,000, 9,500 and 10,500 ms: the first no longer counts.
  t.strictSame(restarts, [1, 2, 3, 3]);
  t.equal(await ask('poison'), 'TETHER_ASK_FAILED');
  t.equal(told('escalated').length, 1, 'four within 1,520 ms');
});

t.test('a batch with one poison is split, and only the poison fails', async (t) => {
  const batches: string[][] = [];
  const { kernel, clock, ref, told } = fixture(
    { delayMs: 10 },
    {
      batchMax: 100,
      receive(messages: readonly { body: string; reply(value: unknown): void }[]) {
        batches.push(messages.map(({ body }) => body));
        if (messages.some(({ body }) => body === 'poison')) throw new Error('poison');
        for (const message of messages) message.reply(message.body);
      },
    },
  );
  const bodies = ['a', 'b', 'c', 'poison', 'd', 'e', 'f', 'g'];
  const fates = Promise.all(bodies.map((body) => fate(ref.ask(body))));
  await settle();
  clock.advance(20);
  t.strictSame(
    await fates,
    bodies.map((body) => (body === 'poison' ? 'TETHER_ASK_FAILED' : body)),
  );
  t.strictSame(
    batches.map(({ length }) => length),
    [8, 4, 2, 2, 1, 1, 4],
  );
  t.equal(told('failed').length, 1);
  t.equal(told('restarted').length, 1);
  t.equal(kernel.deadlines.size, 0);
});

t.test(
  'an outage blames neither message nor state: told to the asker, without backoff or count',
  async (t) => {
    const { ask, told } = fixture({ restartsMax: 1 });
    for (let n = 0; n < 5; n++) t.equal(await ask('away'), 'TETHER_ASK_FAILED');
    t.equal(await ask('count'), 1);
    t.equal(told('restarted').length, 0);
    t.equal(told('escalated').length, 0);
  },
);

for (const [name, fail] of [
  [
    'thrown',
    (error: Error) => {
      throw error;
    },
  ],
  ['rejected', (error: Error) => Promise.reject(error)],
] as const) {
  t.test(`an error in state, ${name}, fails the message, and the state is made again`, async (t) => {
    let fails = true;
    const { clock, ask, ref, told } = fixture(
      { delayMs: 10 },
      {
        state: () => (fails ? fail(new Error('no state')) : { count: 40 }),
        receive(messages: readonly { reply(value: unknown): void }[], { state }: ActorContext) {
          messages[0]?.reply((state as { count: number }).count);
        },
      },
    );
    const first = await ref.ask('count').catch((error) => error);
    t.match(first, { code: 'TETHER_ASK_FAILED', reason: 'Error' });
    t.equal(told('restarted').length, 1);
    fails = false;
    const next = ask('count');
    await settle();
    clock.advance(20);
    t.equal(await next, 40);
  });
}
