import t from 'tap';
import { createRandom } from '../../deploy/send/random.js';
import { apart, type Label, textWidth, wrap } from './labels.js';

const length = (text: string) => text.length;

t.test('text breaks into lines', async (t) => {
  t.strictSame(wrap('one two three', 8, length), ['one two', 'three']);
  t.strictSame(wrap('abcdefghij k', 4, length), ['abcd', 'efgh', 'ij k'], 'within a word that is too wide');
  t.strictSame(wrap('', 4, length), ['']);
  t.ok(textWidth('illi', 10) < textWidth('MWMW', 10) / 3);
});

t.test('labels that have room stay where they are', async (t) => {
  t.strictSame(
    apart(
      [10, 50].map((at) => ({ at, height: 10 })),
      0,
      100,
    ),
    [10, 50],
  );
  t.strictSame(
    apart(
      [50, 50].map((at) => ({ at, height: 10 })),
      0,
      100,
    ),
    [45, 55],
    'or step aside to both sides',
  );
  t.strictSame(
    apart(
      [0, 100].map((at) => ({ at, height: 10 })),
      0,
      100,
    ),
    [5, 95],
    'within the bounds',
  );
  t.strictSame(apart([], 0, 100), []);
});

t.test('no label overlaps another', async (t) => {
  const random = createRandom(11);
  for (let run = 0; run < 200; run++) {
    const labels: readonly Label[] = Array.from({ length: 1 + random.below(12) }, () => ({
      at: random.below(300),
      height: 5 + random.below(20),
    }));
    const middles = apart(labels, 0, 300);
    const boxes = labels
      .map(({ height }, at) => ({
        from: (middles[at] ?? 0) - height / 2,
        to: (middles[at] ?? 0) + height / 2,
      }))
      .sort((a, b) => a.from - b.from);
    const isGood = boxes.every(
      ({ from, to }, at) => from >= (boxes[at - 1]?.to ?? 0) - 1e-9 && to <= 300 + 1e-9,
    );
    t.ok(isGood, JSON.stringify({ labels, middles }));
  }
});
