import t from 'tap';
import { Latencies, PERCENTILES, percentileMs } from './latencies.js';

t.test('percentiles to three figures, whatever the range', async (t) => {
  const latencies = new Latencies();
  for (let i = 1; i <= 10_000; i++) latencies.record(i / 100);
  latencies.record(0);
  latencies.record(1e9);
  const summary = latencies.summary();
  t.equal(summary.count, 10_002);
  t.equal(summary.percentilesMs.length, PERCENTILES.length);
  for (const [percentile, ms] of [
    [50, 50],
    [99, 99],
    [99.9, 99.9],
  ] as const)
    t.ok(
      Math.abs(percentileMs(summary, percentile) - ms) <= ms / 500,
      `${percentile}: ${percentileMs(summary, percentile)}`,
    );
  t.ok(Math.abs(percentileMs(summary, 100) - 60_000) <= 60, 'more than a minute counts as one');
  latencies.reset();
  t.equal(latencies.count, 0);
});
