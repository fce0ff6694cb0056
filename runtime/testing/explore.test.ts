import t from 'tap';
import { defineActor } from '../actor.js';
import { type BookingBody, bank, booking, cashier, hastyBooking, seats } from './examples/booking.js';
import { ExplorationError, explore } from './explore.js';
import { TestSystem } from './test-system.js';

const SEEDS = 200;

/** Books a seat, and looks at the outcome. */
const scenario =
  (t: { equal(found: unknown, wanted: unknown): unknown }) =>
  async (system: TestSystem): Promise<void> => {
    const ref = system.ref<BookingBody>('booking', 'b1');
    await ref.tell({ type: 'book', seat: '7A' });
    await system.settle();
    const outcome = await ref.ask({ type: 'outcome' });
    if (outcome !== 'seat 7A') throw new Error(`the outcome is ${outcome}`);
    t.equal(outcome, 'seat 7A');
  };

const actors = (subject: typeof booking) => [subject, seats, cashier, bank];

t.test('the plain order does not find the bug of the example', async (t) => {
  const system = await TestSystem.start({ actors: actors(hastyBooking) });
  t.teardown(() => system.stop());
  await scenario(t)(system);
});

const quiet = { equal: () => true };

t.test('seeds find it, and the error says which, why, and how to see it again', async (t) => {
  delete process.env.SEED;
  const options = { actors: actors(hastyBooking), seeds: SEEDS };
  const found = await explore(options, scenario(quiet)).then(
    () => undefined,
    (error: unknown) => error as ExplorationError,
  );
  t.ok(found instanceof ExplorationError);
  if (found === undefined) return;
  t.comment(found.message);
  t.match(found.message, `seed ${found.seed} fails`);
  t.match(found.message, 'the outcome is seat undefined');
  t.match(found.message, `SEED=${found.seed} in the environment`);
  t.match(found.message, "booking/b1 <- { type: 'paid' } (told by cashier/b1");
  t.match(found.message, "cashier/b1 <- { type: 'charge', by: booking/b1 } (told by booking/b1");
  const again = await explore({ ...options, seed: found.seed }, scenario(quiet)).catch((error) => error);
  t.equal(again.seed, found.seed);
  t.strictSame(again.trace, found.trace, 'the same seed gives the same trace');
  process.env.SEED = String(found.seed);
  t.teardown(() => delete process.env.SEED);
  const byEnvironment = await explore(options, scenario(quiet)).catch((error) => error);
  t.strictSame(byEnvironment.trace, found.trace);
  process.env.SEED = 'x';
  await t.rejects(explore(options, scenario(quiet)), { message: 'SEED is no whole number: x' });
});

t.test('what is correct passes all seeds', async (t) => {
  delete process.env.SEED;
  let passed = 0;
  await explore({ actors: actors(booking), seeds: SEEDS }, async (system) => {
    await scenario(quiet)(system);
    passed++;
  });
  t.equal(passed, SEEDS);
});

t.test(
  'seeds give different traces, and a seed the same one each time, with durable messages and timers',
  async (t) => {
    const counter = defineActor<{ readonly n: number }, { sum: number }>({
      type: 'counter',
      scope: 'key',
      state: () => ({ sum: 0 }),
      async receive(messages, { state, timers }) {
        for (const { body, id } of messages) {
          state.sum += body.n;
          if (id !== '') timers.after(`t${body.n}`, 10, { n: 100 });
        }
      },
    });
    const traceOf = async (seed: number) => {
      const system = await TestSystem.start({ actors: [counter], seed });
      for (let n = 0; n < 8; n++) await system.ref(counter, `${n % 3}`).tellDurably({ n });
      system.faults.chance({ fail: 0.1, crash: 0.05 });
      await system.advance(20_000);
      await system.stop();
      t.equal(system.lag, 0);
      return system.trace.join('\n');
    };
    const traces = [];
    for (let seed = 1; seed <= 10; seed++) traces.push(await traceOf(seed));
    for (let seed = 1; seed <= 10; seed++) t.equal(await traceOf(seed), traces[seed - 1]);
    t.ok(new Set(traces).size >= 9);
  },
);

t.test('a message may be overtaken by that of another sender, never by one of the same', async (t) => {
  type Step = { readonly by: string; readonly n: number };
  const steps: string[] = [];
  const last = defineActor<Step>({
    type: 'last',
    scope: 'key',
    receive(messages) {
      for (const { body } of messages) steps.push(`${body.by}${body.n}`);
    },
  });
  const relay = defineActor<Step>({
    type: 'relay',
    scope: 'key',
    receive(messages, context) {
      for (const { body } of messages) context.ref(last, 'x').tell({ ...body, by: 'relay' });
    },
  });
  const run = async (system: TestSystem) => {
    steps.length = 0;
    for (let n = 0; n < 3; n++) {
      system.ref(last, 'x').tell({ by: 'test', n });
      system.ref(relay, 'x').tell({ by: 'test', n });
    }
    await system.settle();
    for (const by of ['test', 'relay']) {
      const own = steps.filter((step) => step.startsWith(by));
      if (own.join() !== [0, 1, 2].map((n) => `${by}${n}`).join()) throw new Error(`out of order: ${own}`);
    }
    return steps.join();
  };
  const plain = await TestSystem.start({ actors: [last, relay] });
  t.teardown(() => plain.stop());
  t.equal(await run(plain), 'test0,test1,test2,relay0,relay1,relay2');
  const orders = new Set<string>();
  delete process.env.SEED;
  await explore({ actors: [last, relay], seeds: SEEDS }, async (system) => {
    orders.add(await run(system));
  });
  t.ok(orders.size >= 10, `${orders.size} of the 20 possible orders`);
  t.ok(
    [...orders].some((order) => order.startsWith('relay0')),
    'the relay overtakes the first',
  );
});

t.test('a scenario that never ends fails its seed', async (t) => {
  delete process.env.SEED;
  const never = explore({ actors: [], seeds: 3, seedMsMax: 20 }, () => new Promise(() => {}));
  await t.rejects(never, { seed: 1, message: /^seed 1 fails: the scenario did not end in 20 ms/ });
});
