import t from 'tap';
import { AsciiText } from './ascii-text.js';
import { groupOf, partitionIn, partitionOf } from './partition.js';

/** Computed once, apart from the code. They never change: a log holds messages that were placed by them. */
const VECTORS: readonly (readonly [key: string, of4294967295: number, of64: number, of7: number])[] = [
  ['', 2872998923, 11, 4],
  ['a', 444641715, 51, 0],
  ['emp:44177a21403427eb96664a6d7e5d5d48', 2637489273, 57, 6],
  ['emp:130319cfb3bf65ff3c4a4045487b173e', 317340315, 27, 5],
  ['käse\u{1F9C0}', 2654040469, 21, 3],
];

t.test('fixed vectors', async (t) => {
  for (const [key, of4294967295, of64, of7] of VECTORS) {
    t.same(
      [partitionOf(key, 2 ** 32 - 1), partitionOf(key, 64), partitionOf(key, 7), partitionOf(key, 1)],
      [of4294967295, of64, of7, 0],
      JSON.stringify(key),
    );
    const bytes = Buffer.from(key);
    if (bytes.length > key.length) continue;
    const text = new AsciiText(bytes.length);
    text.append(bytes, 0, bytes.length);
    t.equal(partitionOf(text, 64), of64, 'the same as bytes');
  }
});

t.test('keys spread evenly, also those that only count up', async (t) => {
  const names: readonly ((i: number) => string)[] = [
    (i) => `emp:${i}`,
    (i) => `emp:${(i * 2654435761).toString(16).padStart(32, '0')}`,
    (i) => `emp:${i * 64}`,
  ];
  for (const name of names) {
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) {
      const partition = partitionOf(name(i), 64);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    t.ok(Math.max(...counts) < 1200 && Math.min(...counts) > 800, counts.join(' '));
  }
});

t.test(
  'the keys of a group are in the partition of its name; a function that fails leaves the key alone',
  async (t) => {
    const merchant = (key: string) => key.split('/')[0] ?? '';
    t.equal(partitionIn(merchant, 'shop/1', 64), partitionOf('shop', 64));
    t.equal(partitionIn(merchant, 'shop/2', 64), partitionOf('shop', 64));
    t.equal(partitionIn(undefined, 'shop/1', 64), partitionOf('shop/1', 64));
    const throwing = () => {
      throw new Error('of the user');
    };
    t.equal(groupOf(throwing, 'key'), 'key');
    t.equal(groupOf((() => 5) as never, 'key'), 'key');
  },
);
