import t from 'tap';
import { refusal } from '../test/read-all.js';
import { readXml, type XmlHandler } from './xml.js';

async function* chunked(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function events(xml: string | Buffer, size = 3): Promise<string[]> {
  const seen: string[] = [];
  const handler: XmlHandler = {
    open: (name, attributes) => seen.push(`<${name} ${JSON.stringify(attributes)}`),
    close: (name) => seen.push(`/${name}`),
    text: (text) => seen.push(text),
  };
  await readXml(chunked(Buffer.from(xml as string), size), handler);
  return seen;
}

const refusedFor = (xml: string | Buffer, size = 65_536) => refusal(() => events(xml, size));

t.test('elements without their prefixes, characters across chunks', async (t) => {
  const expected = ['<a {"b":"1&2"}', 'é😀', '<c {}', '/c', '/a'];
  t.strictSame(await events('\ufeff<?xml version="1.0"?><x:a b="1&amp;2">é😀<c/></x:a>'), expected);
});

t.test('a document type is refused, with whatever it declares', async (t) => {
  for (const type of [
    '<!DOCTYPE a>',
    '<!DOCTYPE a SYSTEM "file:///etc/hostname">',
    '<!DOCTYPE a [<!ENTITY b SYSTEM "http://127.0.0.1/">]>',
    '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>',
  ]) {
    t.equal(await refusedFor(`${type}<a/>`), 'malformed-xml', type);
  }
  t.equal(await refusedFor('<a>&b;</a>'), 'malformed-xml', 'an entity that nobody declared');
});

t.test('what is not well-formed is refused', async (t) => {
  for (const xml of ['', 'text', '<a>', '<a></b>', '<a/><b/>', '<a b=1/>', '<a>\x01</a>', '<a>&#0;</a>']) {
    t.equal(await refusedFor(xml), 'malformed-xml', JSON.stringify(xml));
  }
  t.equal(await refusedFor(Buffer.from('<a>\xe9</a>', 'latin1')), 'malformed-xml', 'not UTF-8');
  t.equal(await refusedFor(Buffer.from('<a/>é').subarray(0, -1)), 'malformed-xml', 'half a character');
});

t.test('one element cannot take the memory', async (t) => {
  t.equal(await refusedFor(`<a>${'<b>'.repeat(62)}${'</b>'.repeat(62)}</a>`), undefined);
  t.equal(await refusedFor(`${'<a>'.repeat(65)}${'</a>'.repeat(65)}`), 'malformed-xml', 'deep');
  const long = 'x'.repeat(2_000_000);
  for (const xml of [
    `<a>${long}</a>`,
    `<a b="${long}"/>`,
    `<${long}/>`,
    `<!--${long}--><a/>`,
    `<!DOCTYPE ${long}`,
  ]) {
    t.equal(await refusedFor(xml), 'malformed-xml', xml.slice(0, 12));
  }
});
