import t from 'tap';
import { absolute, bytes, count, duration, percent, plural, relative, short } from './app/format.js';

t.test('figures as people read them', async (t) => {
  t.strictSame([0, 0.44, 9.96, 12.4, 1_234_567].map(count), ['0', '0.4', '10', '12', '1,234,567']);
  t.strictSame([950, 9_999, 12_345, 999_400, 4_100_000].map(short), [
    '950',
    '9,999',
    '12.3k',
    '999.4k',
    '4.1M',
  ]);
  t.strictSame([null, 0, 1_023, 1_536, 734_003_200, 5e15].map(bytes), [
    '–',
    '0 B',
    '1,023 B',
    '1.5 KiB',
    '700 MiB',
    '4,547 TiB',
  ]);
  t.strictSame([null, 0.42, 230.4, 4_210, 180_000, 7_200_000, 432_000_000].map(duration), [
    '–',
    '0.4 ms',
    '230 ms',
    '4.2 s',
    '3 min',
    '2 h',
    '5 d',
  ]);
  t.strictSame([null, 0, 0.974].map(percent), ['–', '0 %', '97 %']);
  t.strictSame([plural(1, 'message'), plural(2, 'message')], ['1 message', '2 messages']);
});

t.test('moments', async (t) => {
  const now = Date.parse('2026-11-26T07:00:00Z');
  t.equal(relative(now - 12_400, now), '12 s ago');
  t.equal(relative(now + 180_000, now), 'in 3 min');
  t.equal(relative('2026-11-26T06:59:59.500Z', now), 'now');
  t.equal(relative('nonsense', now), '–');
  t.equal(absolute(now), '2026-11-26 07:00:00 UTC');
  t.equal(absolute('nonsense'), 'nonsense');
});
