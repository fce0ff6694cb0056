import t from 'tap';
import { interleaved, isSteady, warmedUp } from './rounds.js';

t.test('every second round goes backwards', async (t) => {
  const order: string[] = [];
  const found = await interleaved(['a', 'b', 'c'], 3, async (subject, round) => {
    order.push(subject);
    return `${subject}${round}`;
  });
  t.equal(order.join(''), 'abccbaabc');
  t.strictSame(found.get('b'), ['b0', 'b1', 'b2']);
});

t.test('steady is when the last three agree', async (t) => {
  t.notOk(isSteady([100, 100]));
  t.notOk(isSteady([100, 94, 100]));
  t.ok(isSteady([10, 100, 96, 98]));
});

t.test('a warm-up ends when it is steady, or after eight', async (t) => {
  const rates = [10, 50, 90, 100, 101, 99, 100];
  t.ok(await warmedUp(async () => rates.shift() ?? 0));
  t.strictSame(rates, [100]);
  let times = 0;
  t.notOk(await warmedUp(async () => 2 ** times++));
  t.equal(times, 8);
});
