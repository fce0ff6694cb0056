import fc from 'fast-check';
import t from 'tap';
import { type TimeEntry, TimeIndex } from './time-index.js';

const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const entry = fc
  .record({ id: fc.nat(30).map(String), at: fc.nat(10) })
  .map(({ id, at }) => ({ id, at, name: id }));
const change = fc.oneof(entry, fc.nat(30).map(String));

t.test('the order is that of a sorted list, whatever is set and deleted', async (t) => {
  t.comment(`TEST_SEED=${seed}`);
  fc.assert(
    fc.property(
      fc.array(entry, { size: 'max', maxLength: 40 }),
      fc.array(change, { size: 'max', maxLength: 80 }),
      (start, changes) => {
        const index = new TimeIndex<TimeEntry>(start);
        const model = new Map<string, TimeEntry>(start.map((each) => [each.id, each]));
        for (const each of changes) {
          if (typeof each === 'string') {
            index.delete(each);
            model.delete(each);
          } else {
            index.set(each);
            model.set(each.id, each);
          }
          const sorted = [...model.values()].sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
          if (JSON.stringify([...index]) !== JSON.stringify(sorted)) throw new Error('another order');
          if (index.first !== sorted[0] || index.size !== sorted.length) throw new Error('another first');
        }
      },
    ),
    { seed },
  );
  t.pass('every order was the same');
});
