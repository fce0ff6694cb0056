import t from 'tap';
import { BodyBuffer } from './body.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text)).buffer;

t.test('pieces become one body', async (t) => {
  const body = new BodyBuffer(10_000);
  let whole = '';
  for (let i = 0; whole.length < 9000; i++) {
    const piece = `${i},`.repeat(i % 50);
    whole += piece;
    t.equal(body.add(bytes(piece)), true);
  }
  t.equal(Buffer.from(body.bytes()).toString(), whole);
});

t.test('a body never grows beyond its limit', async (t) => {
  const body = new BodyBuffer(5);
  t.ok(body.add(bytes('abc')));
  t.notOk(body.add(bytes('def')));
  t.ok(body.add(bytes('de')), 'what was too much is not in it');
  t.notOk(body.add(bytes('f')));
  t.equal(Buffer.from(body.bytes()).toString(), 'abcde');
});
