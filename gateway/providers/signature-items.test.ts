import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { ITEMS_MAX, type ItemForm, itemsOf, valuesOf } from './signature-items.js';

const STRIPE: ItemForm = { separator: ',', assign: '=' };
const STANDARD: ItemForm = { separator: ' ', assign: ',' };
const seed = testSeed(t);

t.test('the forms of senders', async (t) => {
  t.same(itemsOf('t=12, v1=ab,v1=cd=,v0=', STRIPE), [
    { name: 't', value: '12' },
    { name: 'v1', value: 'ab' },
    { name: 'v1', value: 'cd=' },
    { name: 'v0', value: '' },
  ]);
  t.same(valuesOf(itemsOf('v1,a+/= v1a,b v1,c', STANDARD), 'v1'), ['a+/=', 'c']);
  t.same(itemsOf(',,=x,x, ,', STRIPE), [], 'what has no name is none');
});

const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019_+/-'), minLength: 1, maxLength: 12 });

t.test('what is written is read, whatever the form', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(STRIPE, STANDARD),
      fc.array(fc.record({ name: word, value: word }), { maxLength: ITEMS_MAX }),
      (form, items) => {
        const header = items.map(({ name, value }) => `${name}${form.assign}${value}`).join(form.separator);
        t.same(itemsOf(header, form), items);
      },
    ),
    { seed, numRuns: 100 },
  );
});

t.test('of any header: no error, a bounded list, nothing that is not in it', async (t) => {
  const text = fc.string({
    unit: fc.constantFrom('t', 'v1', '=', ',', ' ', '\0', 'é', '\ud800'),
    maxLength: 200,
  });
  fc.assert(
    fc.property(fc.constantFrom(STRIPE, STANDARD), text, (form, header) => {
      const items = itemsOf(header, form);
      if (items.length > ITEMS_MAX) throw new Error('too many');
      for (const { name, value } of items) {
        if (name === '' || !header.includes(`${name}${form.assign}${value}`)) throw new Error('made up');
      }
    }),
    { seed, numRuns: 500 },
  );
  const started = performance.now();
  t.equal(itemsOf('v1=,'.repeat(16_000), STRIPE).length, ITEMS_MAX);
  itemsOf(','.repeat(64_000), STRIPE);
  t.ok(performance.now() - started < 500, 'a long header takes no long time');
});
