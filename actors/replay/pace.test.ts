import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { Pace } from './pace.js';

t.test('a second of credit at once, then what time brings', async (t) => {
  const pace = new Pace();
  t.equal(pace.look(5_000, 100), 0);
  t.equal(pace.credit, 100);
  pace.spend(100);
  t.equal(pace.credit, 0);
  t.equal(pace.look(5_500, 100), 500);
  t.equal(pace.credit, 50);
  pace.look(5_505, 100);
  t.equal(pace.credit, 50);
  pace.look(5_510, 100);
  t.equal(pace.credit, 51, 'parts add up');
  t.equal(pace.look(60_000, 100), 2_000, 'no burst after a long wait');
  t.equal(pace.credit, 200);
  t.equal(pace.look(50_000, 100), 0, 'a clock that is set back gives nothing');
});

t.test('never more than the rate, whenever it is looked at', async (t) => {
  const seed = testSeed(t);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3_000), fc.nat(400)), { maxLength: 50 }),
      fc.integer({ min: 1, max: 10_000 }),
      (steps, rate) => {
        const pace = new Pace();
        let now = 0;
        let spent = 0;
        for (const [ms, most] of steps) {
          now += ms;
          pace.look(now, rate);
          const events = Math.min(pace.credit, most);
          pace.spend(events);
          spent += events;
          // A second of the first look, and no time before it.
          const since = now - (steps[0]?.[0] ?? 0);
          if (spent > (rate * (since + 1_000)) / 1_000 + 1e-6) return false;
        }
        return true;
      },
    ),
    { seed },
  );
});
