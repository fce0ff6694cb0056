import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../../runtime/testing/seed.js';
import { cleanText } from './text.js';

t.test('what nobody can see is gone', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    '': '',
    plain: 'plain',
    '  at the ends ': 'at the ends',
    ' ': '',
    'a\0b': 'ab',
    '\0': '',
    'two\nlines\r\nand\ttabs': 'two lines  and tabs',
    'no\u00a0break\u2009thin\u3000wide': 'no break thin wide',
    '\ufeffmark': 'mark',
    'zero\u200bwidth\u200d\u2060\u00ad': 'zerowidth',
    '\u202eright to left\u202c\u2067x\u2069\u200f': 'right to leftx',
    '\u001b[31mred\u009b': '[31mred',
    'half \ud800 pair \udc00': 'half \ufffd pair \ufffd',
    '\udc00\ud800': '\ufffd\ufffd',
    'whole 😀 pair': 'whole 😀 pair',
    'ñandú Łódź 王 Жук': 'ñandú Łódź 王 Жук',
    "=cmd|' /C calc'!A0": "=cmd|' /C calc'!A0",
  };
  for (const [text, clean] of Object.entries(cases)) t.equal(cleanText(text), clean, JSON.stringify(text));
});

t.test('whatever comes in: it can be kept and shown, and is clean already', async (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(fc.nat({ max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
      ),
      (text) => {
        const clean = cleanText(text);
        // Cc, lone surrogates, and what turns or hides text.
        if (/[\p{Cc}\p{Cs}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u.test(clean))
          return false;
        return clean === clean.trim() && cleanText(clean) === clean;
      },
    ),
    { seed: testSeed(t), numRuns: 5_000 },
  );
  t.pass();
});

t.test('a cell of a megabyte of them takes no square of time', async (t) => {
  const started = process.cpuUsage();
  t.equal(cleanText('\0a'.repeat(1 << 19)).length, 1 << 19);
  t.ok(process.cpuUsage(started).user < 2_000_000);
});
