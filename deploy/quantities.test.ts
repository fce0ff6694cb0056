import t from 'tap';
import { formatBytes, parseBytes } from './quantities.js';

t.test('sizes with and without a unit', async (t) => {
  t.equal(parseBytes('0'), 0);
  t.equal(parseBytes('512'), 512);
  t.equal(parseBytes('512B'), 512);
  t.equal(parseBytes('4KiB'), 4096);
  t.equal(parseBytes('64 MiB'), 64 * 1024 ** 2);
  t.equal(parseBytes('4GiB'), 4 * 1024 ** 3);
});

t.test('what is no size, or one that a number cannot hold', async (t) => {
  for (const text of ['', 'MiB', '4GB', '4gib', '-1', '1.5MiB', '1e9', 'NaN', '999999999999999GiB']) {
    t.equal(parseBytes(text), undefined, JSON.stringify(text));
  }
});

t.test('a size is written in the largest unit that holds it exactly', async (t) => {
  for (const text of ['0', '1000', '4KiB', '64MiB', '4GiB', '1025KiB']) {
    t.equal(formatBytes(parseBytes(text) ?? -1), text);
  }
});
