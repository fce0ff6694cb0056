import fc from 'fast-check';
import t from 'tap';
import { Watermark } from './watermark.js';

t.test('in order, the watermark follows at once', async (t) => {
  const watermark = new Watermark(10);
  t.equal(watermark.complete(10, 12), true);
  t.equal(watermark.low, 12);
  t.equal(watermark.ranges, 0);
});

t.test('a gap holds the watermark, closing it moves over everything behind', async (t) => {
  const watermark = new Watermark(0);
  t.equal(watermark.complete(5, 8), false);
  t.equal(watermark.complete(1, 2), false);
  t.equal(watermark.complete(2, 5), false);
  t.equal(watermark.ranges, 1);
  t.equal(watermark.has(0), false);
  t.equal(watermark.has(7), true);
  t.equal(watermark.has(8), false);
  t.equal(watermark.complete(0, 1), true);
  t.equal(watermark.low, 8);
});

t.test('an empty range is a mistake of the caller', async (t) => {
  t.throws(() => new Watermark(0).complete(3, 3), RangeError);
});

t.test('agrees with a set of offsets, for any order of ranges', async (t) => {
  const range = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 8 }));
  fc.assert(
    fc.property(fc.nat(5), fc.array(range, { maxLength: 60 }), (start, ranges) => {
      const watermark = new Watermark(start);
      const done = new Set<number>();
      for (const [from, length] of ranges) {
        const before = watermark.low;
        const moved = watermark.complete(from, from + length);
        for (let offset = from; offset < from + length; offset++) done.add(offset);
        let low = start;
        while (done.has(low)) low++;
        if (watermark.low !== low || moved !== low > before) return false;
        let ranges = 0;
        for (let offset = low; offset < 80; offset++) {
          if (watermark.has(offset) !== done.has(offset)) return false;
          if (done.has(offset) && !done.has(offset - 1)) ranges++;
        }
        if (watermark.ranges !== ranges) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass();
});
