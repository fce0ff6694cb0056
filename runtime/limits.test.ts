import t from 'tap';
import { defineActor } from './actor.js';
import type { Limits } from './limits.js';

t.test('definitions with limits that are none are refused', async (t) => {
  const wrong: Limits[] = [
    { concurrencyMax: 0 },
    { concurrencyMax: 1.5 },
    { concurrencyMax: Number.NaN },
    { concurrencyMax: 1e6 },
    { ratePerSecond: 0 },
    { ratePerSecond: -1 },
    { ratePerSecond: Number.NaN },
    { ratePerSecond: Number.POSITIVE_INFINITY },
    { ratePerSecond: 1, burst: 0 },
    { ratePerSecond: 1, burst: 0.5 },
    { burst: 5 },
    { perGroup: { concurrencyMax: -1 } },
    { concurrencyMax: 1, within: 'machine' as 'node' },
  ];
  const receive = () => {};
  for (const limits of wrong) {
    t.throws(
      () => defineActor({ type: 'x', scope: 'key', limits, receive }),
      TypeError,
      JSON.stringify(limits),
    );
  }
  const perGroup = { concurrencyMax: 1 };
  t.throws(() => defineActor({ type: 'x', scope: 'thread', limits: { perGroup }, receive }), TypeError);
  t.ok(defineActor({ type: 'x', scope: 'key', limits: { ratePerSecond: 0.5, burst: 3, perGroup }, receive }));
});
