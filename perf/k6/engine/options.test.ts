import t from 'tap';
import { parseOptions } from './options.js';

t.test('scenarios become total', async (t) => {
  const { scenarios, thresholds, summaryTrendStats } = parseOptions({
    scenarios: {
      steady: {
        executor: 'constant-arrival-rate',
        rate: 120,
        timeUnit: '1m',
        duration: '2m',
        preAllocatedVUs: 3,
      },
      ramp: {
        executor: 'ramping-arrival-rate',
        exec: 'other',
        startTime: '10s',
        gracefulStop: '1s',
        preAllocatedVUs: 1,
        maxVUs: 9,
        stages: [{ target: 50, duration: '30s' }],
      },
    },
    thresholds: {
      checks: ['rate>0.9', { threshold: 'rate>0.5', abortOnFail: true, delayAbortEval: '10s' }],
    },
  });
  t.match(scenarios[0], {
    name: 'steady',
    ratePerMs: 0.002,
    durationMs: 120_000,
    maxVus: 3,
    exec: 'default',
  });
  t.equal(scenarios[0]?.gracefulStopMs, 30_000);
  t.match(scenarios[1], {
    exec: 'other',
    startMs: 10_000,
    gracefulStopMs: 1_000,
    durationMs: 30_000,
    maxVus: 9,
  });
  t.match(scenarios[1], { startRatePerMs: 0, stages: [{ targetPerMs: 0.05, durationMs: 30_000 }] });
  t.strictSame(thresholds.checks?.[0], { threshold: 'rate>0.9', abortOnFail: false, delayAbortEvalMs: 0 });
  t.equal(thresholds.checks?.[1]?.delayAbortEvalMs, 10_000);
  t.ok(summaryTrendStats.includes('p(95)'));
});

t.test('an error names what is wrong, and what only the real k6 knows', async (t) => {
  const vus = { executor: 'constant-vus', vus: 1, duration: '1s' };
  const wrong = (options: unknown, message: RegExp) => t.throws(() => parseOptions(options), message);
  wrong(undefined, /options\.scenarios/);
  wrong({ scenarios: {} }, /options\.scenarios: names none/);
  wrong(
    { scenarios: { a: { executor: 'ramping-vus' } } },
    /scenarios\.a\.executor: ramping-vus does not run under Node/,
  );
  wrong({ scenarios: { a: vus }, vus: 3 }, /"vus" \(not known under Node/);
  wrong({ scenarios: { a: { ...vus, env: {} } } }, /options\.scenarios\.a.*"env"/);
  wrong({ scenarios: { a: { ...vus, duration: 'long' } } }, /scenarios\.a\.duration: is no duration/);
  wrong({ scenarios: { a: { ...vus, duration: '500ms' } } }, /at least 1s/);
  wrong({ scenarios: { a: { ...vus, vus: 200 }, b: { ...vus, vus: 200 } } }, /ask for 400 VUs/);
  const rate = { executor: 'constant-arrival-rate', rate: 1, duration: '1s', preAllocatedVUs: 5 };
  wrong({ scenarios: { a: { ...rate, maxVUs: 2 } } }, /scenarios\.a\.maxVUs: is less/);
});
