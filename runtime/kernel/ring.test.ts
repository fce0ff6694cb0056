import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../testing/seed.js';
import { Ring } from './ring.js';

t.test('it does what an array does, at random', async (t) => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('push'), count: fc.integer({ min: 1, max: 40 }) }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('shift'), count: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('push'), count: fc.constant(2_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('shift'), count: fc.constant(3_000) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('takeAt'), count: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear'), count: fc.constant(0) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ring = new Ring<number>();
      let model: number[] = [];
      let next = 0;
      for (const { kind, count } of steps) {
        if (kind === 'push') {
          for (let at = 0; at < count; at++) {
            ring.push(next);
            model.push(next++);
          }
        } else if (kind === 'shift') {
          for (let at = 0; at < count && model.length > 0; at++) {
            if (ring.shift() !== model.shift()) return false;
          }
        } else if (kind === 'takeAt' && model.length > 0) {
          const index = count % model.length;
          const expected = model[index];
          model[index] = model[0] as number;
          model.shift();
          if (ring.takeAt(index) !== expected) return false;
        } else if (kind === 'clear') {
          ring.clear();
          model = [];
        }
        if (ring.length !== model.length) return false;
        if (model.some((item, at) => ring.at(at) !== item)) return false;
      }
      return true;
    }),
    { seed: testSeed(t), numRuns: 200 },
  );
  t.pass();
});
