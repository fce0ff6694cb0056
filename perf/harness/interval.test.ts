import t from 'tap';
import { medianInterval } from './interval.js';

t.test('the interval of a median', async (t) => {
  t.strictSame(medianInterval([2, 2, 2]), { median: 2, low: 2, high: 2 });
  const some = medianInterval([1, 2, 3, 4, 100]);
  t.equal(some.median, 3);
  t.ok(some.low < 3 && some.high > 3, `${some.low} to ${some.high}`);
  const values = Array.from({ length: 25 }, (_, at) => 1 + ((at * 7) % 25) / 100);
  const few = medianInterval(values.slice(0, 9));
  const many = medianInterval([...values, ...values, ...values, ...values]);
  t.ok(many.high - many.low < few.high - few.low, 'more values, a narrower one');
  t.strictSame(medianInterval(values), medianInterval(values), 'the same again');
});
