/** What is sealed opens in its place with its key, and nowhere else; and the bytes are those that the standards and another library make. */
import { createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { IbanKeys, ibanKeySecrets } from './keys.js';
import { blacklistPlace, debtorPlace, paymentPlace } from './places.js';
import { IbanSealer, openIban } from './seal.js';
import { keyText, madeKeys } from './test/keyring.js';

const IBAN = 'DE89370400440532013000';
const UPLOAD = '01890a5d-ac96-774b-bcce-b302099a8057';
const row = { id: '1', upload_id: UPLOAD, line: '7', owner: 'acme' };
const keys = madeKeys('2026', '2025');
const sealer = new IbanSealer(keys.current);

t.test('the primitives are those of the standards', async (t) => {
  // RFC 4231, test cases 1 and 2.
  const mac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('hex');
  t.equal(
    mac(Buffer.alloc(20, 0x0b), 'Hi There'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
  t.equal(
    mac(Buffer.from('Jefe'), 'what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  // RFC 5869, test case 1.
  const info = Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex');
  const salt = Buffer.from('000102030405060708090a0b0c', 'hex');
  t.equal(
    Buffer.from(hkdfSync('sha256', Buffer.alloc(22, 0x0b), salt, info, 42)).toString('hex'),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  );
  // The specification of GCM, test cases 13 and 14.
  for (const [text, sealed] of [
    ['', '530f8afbc74536b9a963b4f1c4cb738b'],
    ['00'.repeat(16), 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919'],
  ] as const) {
    const cipher = createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12));
    const made = [cipher.update(Buffer.from(text, 'hex')), cipher.final(), cipher.getAuthTag()];
    t.equal(Buffer.concat(made).toString('hex'), sealed);
  }
});

t.test('bytes that another library made of the same key: for ever', async (t) => {
  // Python's cryptography 48.0.0, by the layouts of keys.ts and seal.ts; the key is 00 01 ... 1f, the nonce 64 65 ... 6f.
  const ring = IbanKeys.parse(
    `2026:${Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('base64')}`,
  );
  t.equal(ring?.current.indexOf(IBAN), '2e19532353fe16be1efe51ae0b82ddc9b8e9ef51');
  const sealed = Buffer.from(
    '0104323032366465666768696a6b6c6d6e6fe62b2e71f5dffc69355291b9b10654822c0940030574a65e82feeef6ffa5911ff3186f556349',
    'hex',
  );
  t.equal(openIban(ring, sealed, debtorPlace(row)), IBAN);
});

t.test('any text comes back, in bytes that are another each time', async (t) => {
  const seed = testSeed(t);
  const texts = fc.oneof(fc.constant(IBAN), fc.string({ unit: 'grapheme', maxLength: 64 }));
  fc.assert(
    fc.property(texts, fc.string(), (text, place) => {
      const [one, two] = [sealer.seal(text, place), sealer.seal(text, place)];
      return !one.equals(two) && [one, two].every((sealed) => openIban(keys, sealed, place) === text);
    }),
    { seed },
  );
  // More than are drawn at once: no nonce comes twice.
  const nonces = Array.from({ length: 1_500 }, () => sealer.seal(IBAN, '').subarray(6, 18).toString('hex'));
  t.equal(new Set(nonces).size, 1_500);
});

t.test('a byte that was changed, anywhere', async (t) => {
  const sealed = sealer.seal(IBAN, 'here');
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    // In the head it may be the name of another key, or none.
    const code = at > 0 && at < 6 ? /TETHER_IBAN_(SEAL|KEY_UNKNOWN)/ : 'TETHER_IBAN_SEAL';
    t.throws(() => openIban(keys, changed, 'here'), { code }, `byte ${at}`);
  }
  for (const length of [0, 1, 2, 20, sealed.length - 1]) {
    t.throws(() => openIban(keys, sealed.subarray(0, length), 'here'), { code: 'TETHER_IBAN_SEAL' });
  }
});

t.test('another place, and another key', async (t) => {
  const place = debtorPlace(row);
  const sealed = sealer.seal(IBAN, place);
  const others = [
    debtorPlace({ ...row, line: '8' }),
    debtorPlace({ ...row, owner: 'other' }),
    debtorPlace({ ...row, owner: null }),
    debtorPlace({ ...row, upload_id: UPLOAD.replace('0', '1') }),
    debtorPlace({ ...row, upload_id: null }),
    debtorPlace({ ...row, line: null }),
    paymentPlace(UPLOAD, 'acme'),
    blacklistPlace({ id: '1', endpoint: null, payment_id: null }),
  ];
  t.equal(new Set([place, ...others]).size, others.length, 'two of them are known by their id alone');
  for (const other of others) {
    try {
      openIban(keys, sealed, other);
      t.fail(other);
    } catch (error) {
      t.match(error, { code: 'TETHER_IBAN_SEAL', retryable: false, message: /the key 2026/ });
      t.notMatch(String(error), IBAN);
    }
  }
  t.equal(debtorPlace({ ...row, upload_id: UPLOAD.toUpperCase() }), place);
  t.equal(blacklistPlace({ id: '3', endpoint: 'emp', payment_id: 'p' }), paymentPlace('emp', 'p'));

  const [, , secret = ''] = /^(\w+):(.*)$/.exec(keyText('another')) ?? [];
  const wrong = IbanKeys.parse(`2026:${secret}`);
  t.throws(() => openIban(wrong, sealed, place), { code: 'TETHER_IBAN_SEAL' });
  t.not(wrong?.current.tag, keys.current.tag, 'an id that stands for another key has another tag');
  for (const ring of [undefined, madeKeys('2027')]) {
    t.throws(() => openIban(ring, sealed, place), {
      code: 'TETHER_IBAN_KEY_UNKNOWN',
      outage: true,
      message: /the key 2026/,
    });
  }
  t.equal(openIban(madeKeys('2027', '2026'), sealed, place), IBAN, 'any key of the list opens');
});

t.test('the index is the same for the same IBAN and key', async (t) => {
  const [one, other] = keys.all;
  t.equal(one?.indexOf(IBAN), madeKeys('2026').current.indexOf(IBAN));
  t.equal(one?.indexOf(IBAN).length, 40);
  t.not(one?.indexOf(IBAN), one?.indexOf('GB82WEST12345698765432'));
  t.not(one?.indexOf(IBAN).slice(8), other?.indexOf(IBAN).slice(8));
  t.equal(keys.byTag(one?.indexOf(IBAN).slice(0, 8) ?? '')?.id, '2026');
});

t.test('what is no list of keys', async (t) => {
  const secret = keyText('a').slice(2);
  for (const text of [
    '',
    secret,
    'a:',
    `:${secret}`,
    `a b:${secret}`,
    `a:${secret.slice(0, -2)}`,
    `a:${Buffer.alloc(31).toString('base64')}`,
    `a:${Buffer.alloc(32).toString('hex')}`,
    // The last character has bits that no byte has.
    `a:${Buffer.alloc(32).toString('base64').replace('A=', 'B=')}`,
    `a:${secret},`,
    `a:${secret},b:${secret}`,
    `${keyText('a')},${keyText('b').replace('b', 'a')}`,
    keyText(...'abcdefghi'),
  ]) {
    t.equal(IbanKeys.parse(text), undefined, text);
  }
  t.strictSame(
    IbanKeys.parse(` ${keyText('a')} , ${keyText('b.1-_')}`)?.all.map(({ id }) => id),
    ['a', 'b.1-_'],
  );
  t.strictSame(
    ibanKeySecrets(keyText('a', 'b')).map(({ id }) => id),
    ['a', 'b'],
  );
});
