import t from 'tap';
import { Findings, verdictOf } from './findings.js';

t.test('a verdict says on which side of its bar a ratio lies, and whether all of it does', async (t) => {
  const of = (median: number, low: number, high: number) => ({ median, low, high });
  t.equal(verdictOf(of(1, 0.9, 1.1), undefined), 'none');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atLeast: 0.9 }), 'met');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atLeast: 0.95 }), 'met-within-noise');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atLeast: 1.05 }), 'missed-within-noise');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atLeast: 1.2 }), 'missed');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atMost: 1.1 }), 'met');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atMost: 1.05 }), 'met-within-noise');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atMost: 0.95 }), 'missed-within-noise');
  t.equal(verdictOf(of(1, 0.9, 1.1), { atMost: 0.8 }), 'missed');
});

t.test('ratios are round by round, and a generator that is busy is warned of once', async (t) => {
  const found = new Findings(['how']);
  found.ratio('a / b', [2, 6, 12], [1, 2, 3], { atLeast: 2 });
  found.ratio('nothing to compare', [], []);
  found.group('empty', 's', 'less', [{ subject: 'a', role: 'tether', rounds: [] }]);
  found.loadCores('a', [0.95, 0.97, 0.5]);
  found.loadCores('a', [0.95, 0.97, 0.5]);
  found.loadCores('b', [0.2, 0.97, 0.5]);
  const { ratios, measures, warnings } = found.done();
  t.match(ratios, [{ rounds: [2, 3, 4], interval: { median: 3, low: 2, high: 4 }, verdict: 'met' }]);
  t.equal(ratios.length, 1);
  t.same(measures, []);
  t.equal(warnings.length, 1);
  t.match(warnings[0], /^a: .* 0\.95 /);
});
