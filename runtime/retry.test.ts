import t from 'tap';
import { backoffMs, type RetryPolicy } from './retry.js';

const policy: RetryPolicy = { attemptsMax: 5, delayMs: 200, delayMsMax: 10_000 };

t.test('delays double up to their ceiling', async (t) => {
  const most = (failures: number) => backoffMs(failures, policy, () => 0.999999);
  t.ok(most(1) <= 200 && most(1) > 199);
  t.ok(most(2) <= 400 && most(2) > 399);
  t.ok(most(3) <= 800 && most(3) > 799);
  t.ok(most(20) <= 10_000 && most(20) > 9_990);
  t.ok(most(5_000) <= 10_000);
});

t.test('jitter spreads over the upper half, never down to nothing', async (t) => {
  t.equal(
    backoffMs(1, policy, () => 0),
    100,
  );
  t.equal(
    backoffMs(1, policy, () => 0.5),
    150,
  );
});
