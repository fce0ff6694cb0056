import fc from 'fast-check';
import t from 'tap';
import { placement } from './placement.js';

const counts = (owners: readonly number[], threads: readonly number[]) =>
  threads.map((thread) => owners.filter((owner) => owner === thread).length);

const moves = (before: readonly number[], after: readonly number[]) =>
  after.filter((owner, index) => owner !== before[index]).length;

t.test('a first placement goes round', async (t) => {
  t.strictSame(placement(Array(8).fill(-1), [0, 1, 2]), [0, 1, 2, 0, 1, 2, 0, 1]);
});

t.test('one more thread takes its share, one less leaves it', async (t) => {
  const two = placement([0, 0, 0, 0, 0, 0], [0, 1]);
  t.strictSame(two, [0, 0, 0, 1, 1, 1]);
  t.strictSame(placement(two, [1]), [1, 1, 1, 1, 1, 1]);
  t.throws(() => placement(two, []), RangeError);
});

t.test('balanced within one, and no placement that is balanced moves fewer', async (t) => {
  const threads = fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 7 }), threads, (owners, threads) => {
      const placed = placement(owners, threads);
      const held = counts(placed, threads);
      if (placed.length !== owners.length || placed.some((owner) => !threads.includes(owner))) return false;
      if (Math.max(...held) - Math.min(...held) > 1) return false;
      return moves(owners, placed) === fewestMoves(owners, threads);
    }),
    { numRuns: 1_000 },
  );
  t.pass();
});

/** By trying every balanced division of the partitions: what a thread has too many has to move. */
function fewestMoves(owners: readonly number[], threads: readonly number[]): number {
  const held = counts(owners, threads);
  const share = Math.floor(owners.length / threads.length);
  let fewest = owners.length;
  for (let choice = 0; choice < 2 ** threads.length; choice++) {
    const quotas = threads.map((_, at) => share + ((choice >> at) & 1));
    if (quotas.reduce((sum, quota) => sum + quota, 0) !== owners.length) continue;
    const kept = held.reduce((sum, count, at) => sum + Math.min(count, quotas[at] ?? 0), 0);
    fewest = Math.min(fewest, owners.length - kept);
  }
  return fewest;
}
