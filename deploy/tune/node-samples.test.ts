/** What is made of the looks of a node at itself. */
import t from 'tap';
import type { Status } from '../../gateway/api/status-schema.js';
import { until } from '../../runtime/testing/until.js';
import { HEALTHY, POOL, thread } from '../status/test/observed.js';
import { busiestPool, NodeSamples, nodeSeen } from './node-samples.js';

const status = (at: number, busy: number, acknowledged: number, done: number, lag: number): Status => ({
  ...HEALTHY,
  findings: [],
  at,
  main: { ...HEALTHY.main, busy },
  totals: { ...HEALTHY.totals, acknowledged },
  pools: [{ ...POOL, threads: [{ ...thread, busy }], done, lag }],
});

t.test(
  'a step: rates between its first look and its last, busy times without its first second',
  async (t) => {
    const samples = [
      { atMs: 100, status: status(10_000, 1, 1_000, 500, 10) },
      { atMs: 1_100, status: status(11_000, 0.2, 1_100, 560, 50) },
      { atMs: 2_100, status: status(12_000, 0.4, 1_200, 620, 60) },
    ];
    const seen = nodeSeen(samples, 0, 'payment');
    t.match(seen, {
      commitMs: { p99: 1 },
      logState: 'open',
      pool: { donePerSecond: 60, lag: 60, growth: 0.25 },
    });
    t.ok(Math.abs((seen?.gatewayBusy ?? 0) - 0.3) < 1e-9);
    t.ok(Math.abs((seen?.pool?.busy ?? 0) - 0.3) < 1e-9);
  },
);

t.test('what is not known is null, and no number', async (t) => {
  t.equal(nodeSeen([], 0, 'payment'), null);
  const one = [{ atMs: 100, status: status(10_000, 0.5, 1_000, 500, 10) }];
  t.match(nodeSeen(one, 0, 'payment'), { gatewayBusy: 0.5, pool: { donePerSecond: null, growth: null } });
  t.match(nodeSeen(one, 0, 'other'), { pool: null });
  t.match(nodeSeen(one, 0, undefined), { pool: null });
});

t.test('the pool that got most, done or not', async (t) => {
  const of = (payment: number, slow: number): Status => ({
    ...status(1, 0, 0, 0, 0),
    pools: [
      { ...POOL, done: payment, lag: 0 },
      { ...POOL, actor: 'slow', done: 7, lag: slow },
    ],
  });
  t.equal(busiestPool(of(100, 0), of(101, 40)), 'slow');
  t.equal(busiestPool(of(100, 0), of(150, 40)), 'payment');
  t.equal(busiestPool(of(100, 0), of(100, 0)), undefined);
});

t.test('each look of the node is kept once; a failure now and then is none', async (t) => {
  let asked = 0;
  const samples = new NodeSamples(async () => {
    asked += 1;
    if (asked % 3 === 0) throw new Error('not now');
    return status(Math.floor(asked / 6), 0, 0, 0, 0);
  }, 1);
  await until('it has asked often', () => asked > 30);
  await samples.stop();
  const at = samples.since(0).map((sample) => sample.status.at);
  t.strictSame(at, [...new Set(at)]);
  t.ok(at.length >= 5, `${at.length} looks`);
  t.strictSame(samples.since(performance.now()), []);
});
