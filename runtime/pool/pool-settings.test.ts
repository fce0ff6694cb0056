/** What of a pool may be changed, and what is refused. */
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../testing/seed.js';
import { changed, type PoolChange, type PoolSettings, sameSettings } from './pool-settings.js';

const DEFINED: PoolSettings = { min: 2, max: 2, batchMax: 500, lingerMs: 20, inFlightMax: 2_048 };
const seed = testSeed(t);

t.test('what is left out stays', async (t) => {
  t.strictSame(changed(DEFINED, {}, DEFINED), DEFINED);
  const some = changed(DEFINED, { max: 4, lingerMs: 0, batchMax: undefined }, DEFINED);
  t.strictSame(some, { ...DEFINED, max: 4, lingerMs: 0 });
  t.strictSame(changed(some, DEFINED, DEFINED), DEFINED, 'and back');
});

t.test('what is not allowed is refused, with what is', async (t) => {
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ min: 3 }, /from 1 to 256 threads, min not over max; it cannot have 3 to 2/],
    [{ max: 257 }, /it cannot have 2 to 257/],
    [{ batchMax: 501 }, /batchMax is a whole number from 1 to 500; it cannot be 501/],
    [{ batchMax: 0 }, /batchMax/],
    [{ lingerMs: 10_001 }, /lingerMs is a whole number from 0 to 10000/],
    [{ lingerMs: Number.NaN }, /lingerMs .* cannot be NaN/],
    [{ inFlightMax: 0 }, /inFlightMax is a whole number from 1 to 16384/],
    [{ inFlightMax: '5' }, /inFlightMax/],
    [{ threads: 5 }, /a pool has min, max, batchMax, lingerMs, inFlightMax; it has no threads/],
    [{ toString: 5 }, /it has no toString/],
  ];
  for (const [change, message] of refused) {
    t.throws(() => changed(DEFINED, change, DEFINED), { code: 'TETHER_POOL_REQUEST', message });
  }
});

t.test('of whatever is asked for, all holds and is allowed, or it is refused: at random', async (t) => {
  const number = fc.oneof(fc.integer({ min: -1, max: 300 }), fc.double(), fc.integer());
  const change: fc.Arbitrary<PoolChange> = fc.record(
    { min: number, max: number, batchMax: number, lingerMs: number, inFlightMax: number },
    { requiredKeys: [] },
  );
  let refused = 0;
  const runs = 2_000;
  fc.assert(
    fc.property(change, (change) => {
      let after: PoolSettings;
      try {
        after = changed(DEFINED, change, DEFINED);
      } catch (error) {
        refused++;
        return (error as { readonly code?: unknown }).code === 'TETHER_POOL_REQUEST';
      }
      const { min, max, batchMax, lingerMs, inFlightMax } = after;
      return (
        sameSettings(after, { ...DEFINED, ...change } as PoolSettings) &&
        Object.values(after).every(Number.isInteger) &&
        min >= 1 &&
        min <= max &&
        batchMax >= 1 &&
        batchMax <= DEFINED.batchMax &&
        lingerMs >= 0 &&
        inFlightMax >= 1
      );
    }),
    { numRuns: runs, seed },
  );
  t.ok(refused > 0 && refused < runs, `${refused} of ${runs} were refused`);
});
