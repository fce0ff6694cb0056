import fc from 'fast-check';
import t from 'tap';
import { byteOrderMark, decodeUnits, Utf8Check, unitsOf } from './encoding.js';
import { refusal } from './test/read-all.js';

t.test('Windows-1252, all of it', async (t) => {
  const upper = Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i));
  const text = decodeUnits(unitsOf(upper, 'windows-1252'), 'windows-1252', 1);
  t.equal(text.slice(0, 32), '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ');
  t.equal(text.slice(32), upper.subarray(32).toString('latin1'));
});

t.test('marks', async (t) => {
  t.strictSame(byteOrderMark(Buffer.from('\ufeff')), { encoding: 'utf-8', bytes: 3 });
  t.strictSame(byteOrderMark(Buffer.from('\ufeff', 'utf16le')), { encoding: 'utf-16le', bytes: 2 });
  t.strictSame(byteOrderMark(Buffer.from([0xfe, 0xff])), { encoding: 'utf-16be', bytes: 2 });
  for (const none of [[], [0xef], [0xff], [0x61, 0x62]]) t.equal(byteOrderMark(Buffer.from(none)), undefined);
});

t.test('UTF-8 is told from the rest, however the chunks come', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      fc.integer({ min: 1, max: 5 }),
      (bytes, size) => {
        const check = new Utf8Check();
        for (let at = 0; at < bytes.length; at += size) check.add(bytes.subarray(at, at + size));
        const expected = bytes.equals(Buffer.from(bytes.toString('utf8'))) ? 'utf-8' : 'windows-1252';
        t.equal(check.encoding(false), expected);
        t.equal(
          check.undecided,
          bytes.every((byte) => byte < 128),
        );
      },
    ),
  );
});

t.test('half a character at a cut is none of the file’s faults, at its end it is', async (t) => {
  const check = new Utf8Check();
  check.add(Buffer.from([0x61, 0xc3]));
  t.equal(check.encoding(true), 'utf-8');
  t.equal(check.encoding(false), 'windows-1252');
});

t.test('half a character in front of a chunk of ASCII is seen', async (t) => {
  const check = new Utf8Check();
  for (const chunk of [[0xe2], [0x61], [0x82, 0xac]]) check.add(Buffer.from(chunk));
  t.equal(check.encoding(true), 'windows-1252');
});

t.test('bytes are decoded wherever they lie in memory', async (t) => {
  const bytes = Buffer.concat([Buffer.from('x'), Buffer.from('añ', 'utf16le')]).subarray(1);
  t.equal(decodeUnits(unitsOf(bytes, 'utf-16le'), 'utf-16le', 1), 'añ');
});

t.test('what is no text is refused with its line', async (t) => {
  const refused = (bytes: Buffer) => refusal(async () => decodeUnits(unitsOf(bytes, 'utf-8'), 'utf-8', 7));
  t.equal(await refused(Buffer.from('a\r\nb\rc\0')), 'not-a-table:9');
  t.equal(await refused(Buffer.from('a\r\nb\rc\xff', 'latin1')), 'invalid-encoding:9');
});
