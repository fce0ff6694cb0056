import t from 'tap';
import { constantArrivals, rampingArrivals } from './schedule.js';

const rounded = (values: Iterable<number>) => [...values].map((ms) => Math.round(ms * 100) / 100);

t.test('a constant rate: the first at once, none at the end or after it', async (t) => {
  t.strictSame(rounded(constantArrivals(4 / 1_000, 1_000)), [0, 250, 500, 750]);
  t.strictSame(rounded(constantArrivals(3 / 1_000, 500)), [0, 333.33]);
});

t.test('a ramp: iteration n is due when the area under the rate is n', async (t) => {
  // From 0 to 2 a second within 4 s: t^2 / 4.
  const up = [{ targetPerMs: 2 / 1_000, durationMs: 4_000 }];
  t.strictSame(rounded(rampingArrivals(0, up)), [2_000, 2_828.43, 3_464.1, 4_000]);
  // Down again: the mirror image, but for the first.
  const down = [{ targetPerMs: 0, durationMs: 4_000 }];
  t.strictSame(rounded(rampingArrivals(2 / 1_000, down)), [535.9, 1_171.57, 2_000, 4_000]);
});

t.test('a part of an iteration is carried over to the next stage, and a stage may be a jump', async (t) => {
  const stages = [
    { targetPerMs: 1 / 1_000, durationMs: 1_500 },
    { targetPerMs: 2 / 1_000, durationMs: 0 },
    { targetPerMs: 2 / 1_000, durationMs: 1_000 },
    { targetPerMs: 0, durationMs: 0 },
    { targetPerMs: 0, durationMs: 5_000 },
  ];
  t.strictSame(rounded(rampingArrivals(1 / 1_000, stages)), [1_000, 1_750, 2_250]);
});

t.test('all of a long ramp, in order and within its time', async (t) => {
  const stages = [
    { targetPerMs: 0.1, durationMs: 36_000 },
    { targetPerMs: 0.1, durationMs: 72_000 },
    { targetPerMs: 0, durationMs: 12_000 },
  ];
  const due = [...rampingArrivals(0, stages)];
  t.equal(due.length, 1_800 + 7_200 + 600);
  t.ok(due.every((ms, at) => at === 0 || ms >= (due[at - 1] ?? 0)));
  t.ok(due.every((ms) => ms >= 0 && ms <= 120_000));
});
