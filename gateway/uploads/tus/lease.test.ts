import t from 'tap';
import { ManualClock } from '../../../runtime/clock.js';
import { HeldLease, RENEW_MS } from './lease.js';
import { LEASE_MS } from './table.js';

/** Lets what waits for a promise go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

function hold(renew: () => Promise<boolean>) {
  const clock = new ManualClock();
  const seen = { renewals: 0, lost: 0 };
  const lease = new HeldLease(
    () => {
      seen.renewals++;
      return renew();
    },
    () => {
      seen.lost++;
    },
    clock,
  );
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += RENEW_MS) {
      clock.advance(RENEW_MS);
      await turn();
    }
  };
  return { clock, seen, lease, pass };
}

t.test('it is renewed in time, until it is stopped', async (t) => {
  const { clock, seen, lease, pass } = hold(async () => true);
  await pass(10 * LEASE_MS);
  t.strictSame(seen, { renewals: (10 * LEASE_MS) / RENEW_MS, lost: 0 });
  lease.stop();
  await pass(LEASE_MS);
  t.equal(seen.renewals, (10 * LEASE_MS) / RENEW_MS);
  t.equal(clock.pending, 0);
});

t.test('refused, it is lost at once, and said so once', async (t) => {
  const { clock, seen, lease, pass } = hold(async () => false);
  await pass(LEASE_MS);
  t.strictSame(seen, { renewals: 1, lost: 1 });
  lease.stop();
  t.equal(clock.pending, 0);
});

t.test('an outage is borne for as long as the lease', async (t) => {
  let isAway = true;
  const renew = async () => {
    if (isAway) throw new Error('away');
    return true;
  };
  const { seen, pass } = hold(renew);
  await pass(LEASE_MS - RENEW_MS);
  isAway = false;
  await pass(RENEW_MS);
  t.equal(seen.lost, 0, 'shorter');
  isAway = true;
  await pass(LEASE_MS - RENEW_MS);
  t.equal(seen.lost, 0);
  await pass(RENEW_MS);
  t.equal(seen.lost, 1, 'longer');
});

t.test('stopped while it is being renewed, nothing follows', async (t) => {
  let answer: (isOurs: boolean) => void = () => {};
  const { clock, seen, lease } = hold(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  clock.advance(RENEW_MS);
  lease.stop();
  answer(false);
  await turn();
  t.strictSame(seen, { renewals: 1, lost: 0 });
  t.equal(clock.pending, 0);
});
