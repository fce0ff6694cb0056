import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { senderOf } from './test/sender.js';

const seed = testSeed(t);
const basic = (credentials: string) => ({
  Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
});

t.test('HTTP Basic, with any of some pairs', async (t) => {
  // RFC 7617, section 2 and 2.1
  const sender = senderOf('basic', ['Aladdin:open sesame', 'test:123\u00a3', 'a::b'], { key: 'body:/k' });
  t.match(sender.accept('{"k":"1"}', { Authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' }), [
    { key: 'shop:1' },
  ]);
  t.match(sender.accept('', { Authorization: 'bAsIc  dGVzdDoxMjPCow==' }), [{ body: '' }]);
  t.match(sender.accept('', basic('a::b')), [{}]);
  for (const wrong of [
    '',
    'Aladdin:',
    'Aladdin:open sesame ',
    'aladdin:open sesame',
    ':open sesame',
    'Aladdin',
  ]) {
    t.match(sender.recognise('', basic(wrong)), { outcome: 'forged' }, wrong);
  }
  for (const header of [
    '',
    'Basic',
    'Basic ',
    'Basic é',
    'Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    `Basic ${'A'.repeat(9000)}`,
  ]) {
    t.match(sender.recognise('', { Authorization: header }), { outcome: 'forged' }, header.slice(0, 40));
  }
  for (const secret of ['hunter2', ':hunter2', 'hunter2:']) {
    t.notMatch(
      `${t.throws(() => senderOf('basic', [secret]), { code: 'TETHER_GATEWAY_OPTION' })}`,
      'hunter2',
    );
  }
});

t.test('an API key, in a header of its own or behind Bearer', async (t) => {
  const plain = senderOf('api-key', ['k1', 'k2'], { id: 'header:x-id' });
  t.match(plain.accept('anything', { 'X-API-Key': 'k2', 'X-Id': '7' }), [
    { dedupe: '7', id: '7', body: 'anything' },
  ]);
  for (const key of ['', 'k', 'k3', 'K1', 'k1 ', 'k1k1']) {
    t.match(plain.recognise('', { 'X-API-Key': key }), { outcome: 'forged' }, key);
  }
  const bearer = senderOf('api-key', ['k1'], { secret: 'header:Authorization', prefix: 'Bearer ' });
  t.match(bearer.accept('', { Authorization: 'Bearer k1' }), [{}]);
  t.match(bearer.recognise('', { Authorization: 'k1' }), { outcome: 'forged' });
  t.throws(() => senderOf('api-key', ['k'], { secret: 'header:X-Key', keepHeaders: ['x-key'] }), {
    message: /names the header with the key/,
  });
});

t.test('nothing is asked for only where the options say so', async (t) => {
  t.throws(() => senderOf('none', []), { message: /unsigned/ });
  t.throws(() => senderOf('none', [], { unsigned: false }), { message: /whoever knows the path may send/ });
  t.throws(() => senderOf('none', ['s'], { unsigned: true }), { message: /takes no secrets/ });
  t.match(senderOf('none', [], { unsigned: true, type: 'header:x-event' }).accept('x', { 'X-Event': 'e' }), [
    {
      type: 'e',
      body: 'x',
      dedupe: 'sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
    },
  ]);
});

t.test('no other text passes for the secret', async (t) => {
  const secret = 'user:correct';
  const senders = [
    { sender: senderOf('basic', [secret]), headers: basic },
    { sender: senderOf('api-key', [secret]), headers: (text: string) => ({ 'x-api-key': text }) },
  ];
  const near = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.nat(secret.length).map((at) => secret.slice(0, at)),
    fc.nat(secret.length).map((at) => `${secret.slice(0, at)}\0${secret.slice(at)}`),
  );
  fc.assert(
    fc.property(fc.constantFrom(...senders), near, ({ sender, headers }, text) => {
      const { outcome } = sender.recognise('', headers(text));
      if ((outcome === 'accepted') !== (text === secret)) throw new Error(text);
    }),
    { seed, numRuns: 500 },
  );
  t.pass('none of them');
});
