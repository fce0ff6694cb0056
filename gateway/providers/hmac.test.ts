import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { partsOf } from './hmac.js';
import { senderOf } from './test/sender.js';

const seed = testSeed(t);
const BODY = '{"event":{"id":"e1","kind":"paid"},"order":42}';

t.test('a signature of the body, in each algorithm and encoding', async (t) => {
  for (const algorithm of ['sha1', 'sha256', 'sha512'] as const) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const signature = createHmac(algorithm, 'hush').update(BODY).digest(encoding);
      const sender = senderOf('hmac', ['older', 'hush'], { signature: 'header:X-Sign', algorithm, encoding });
      t.match(sender.accept(BODY, { 'X-Sign': signature }), [
        { provider: 'hmac', body: BODY, dedupe: /^sha256:/ },
      ]);
      for (const wrong of ['', 'x', signature.slice(1), `${signature}0`]) {
        t.match(sender.recognise(BODY, { 'X-Sign': wrong }), { outcome: 'forged' }, wrong);
      }
    }
  }
});

t.test('what is signed, where it is and what it means, by options', async (t) => {
  const key = Buffer.from('00ff10', 'hex');
  const digest = createHmac('sha256', key).update(`r1|1760000000123|${BODY}`).digest('base64');
  const sender = senderOf('hmac', ['00ff10'], {
    signature: 'header:x-sign',
    encoding: 'base64',
    secretEncoding: 'hex',
    prefix: 'v2 ',
    signed: '{header:X-Request}|{timestamp}|{body}',
    timestamp: 'header:x-time',
    timestampUnit: 'milliseconds',
    toleranceSeconds: 10,
    id: 'body:/event/id',
    type: 'body:/event/kind',
    key: 'body:/order',
    mediaTypes: ['application/json'],
    answer: { body: 'OK' },
  });
  const headers = { 'X-Sign': `v2 ${digest}`, 'X-Request': 'r1', 'X-Time': '1760000000123' };
  t.match(sender.accept(BODY, headers, 1_760_000_005_000), [
    { id: 'e1', dedupe: 'e1', type: 'paid', key: 'shop:42' },
  ]);
  t.same(sender.provider.mediaTypes, ['application/json']);
  const verdict = sender.recognise(BODY, headers, 1_760_000_005_000);
  t.equal('answer' in verdict && Buffer.from(verdict.answer).toString(), 'OK');
  t.match(sender.recognise(BODY, headers, 1_760_000_010_124), { outcome: 'expired' });
  for (const change of [
    { 'X-Request': 'r2' },
    { 'X-Time': '1760000000124' },
    { 'X-Sign': digest },
    { 'X-Time': '' },
  ]) {
    t.match(sender.recognise(BODY, { ...headers, ...change }, 1_760_000_005_000), { outcome: 'forged' });
  }
});

t.test('a header that is a list', async (t) => {
  const signature = createHmac('sha256', 'hush').update(`1760000000.${BODY}`).digest('hex');
  const sender = senderOf('hmac', ['hush'], {
    signature: 'header:x-sign',
    item: 's',
    timestamp: 'item:t',
    signed: '{timestamp}.{body}',
  });
  const recognise = (header: string) => sender.recognise(BODY, { 'x-sign': header }, 1_760_000_000_000);
  t.match(recognise(`t=1760000000,s=00,s=${signature}`), { outcome: 'accepted' });
  t.match(recognise(`t=1760000001,s=${signature}`), { outcome: 'forged' });
  t.match(recognise(`s=${signature}`), {
    outcome: 'forged',
    reason: 'the timestamp in header x-sign is missing',
  });
});

t.test('options that contradict one another are refused', async (t) => {
  const wrong: [Readonly<Record<string, unknown>>, RegExp][] = [
    [{ signature: 'x-sign' }, /options.signature: is a header/],
    [{ signed: '{timestamp}' }, /options.signed: holds {body} once/],
    [{ signed: '{body}{body}' }, /options.signed: holds {body} once/],
    [{ signed: '{body}{url}' }, /options.signed: has braces/],
    [{ signed: '{body}{timestamp}' }, /options.timestamp: is missing/],
    [{ timestamp: 'header:x-time' }, /options.signed: holds {timestamp}, or it proves nothing/],
    [{ signed: '{body}{timestamp}', timestamp: 'item:t' }, /options.item: is missing/],
    [{ item: 'v1', prefix: 'x' }, /options.prefix: is not for a list/],
    [{ keepHeaders: ['X-SIGN'] }, /options.keepHeaders: names the header with the signature/],
    [{ algorithm: 'md5' }, /options.algorithm: is sha256, sha1 or sha512/],
    [{ unknown: 1 }, /options/],
  ];
  for (const [options, message] of wrong) {
    t.throws(
      () => senderOf('hmac', ['hush'], { signature: 'header:x-sign', ...options }),
      { message },
      String(message),
    );
  }
  t.throws(() => senderOf('hmac', ['x'], { signature: 'header:x', secretEncoding: 'hex' }), {
    message: /hex digits/,
  });
});

t.test('a template is what it was put together from', async (t) => {
  const part = fc.constantFrom(
    ...['{body}', '{timestamp}', '{header:x-a}'],
    ...['.', ':', '{', '}', '{x}', '{header:}', ' '],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const again = partsOf(parts.join(''))
        .map((each) => {
          if (each.part === 'literal') return each.text;
          return each.part === 'header' ? `{header:${each.name}}` : `{${each.part}}`;
        })
        .join('');
      if (again !== parts.join('')) throw new Error(again);
    }),
    { seed, numRuns: 200 },
  );
  t.pass('each of them');
});
