import t from 'tap';
import { Metrics, MetricsError } from './metrics.js';
import { abortingNow, parseThresholds, type ThresholdSetting } from './thresholds.js';

const setting = (threshold: string, more: Partial<ThresholdSetting> = {}): ThresholdSetting => ({
  threshold,
  abortOnFail: false,
  delayAbortEvalMs: 0,
  ...more,
});

/** Whether each threshold holds after ten seconds. */
function held(metrics: Metrics, selector: string, ...sources: readonly string[]): readonly boolean[] {
  const settings = { [selector]: sources.map((source) => setting(source)) };
  return parseThresholds(settings, metrics).map((threshold) => threshold.holds(10));
}

t.test('each type of metric', async (t) => {
  const metrics = new Metrics();
  for (let ms = 1; ms <= 101; ms++) metrics.add('http_req_duration', ms, {});
  t.strictSame(
    held(metrics, 'http_req_duration', 'p(95)<97', 'p(95)<96', 'p(99.5) <= 100.5', 'med==51', 'avg!=51'),
    [true, false, true, true, false],
  );
  t.strictSame(held(metrics, 'http_req_duration', 'min>0', 'min>1', 'max>=101', 'max===100'), [
    true,
    false,
    true,
    false,
  ]);
  for (let n = 0; n < 100; n++) metrics.add('http_req_failed', n === 0 ? 1 : 0, {});
  t.strictSame(held(metrics, 'http_req_failed', 'rate<0.01', 'rate<=0.01'), [false, true]);
  metrics.add('http_reqs', 50, {});
  t.strictSame(held(metrics, 'http_reqs', 'count>49', 'rate==5', 'rate>5'), [true, true, false]);
  metrics.add('vus', 3, {});
  t.strictSame(held(metrics, 'vus', 'value<4', 'value<3'), [true, false]);
});

t.test('a metric without a sample has 0 for everything', async (t) => {
  const metrics = new Metrics();
  t.strictSame(held(metrics, 'http_req_duration', 'p(95)<1'), [true]);
  t.strictSame(held(metrics, 'checks', 'rate>0.99', 'rate<0.5'), [false, true]);
  t.strictSame(held(metrics, 'http_reqs', 'count>0'), [false]);
});

t.test('tags select samples', async (t) => {
  const metrics = new Metrics();
  const selector = 'http_req_duration{scenario:burst,kind:sale}';
  const [threshold] = parseThresholds({ [selector]: [setting('max<10')] }, metrics);
  metrics.add('http_req_duration', 5, { scenario: 'burst', kind: 'sale', method: 'POST' });
  metrics.add('http_req_duration', 50, { scenario: 'burst' });
  metrics.add('http_req_duration', 60, { scenario: 'idle', kind: 'sale' });
  t.equal(threshold?.holds(1), true);
  t.equal(metrics.select('http_req_duration').value('count', 1), 3);
  metrics.add('http_req_duration', 10, { scenario: 'burst', kind: 'sale' });
  t.equal(threshold?.holds(1), false);
});

t.test('what ends a run early, and when', async (t) => {
  const metrics = new Metrics();
  metrics.define({ name: 'own', type: 'rate', contains: 'default' });
  const parsed = parseThresholds(
    { own: [setting('rate>0.9'), setting('rate>0.5', { abortOnFail: true, delayAbortEvalMs: 5_000 })] },
    metrics,
  );
  t.strictSame(abortingNow(parsed, 6_000), [], 'nothing is known without a sample');
  metrics.add('own', 0, {});
  t.strictSame(abortingNow(parsed, 4_999), [], 'it is too early');
  t.strictSame(
    abortingNow(parsed, 5_000).map(({ source }) => source),
    ['rate>0.5'],
  );
  metrics.add('own', 1, {});
  metrics.add('own', 1, {});
  t.strictSame(abortingNow(parsed, 6_000), [], 'it holds again');
});

t.test('what cannot be one', async (t) => {
  const parse = (selector: string, source: string) => () => held(new Metrics(), selector, source);
  t.throws(parse('nothing', 'rate<1'), new MetricsError('there is no metric nothing'));
  t.throws(parse('checks{a}', 'rate<1'), /tags are written/);
  t.throws(parse('checks', 'rate less than 1'), /not of the form/);
  t.throws(parse('checks', 'p(95)<1'), /checks is a rate.*its p\(95\)/);
  t.throws(parse('http_req_duration', 'rate<1'), /is a trend/);
  t.throws(parse('http_req_duration', 'p(101)<1'), /is a trend/);
});

t.test('a name stands for one metric', async (t) => {
  const metrics = new Metrics();
  const own = { name: 'own', type: 'counter', contains: 'default' } as const;
  metrics.define(own);
  metrics.define(own);
  t.throws(() => metrics.define({ ...own, type: 'trend' }), /own is a counter already/);
  t.throws(() => metrics.define({ ...own, name: 'checks' }), /checks is a rate already/);
});
