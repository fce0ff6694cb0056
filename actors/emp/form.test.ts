import fc from 'fast-check';
import t from 'tap';
import { decodeForm } from './form.js';

const form = (body: string): unknown => decodeForm(Buffer.from(body, 'latin1'));

t.test('pairs come in order, repeats and empty ones included', async (t) => {
  t.strictSame(form('a=1&b=2&a=3'), [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
  ]);
  t.strictSame(form('&&a&=b&c==d&'), [
    ['a', ''],
    ['', 'b'],
    ['c', '=d'],
  ]);
  t.strictSame(form(''), []);
});

t.test('escapes', async (t) => {
  t.strictSame(form('a=x+y%20z'), [['a', 'x y z']]);
  t.strictSame(form('%61%5Fb=%2B%26%3D'), [['a_b', '+&=']]);
  t.strictSame(form('a=%&b=%4&c=%zz&d=%4%31'), [
    ['a', '%'],
    ['b', '%4'],
    ['c', '%zz'],
    ['d', '%41'],
  ]);
});

t.test('UTF-8 is read over raw and escaped bytes alike', async (t) => {
  t.strictSame(form('a=%C3%A9&b=\xc3\xa9&c=\xc3%A9'), [
    ['a', 'é'],
    ['b', 'é'],
    ['c', 'é'],
  ]);
  t.strictSame(form('a=%FF&b=%C3&c=%EF%BB%BFx'), [
    ['a', '\ufffd'],
    ['b', '\ufffd'],
    ['c', '\ufeffx'],
  ]);
});

t.test('agrees with URLSearchParams, which takes a string', async () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '=',
    '&',
    '%',
    '+',
    '%41',
    '%c3',
    '%A9',
    '%E2%82%AC',
    '0',
    'f',
    ' ',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const body = pieces.join('');
      // A string that begins with `?` loses it there; an empty pair in front keeps it off.
      t.strictSame(form(body), [...new URLSearchParams(`&${body}`)]);
    }),
    { numRuns: 500 },
  );
});
