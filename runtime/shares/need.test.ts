import t from 'tap';
import { neededUnits } from './need.js';

t.test('what a node could use', async (t) => {
  const permits = { actor: 'a', kind: 'permits', units: 20, fillMs: 0 } as const;
  t.equal(neededUnits(permits, { used: 0, ms: 1_000, lacked: false }), 0);
  t.equal(neededUnits(permits, { used: 1, ms: 1_000, lacked: false }), 2);
  t.equal(neededUnits(permits, { used: 8, ms: 100, lacked: false }), 10);
  t.equal(neededUnits(permits, { used: 19, ms: 1_000, lacked: false }), 20, 'no more than there are');
  t.equal(neededUnits(permits, { used: 1, ms: 1_000, lacked: true }), 20, 'who waits may need anything');
  // 100 messages a second, a burst of 10: a unit brings ten a second.
  const tokens = { actor: 'a', kind: 'tokens', units: 10, fillMs: 100 } as const;
  t.equal(neededUnits(tokens, { used: 0, ms: 500, lacked: false }), 0);
  t.equal(neededUnits(tokens, { used: 20, ms: 500, lacked: false }), 5);
  t.equal(neededUnits(tokens, { used: 5, ms: 0, lacked: false }), 10);
});
