import t from 'tap';
import { Breaker } from './breaker.js';

const make = () => new Breaker({ failures: 3, restSeconds: 10, restSecondsMax: 25 });

t.test('failures in a row, a rest, and one that tries', async (t) => {
  const breaker = make();
  breaker.ended('failure', 0);
  breaker.ended('failure', 0);
  breaker.ended('success', 0);
  for (let n = 0; n < 2; n++) t.equal(breaker.ended('failure', 0), false);
  t.equal(breaker.admit(0), 0, 'only in a row');
  t.equal(breaker.ended('failure', 0), true, 'it begins to rest');
  t.equal(breaker.ended('failure', 0), false, 'what was under way changes nothing');
  t.equal(breaker.admit(4_000), 6_000);
  t.equal(breaker.admit(10_000), 0);
  t.ok(breaker.admit(10_000) > 0, 'one, and no other');
  t.equal(breaker.ended('success', 10_100), false);
  t.equal(breaker.admit(10_100), 0);
  t.equal(breaker.admit(10_100), 0);
});

t.test('each failed try makes the rest longer, up to its limit', async (t) => {
  const breaker = make();
  for (let n = 0; n < 3; n++) breaker.ended('failure', 0);
  let now = 0;
  for (const restMs of [10_000, 20_000, 25_000, 25_000]) {
    t.equal(breaker.admit(now), restMs);
    now += restMs;
    t.equal(breaker.admit(now), 0);
    breaker.ended('failure', now);
  }
});

t.test('a try that says nothing lets another one try', async (t) => {
  const breaker = make();
  for (let n = 0; n < 3; n++) breaker.ended('failure', 0);
  t.equal(breaker.admit(10_000), 0);
  breaker.ended('neutral', 10_500);
  t.equal(breaker.admit(10_500), 0);
  t.ok(breaker.admit(10_500) > 0);
});

t.test('a target that asks for rest gets it', async (t) => {
  const breaker = make();
  breaker.restFor(5_000, 0);
  breaker.restFor(1_000, 0);
  t.equal(breaker.admit(0), 5_000, 'the longest');
  t.equal(breaker.admit(5_000), 0);
});
