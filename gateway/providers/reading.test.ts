import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { location, readerOf } from './location.js';
import { HeaderNames, Reading, textOf } from './reading.js';
import { millisecondsOf } from './timestamp.js';

const seed = testSeed(t);
const read = (place: string, body: string | Buffer) =>
  readerOf(place, new HeaderNames())(new Reading(Buffer.from(body), []));

t.test('a place in the JSON', async (t) => {
  const body = '{"a":{"b/c":[{"~d":"deep"},7]},"":"empty","n":12,"f":1.5,"t":true,"o":{}}';
  const found = {
    'body:/a/b~1c/0/~0d': 'deep',
    'body:/a/b~1c/1': '7',
    'body:/': 'empty',
    'body:/n': '12',
    'body:/f': '',
    'body:/t': '',
    'body:/o': '',
    'body:/a/b~1c/length': '',
    'body:/a/b~1c/01': '',
    'body:/a/b~1c/2': '',
    'body:/n/toFixed': '',
    'body:/a/constructor/name': '',
    'body:/__proto__/constructor/name': '',
  };
  for (const [place, value] of Object.entries(found)) {
    t.ok(location.safeParse(place).success, place);
    t.equal(read(place, body), value, place);
  }
  for (const place of [
    'body:',
    'body:a',
    'a',
    'header:',
    'header:a b',
    'body:/~2',
    'body:/a\n',
    `body:${'/a'.repeat(17)}`,
  ]) {
    t.notOk(location.safeParse(place).success, place);
  }
});

t.test('what is no JSON has no places', async (t) => {
  for (const body of [
    '',
    '{',
    'a=1',
    '\u0000',
    '[1,]',
    '['.repeat(60_000),
    `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
  ]) {
    t.equal(read('body:/a', body), '', body.slice(0, 20));
  }
  t.equal(read('body:/a', Buffer.from('{"a":"\xff"}', 'latin1')), '', 'bytes that are not UTF-8');
  t.equal(read('body:/a', '\ufeff{"a":"b"}'), 'b', 'a byte order mark is no matter');
  t.equal(read('body:/a/b', '{"a":null}'), '');
});

t.test('__proto__ is a name like any other', async (t) => {
  const body = '{"__proto__":{"polluted":"yes","id":"x"},"constructor":{"prototype":{"polluted":"yes"}}}';
  t.equal(read('body:/__proto__/id', body), 'x');
  t.equal(read('body:/id', body), '', 'and no way to another');
  t.equal(Reflect.get({}, 'polluted'), undefined);
  Reflect.defineProperty(Object.prototype, 'inherited', { value: 'x', configurable: true });
  t.teardown(() => Reflect.deleteProperty(Object.prototype, 'inherited'));
  t.equal(read('body:/inherited', '{}'), '', 'what is inherited is not in the body');
});

t.test('texts that can be keys', async (t) => {
  t.equal(textOf('é'.repeat(127)), 'é'.repeat(127));
  for (const value of [
    'é'.repeat(128),
    'a\0',
    'a\n',
    '\u007f',
    '\ud800',
    2 ** 53,
    -1.5,
    Number.NaN,
    null,
    undefined,
    {},
    ['a'],
    true,
  ]) {
    t.equal(textOf(value), '', JSON.stringify(value));
  }
  t.equal(textOf(2 ** 53 - 1), '9007199254740991');
});

t.test('a pointer finds what it was made for', async (t) => {
  const name = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', 'length', 'a/b', '~1', ''),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (path) => {
      let json = '"found"';
      for (const part of [...path].reverse()) json = `{${JSON.stringify(part)}:${json}}`;
      const pointer = path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
      // Halves of surrogate pairs are not kept by UTF-8.
      if (/\p{Cs}/u.test(pointer)) return;
      if (read(`body:${pointer}`, json) !== 'found') throw new Error(pointer);
    }),
    { seed, numRuns: 300 },
  );
  t.pass('each of them');
});

t.test('timestamps', async (t) => {
  t.equal(millisecondsOf('1614265330', 'seconds'), 1_614_265_330_000);
  t.equal(millisecondsOf('1614265330123', 'milliseconds'), 1_614_265_330_123);
  t.equal(millisecondsOf('2021-02-25T15:02:10Z', 'iso'), 1_614_265_330_000);
  t.equal(millisecondsOf('2021-02-25T16:02:10.5+01:00', 'iso'), 1_614_265_330_500);
  for (const text of [
    '',
    ' 1',
    '1 ',
    '-1',
    '1e9',
    '0x10',
    '1.5',
    'NaN',
    'Infinity',
    '٣',
    '9'.repeat(16),
    '2021',
  ]) {
    t.equal(millisecondsOf(text, 'seconds'), text === '2021' ? 2_021_000 : undefined, text);
    t.equal(millisecondsOf(text, 'iso'), undefined, text);
  }
  t.equal(millisecondsOf('2021-02-31T99:02:10Z', 'iso'), undefined);
});
