import t from 'tap';
import { groupedInterval } from './grouped-interval.js';
import { countVerdict, rateVerdict, seenPercent } from './verdict.js';

t.test(
  'a rate fails when the whole interval is a loss and the median is more than is let pass',
  async (t) => {
    const of = (low: number, median: number, high: number) => rateVerdict({ low, median, high }, 3);
    t.strictSame(of(0.93, 0.95, 0.98), { kind: 'loss', fails: true, text: 'loss of 5.0 % (2.0 % to 7.0 %)' });
    t.match(of(0.96, 0.98, 0.99), { kind: 'loss', fails: false }, 'a loss that is let pass');
    t.match(of(0.9, 0.95, 1.001), { kind: 'equal', fails: false, text: 'within noise' });
    t.match(of(0.999, 1.01, 1.02), { kind: 'equal', fails: false });
    t.match(of(1.01, 1.04, 1.06), { kind: 'gain', fails: false, text: 'gain of 4.0 %' });
    t.match(
      rateVerdict({ low: 0.5, median: 0.7, high: 0.9 }, 40),
      { fails: false },
      'as much as is asked for',
    );
  },
);

t.test('what a run can see is half the width of its interval', async (t) => {
  t.equal(seenPercent({ low: 0.97, median: 1, high: 1.03 }).toFixed(3), '3.000');
});

t.test('instructions fail above the loss that is let pass, and are reported before', async (t) => {
  const of = (head: number, loss = 3) => countVerdict('instructions', 1_000, head, loss);
  t.match(of(1_000), { kind: 'equal' });
  t.match(of(1_020), { kind: 'equal' }, 'the bar is above, not at');
  t.match(of(1_021), { kind: 'loss', fails: false, text: '2.1 % more' });
  t.match(of(1_031), { kind: 'loss', fails: true });
  t.match(of(1_015, 1), { kind: 'loss', fails: true }, 'less may be let pass than is reported');
  t.match(of(970), { kind: 'gain', fails: false, text: '3.0 % less' });
  t.match(countVerdict('instructions', 0, 1, 3), { kind: 'loss', fails: true }, 'from nothing');
  t.match(countVerdict('instructions', 0, 0, 3), { kind: 'equal' });
});

t.test('bytes are compared as they are, not by their share', async (t) => {
  const of = (base: number, head: number) => countVerdict('bytes', base, head, 3);
  t.match(of(10_000, 10_008), { kind: 'equal' });
  t.match(of(0, 9), { kind: 'loss', fails: false, text: '9.0 bytes more' });
  t.match(of(0, 33), { kind: 'loss', fails: true });
  t.match(of(100, 60), { kind: 'gain' });
});

t.test('rounds of one pair of processes are no independent rounds', async (t) => {
  // Each pair has its own level, and its rounds hardly differ: a plain bootstrap of 20 rounds would be sure of a loss.
  const group = (level: number) => [-0.002, -0.001, 0, 0.001, 0.002].map((noise) => level + noise);
  const levels = [0.95, 0.96, 0.97, 1.01].map(group);
  const { low, median, high } = groupedInterval(levels);
  t.ok(low < 0.96 && high > 1, `${low} to ${high}`);
  t.equal(median.toFixed(3), '0.965');
  const loss = groupedInterval([0.93, 0.94, 0.95, 0.96].map(group));
  t.ok(loss.high < 1, `a loss in every pair is one: ${loss.high}`);
  t.strictSame(groupedInterval(levels), groupedInterval(levels), 'the same each time');
});
