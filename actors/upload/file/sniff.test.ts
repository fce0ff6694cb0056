import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { TEXT_MEDIA_TYPE, XLSX_MEDIA_TYPE } from '../model.js';
import { sniff } from './sniff.js';

const what = async (bytes: string | Buffer) => {
  const sniffed = await sniff(Buffer.from(bytes as string));
  return sniffed.is === 'table' ? sniffed.mediaType : sniffed.detail;
};
const binary = (text: string) =>
  Buffer.concat([Buffer.from(text, 'latin1'), Buffer.from([0, 1, 2, 3, 0, 0])]);

t.test('texts of every encoding', async (t) => {
  const text = 'name;amount\r\nJosé €;1\tx\r\n\x1a';
  t.equal(await what(text), TEXT_MEDIA_TYPE);
  t.equal(await what(`\ufeff${text}`), TEXT_MEDIA_TYPE);
  t.equal(await what(Buffer.from('name;amount\nJos\xe9 \x80;1\n', 'latin1')), TEXT_MEDIA_TYPE);
  const wide = Buffer.from(`\ufeff${text} 😀`, 'utf16le');
  t.equal(await what(wide), TEXT_MEDIA_TYPE);
  t.equal(await what(wide.subarray(0, -2)), TEXT_MEDIA_TYPE, 'cut within a pair');
  t.equal(await what(wide.subarray(0, -1)), TEXT_MEDIA_TYPE, 'cut within a unit');
  t.equal(await what(Buffer.from(wide).swap16()), TEXT_MEDIA_TYPE);
  t.equal(await what(`${text.repeat(10)}\x01`), TEXT_MEDIA_TYPE, 'one control character in many');
  const rare = Buffer.from(`\ufeff${text.repeat(10)}\x01`, 'utf16le');
  t.equal(await what(rare), TEXT_MEDIA_TYPE, 'also where the mark is the signature of something else');
});

t.test('headers that begin as the signature of a format does', async (t) => {
  for (const word of ['BMW', 'MZ', 'GIF89a', 'ID3', 'OggS', 'PK', 'Rar!', 'FLV', 'II*', 'RIFF', '8BPS']) {
    t.equal(await what(`${word},iban,amount\nX,Y,1\n`), TEXT_MEDIA_TYPE, word);
  }
});

t.test('what is something else is refused with its name', async (t) => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
  t.equal(await what(png), 'its content is image/png');
  t.equal(await what(gzipSync('a,b\n1,2\n')), 'its content is application/gzip');
  t.equal(await what('%PDF-1.7\n%x\n1 0 obj\n'), 'its content is application/pdf');
  t.equal(await what(binary('MZ\x90')), 'its content is application/x-msdownload');
  t.equal(await what(binary('\x7fELF\x02\x01\x01')), 'its content is application/x-elf');
  t.equal(await what(binary('GIF89a')), 'its content is image/gif');
  t.equal(await what('{\\rtf1 x}'), 'its content is application/rtf');
  t.match(
    await what(binary('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')),
    /^its content is application\/x-cfb: an old Excel/,
  );
  for (const markup of [
    '<!DOCTYPE html><p>',
    '\ufeff <html>',
    '<?xml version="1.0"?><a/>',
    '<svg xmlns="">',
  ]) {
    t.match(await what(markup), /^its content is (text\/html or XML|application\/xml|image\/svg)/, markup);
  }
});

t.test('what is nothing known is refused', async (t) => {
  t.equal(await what(''), 'it is empty');
  const neither = 'its content is neither text nor a spreadsheet';
  t.equal(await what('a,b\n1,\0\n'), neither, 'NUL');
  t.equal(await what(`${'a,b\n'.repeat(1_000)}\0`), neither, 'one NUL in many');
  t.equal(await what(Buffer.from('a,b\n', 'utf16le')), neither, 'UTF-16 without a mark');
  t.equal(await what(`a,b\n${'\x01'.repeat(5)}\n`), neither, 'control characters');
  t.equal(await what(Buffer.from('\ufeffa\ud800b', 'utf16le')), neither, 'half a pair');
  t.equal(await what(Buffer.from('\ufeffa\udc00b', 'utf16le')), neither, 'the other half');
});

t.test('zips: a spreadsheet, or what its reader has to decide', async (t) => {
  const header = (name: string, method = 8) => {
    const bytes = Buffer.alloc(30);
    bytes.writeUInt32LE(0x04034b50, 0);
    bytes.writeUInt16LE(20, 4);
    bytes.writeUInt16LE(method, 8);
    bytes.writeUInt32LE(100_000, 18);
    bytes.writeUInt32LE(900_000, 22);
    bytes.writeUInt16LE(name.length, 26);
    return Buffer.concat([bytes, Buffer.from(name), Buffer.alloc(500, 0xa5)]);
  };
  t.equal(await what(header('xl/workbook.xml')), XLSX_MEDIA_TYPE);
  t.equal(await what(header('unknown.bin')), XLSX_MEDIA_TYPE, 'undecided');
  t.equal(await what(header('[Content_Types].xml', 99)), XLSX_MEDIA_TYPE, 'cannot be looked into');
  t.equal(
    await what(Buffer.concat([header('x'), header('y')]).subarray(0, 20)),
    XLSX_MEDIA_TYPE,
    'very short',
  );
  t.equal(await what(header('META-INF/MANIFEST.MF')), 'its content is application/java-archive');
  t.match(await what(Buffer.from('504b0506000000000000000000000000000000000000', 'hex')), /^its content is/);
});

t.test('any bytes have an answer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const sniffed = await sniff(bytes);
      return sniffed.is === 'table' || sniffed.detail.length > 0;
    }),
  );
});
