import t from 'tap';
import { HotKeys } from './hot-keys.js';

t.test('rates are those of about the last ten seconds, hottest first', async (t) => {
  const keys = new HotKeys();
  let hottest = keys.take(20, 1_000);
  t.strictSame(hottest, []);
  for (let second = 0; second < 60; second++) {
    keys.add('cool', 10);
    keys.add('hot', 100);
    hottest = keys.take(20, 1_000);
  }
  t.strictSame(
    hottest.map(({ key, perSecond }) => [key, Math.round(perSecond)]),
    [
      ['hot', 100],
      ['cool', 10],
    ],
  );
  for (let second = 0; second < 100; second++) hottest = keys.take(20, 1_000);
  t.strictSame(hottest, [], 'what is cold is forgotten');
});

t.test(
  'a hot key is found among a hundred thousand others, and none is said to be hotter than it is',
  async (t) => {
    const keys = new HotKeys();
    for (let n = 0; n < 100_000; n++) {
      keys.add(`other-${n}`, 1);
      if (n % 20 === 0) keys.add('hot', 1);
    }
    const [first, second] = keys.take(20, 1_000);
    t.equal(first?.key, 'hot');
    // Of 5,000 in one second, a tenth counts for a rate over ten.
    t.ok(first !== undefined && first.perSecond > 400 && first.perSecond <= 500, `${first?.perSecond}`);
    t.ok(second === undefined || second.perSecond < 1, `${second?.perSecond}`);
  },
);

t.test('no more are told than are asked for', async (t) => {
  const keys = new HotKeys();
  for (let n = 0; n < 50; n++) keys.add(`${n}`, n + 1);
  t.strictSame(
    keys.take(3, 1_000).map(({ key }) => key),
    ['49', '48', '47'],
  );
});
