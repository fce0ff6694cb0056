import t from 'tap';
import { SyncPolicy } from './sync-policy.js';

const options = { inlineUsMax: 1_000, probeMsMin: 1_000, probeMsMax: 4_000 };

t.test('inline on a fast disk, through a small outlier too', async (t) => {
  const policy = new SyncPolicy(options);
  for (const us of [100, 200, 5_000, 100, 100]) {
    t.equal(policy.choose(0), 'inline');
    policy.record('inline', us, 0);
  }
  t.equal(policy.mode, 'inline');
  t.equal(policy.lastUs, 100);
});

t.test('to the pool on a slow disk; slow probes become rarer, a fast one brings it back', async (t) => {
  const policy = new SyncPolicy(options);
  let nowUs = 0;
  policy.record('inline', 20_000, nowUs);
  t.equal(policy.mode, 'pool');
  for (const probeMs of [1_000, 2_000, 4_000, 4_000]) {
    t.equal(policy.choose(nowUs + probeMs * 1_000 - 1), 'pool');
    policy.record('pool', 30_000, nowUs);
    nowUs += probeMs * 1_000;
    t.equal(policy.choose(nowUs), 'inline', `a probe after ${probeMs} ms`);
    policy.record('inline', 10_000, nowUs);
    t.equal(policy.mode, 'pool');
  }
  policy.record('inline', 300, nowUs + 4_000_000);
  t.equal(policy.mode, 'inline');
  t.equal(policy.ewmaUs, 300);
});

t.test('back without a probe when even the pool is fast', async (t) => {
  const policy = new SyncPolicy(options);
  policy.record('inline', 16_000, 0);
  t.equal(policy.mode, 'pool');
  let syncs = 0;
  while (policy.mode === 'pool' && syncs < 100) {
    policy.record('pool', 200, 1);
    syncs++;
  }
  t.ok(syncs > 5 && syncs < 30, `${syncs} syncs`);
});
