/** The dispatcher against a model of the world around it. `SEED` repeats a run. */
import fc from 'fast-check';
import t from 'tap';
import { DispatchModel } from '../testing/dispatch-model.js';
import type { Step, World } from '../testing/dispatch-steps.js';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
t.comment(`SEED=${seed}`);
// MODEL_RUNS in the thousands take minutes.
t.setTimeout(600_000);

const thread = fc.nat(4);
const weighted = <Do extends Step>(weight: number, arbitrary: fc.Arbitrary<Do>) => ({
  weight,
  arbitrary: arbitrary as fc.Arbitrary<Step>,
});
const step = fc.oneof(
  weighted(12, fc.record({ do: fc.constant('append' as const), partition: fc.nat(4), key: fc.nat(1) })),
  weighted(10, fc.record({ do: fc.constant('finish' as const), thread, pick: fc.nat(100) })),
  weighted(1, fc.record({ do: fc.constant('giveUp' as const), thread, pick: fc.nat(100) })),
  weighted(2, fc.record({ do: fc.constant('lose' as const), thread, handled: fc.nat(3) })),
  weighted(3, fc.record({ do: fc.constant('attach' as const), thread, handled: fc.constant(0) })),
  weighted(3, fc.record({ do: fc.constant('move' as const), partition: fc.nat(4), thread })),
  weighted(3, fc.record({ do: fc.constant('adopt' as const), partition: fc.nat(4) })),
  weighted(1, fc.record({ do: fc.constant('give up' as const), partition: fc.nat(4) })),
  weighted(1, fc.record({ do: fc.constant('drop' as const), partition: fc.nat(4) })),
  weighted(1, fc.record({ do: fc.constant('resize' as const), threads: fc.integer({ min: 1, max: 4 }) })),
  weighted(2, fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const) })),
  weighted(1, fc.record({ do: fc.constant('widen' as const), messages: fc.constantFrom(1, 2, 5, 2_048) })),
  weighted(6, fc.record({ do: fc.constant('turn' as const) })),
  weighted(1, fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(100, 1_000) })),
);
const world: fc.Arbitrary<World> = fc.record({
  partitions: fc.integer({ min: 1, max: 5 }),
  threads: fc.integer({ min: 1, max: 4 }),
  promiseEvery: fc.nat(3),
  releases: fc.array(
    fc.constantFrom(
      'at once' as const,
      'at once' as const,
      'later' as const,
      'fails' as const,
      'hangs' as const,
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

t.test(
  'under random losses, moves, resizes, windows, pauses and owners: in order, once, and nothing lost',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(world, fc.array(step, { maxLength: 200, size: 'max' }), async (world, steps) => {
        const model = new DispatchModel(world);
        for (const step of steps) await model.take(step);
        await model.end();
      }),
      { numRuns: Number(process.env.MODEL_RUNS ?? 400), seed },
    );
    t.pass();
  },
);
