import t from 'tap';
import { refusal } from '../test/read-all.js';
import { SharedStrings } from './shared-strings.js';

t.test('texts come back by their number, whatever they are', async (t) => {
  const strings = new SharedStrings();
  const texts = ['', 'a', 'é😀', ...Array.from({ length: 5_000 }, (_, i) => `${i}-`.repeat(i % 700))];
  for (const text of texts) strings.add(text);
  t.strictSame(
    texts.map((_, i) => strings.get(i)),
    texts,
  );
  for (const none of [-1, texts.length, 1.5e9, Number.NaN]) t.equal(strings.get(none), undefined, `${none}`);
});

t.test('they are bounded in bytes and in number', async (t) => {
  const full = async (text: string) => {
    const strings = new SharedStrings();
    let count = 0;
    const reason = await refusal(async () => {
      for (; ; count++) strings.add(text);
    });
    return [reason, count];
  };
  t.strictSame(await full('x'.repeat(1_000_000)), ['unpacks-too-large', 67]);
  t.strictSame(await full(''), ['unpacks-too-large', 4_194_304]);
});
