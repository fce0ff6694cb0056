import fc from 'fast-check';
import t from 'tap';
import { isWord, isWordIn } from './ascii.js';

t.test('the loops say what regular expressions say', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.string({ unit: 'binary-ascii', maxLength: 6 }),
    fc.stringMatching(/^[\w.-]{0,6}$/),
  );
  fc.assert(
    fc.property(text, (text) => {
      const wanted = /^[\w.-]*$/.test(text);
      const bytes = Buffer.from(`%${text}%`);
      return isWord(text) === wanted && isWordIn(bytes, 1, bytes.length - 1) === wanted;
    }),
    { numRuns: 3_000 },
  );
  for (const edge of ['', '\x7f', '\x80', 'a\n', 'a-', '_', '`', '@', '[', '{', '/', ':', 'ſ', '￿']) {
    t.equal(isWord(edge), /^[\w.-]*$/.test(edge) && !edge.includes('\n'), JSON.stringify(edge));
  }
});
