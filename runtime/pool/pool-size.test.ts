import t from 'tap';
import { limitsOf } from './pool-size.js';

t.test('a number is both limits', async (t) => {
  t.strictSame(limitsOf(3), { min: 3, max: 3 });
  t.strictSame(limitsOf({ min: 1, max: 4 }), { min: 1, max: 4 });
});

t.test('what is no size is refused', async (t) => {
  for (const size of [0, -1, 1.5, Number.NaN, 257, { min: 2, max: 1 }, { min: 0, max: 2 }]) {
    t.throws(() => limitsOf(size), { code: 'TETHER_POOL_REQUEST' });
  }
});
