import t from 'tap';
import { DURATION_BOUNDS, Histogram } from './histogram.js';

t.test('a time falls into the bucket whose bound it does not exceed', async (t) => {
  const histogram = new Histogram([0.001, 0.01, 0.1]);
  const buckets = [0, 1, 1.001, 10, 99, 100, 100.1, Number.POSITIVE_INFINITY].map((ms) =>
    histogram.observe(ms),
  );
  t.strictSame(buckets, [0, 0, 1, 1, 2, 2, 3, 3]);
});

t.test('every bound is in its own bucket, and what is just above it in the next', async (t) => {
  const histogram = new Histogram();
  for (const [bucket, bound] of DURATION_BOUNDS.entries()) {
    t.equal(histogram.observe(bound * 1_000), bucket, `${bound}`);
    t.equal(histogram.observe(bound * 1_000.001), bucket + 1, `above ${bound}`);
  }
});

t.test('a clock that was set back makes no negative sum, and no number is none', async (t) => {
  const histogram = new Histogram([1]);
  histogram.observe(-5_000);
  histogram.observe(Number.NaN);
  histogram.observe(500, 4);
  t.strictSame(histogram.counts(), { bounds: [1], counts: [5, 0], sum: 2 });
});

t.test('what is taken is what came since the last time, and adds up elsewhere', async (t) => {
  const here = new Histogram([0.01, 1]);
  const there = new Histogram([0.01, 1]);
  t.equal(here.take(), undefined);
  here.observe(5);
  here.observe(5_000, 3);
  const first = here.take();
  t.strictSame(first, { buckets: [0, 1, 2, 3], sum: 15.005 });
  there.add(structuredClone(first));
  here.observe(500);
  there.add(here.take());
  there.add(here.take());
  t.strictSame(there.counts(), { bounds: [0.01, 1], counts: [1, 1, 3], sum: 15.505 });
});
