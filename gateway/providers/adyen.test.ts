import { createHmac } from 'node:crypto';
import t from 'tap';
import { senderOf } from './test/sender.js';

// Adyen's documentation, "Verify HMAC signatures", and its libraries (github.com/Adyen/adyen-ruby-api-library, spec/utils/hmac_validator_spec.rb;
// github.com/Adyen/adyen-php-api-library, tests/Adyen/Util/HmacSignatureTest.php).
const KEY = '44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056';
const PUBLISHED = 'coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=';
const OTHER_KEY = 'DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00';
const PUBLISHED_BY_OTHER = 'Ny9gS2veKo5E4w8/OL6xz1/wvT/hYkAXy1xNc/QvO4I=';

const ITEM = {
  amount: { value: 1130, currency: 'EUR' },
  pspReference: '7914073381342284',
  eventCode: 'AUTHORISATION',
  merchantAccountCode: 'TestMerchant',
  merchantReference: 'TestPayment-1407325143704',
  paymentMethod: 'visa',
  success: 'true',
};
type Item = Readonly<Record<string, unknown>>;
const bodyOf = (...items: readonly unknown[]) =>
  JSON.stringify({
    live: 'false',
    notificationItems: items.map((item) => ({ NotificationRequestItem: item })),
  });
const withSignature = (item: Item, hmacSignature: string) => ({ ...item, additionalData: { hmacSignature } });

/** Signs what an item says, as Adyen describes it. */
function signed(changes: Item): Item {
  const item: Item & typeof ITEM & { originalReference?: string } = { ...ITEM, ...changes };
  const {
    pspReference,
    originalReference = '',
    merchantAccountCode,
    merchantReference,
    amount,
    eventCode,
    success,
  } = item;
  const text = [
    ...[pspReference, originalReference, merchantAccountCode, merchantReference],
    ...[amount.value, amount.currency, eventCode, success],
  ].join(':');
  return withSignature(item, createHmac('sha256', Buffer.from(KEY, 'hex')).update(text).digest('base64'));
}

const adyen = senderOf('adyen', [OTHER_KEY, KEY]);

t.test('the published vectors', async (t) => {
  for (const signature of [PUBLISHED, PUBLISHED_BY_OTHER]) {
    const item = withSignature(ITEM, signature);
    const verdict = adyen.recognise(bodyOf(item));
    t.equal('answer' in verdict && Buffer.from(verdict.answer).toString(), '[accepted]');
    t.match(adyen.accept(bodyOf(item)), [
      {
        type: 'AUTHORISATION',
        key: 'shop:7914073381342284',
        dedupe: '7914073381342284:AUTHORISATION:true',
        contentType: 'application/json',
        body: JSON.stringify(item),
      },
    ]);
  }
  t.match(senderOf('adyen', [OTHER_KEY]).recognise(bodyOf(withSignature(ITEM, PUBLISHED))), {
    outcome: 'forged',
  });
});

t.test('what happens to a payment later has its key', async (t) => {
  const refund = signed({ pspReference: 'R1', originalReference: ITEM.pspReference, eventCode: 'REFUND' });
  const failed = signed({ success: 'false' });
  t.match(adyen.accept(bodyOf(refund, failed)), [
    { type: 'REFUND', key: 'shop:7914073381342284', dedupe: 'R1:REFUND:true' },
    { key: 'shop:7914073381342284', dedupe: '7914073381342284:AUTHORISATION:false' },
  ]);
});

t.test('one wrong item and nothing of the request is taken', async (t) => {
  const good = signed({});
  const wrong: Record<string, Item> = {
    'no signature': ITEM,
    'an empty one': withSignature(ITEM, ''),
    'a number': { ...ITEM, additionalData: { hmacSignature: 7 } },
    ...Object.fromEntries(
      Object.entries({
        pspReference: 'x',
        originalReference: 'x',
        merchantAccountCode: 'x',
        merchantReference: 'x',
        amount: { value: 1131, currency: 'EUR' },
        eventCode: 'CAPTURE',
        success: 'false',
      }).map(([name, value]) => [`another ${name}`, { ...good, [name]: value }]),
    ),
  };
  for (const [name, item] of Object.entries(wrong)) {
    for (const body of [bodyOf(item), bodyOf(good, item), bodyOf(item, good)]) {
      t.match(adyen.recognise(body), { outcome: 'forged' }, name);
    }
  }
  t.match(
    adyen.accept(bodyOf({ ...good, reason: 'x', paymentMethod: 'mc' })),
    [{ type: 'AUTHORISATION' }],
    'the rest is not signed',
  );
});

t.test('a colon cannot be moved into another field under the same signature', async (t) => {
  const ref = signed({ merchantReference: 'a:b' });
  t.match(adyen.accept(bodyOf(ref)), [{ type: 'AUTHORISATION' }], 'the reference may hold one');
  const moved = { ...ref, merchantAccountCode: 'TestMerchant:a', merchantReference: 'b' };
  t.match(adyen.recognise(bodyOf(moved)), { outcome: 'forged', reason: /holds a colon/ });
});

t.test('of a name that is there twice one value counts, before and after', async (t) => {
  const body = bodyOf(signed({})).replace('"pspReference"', '"pspReference":"evil","pspReference"');
  const [message] = adyen.accept(body);
  t.match(message, { key: 'shop:7914073381342284' });
  t.notMatch(message?.body, 'evil');
});

t.test('signed and no notification', async (t) => {
  t.match(adyen.recognise(bodyOf(signed({ pspReference: '' }))), { outcome: 'malformed' });
  t.match(adyen.recognise(bodyOf(signed({ eventCode: '' }))), { outcome: 'malformed' });
  t.match(adyen.recognise(bodyOf(signed({ pspReference: 'x'.repeat(256) }))), { outcome: 'malformed' });
  for (const body of ['', '{}', '[]', '{"notificationItems":[]}', '{"notificationItems":{"length":1}}']) {
    t.match(adyen.recognise(body), { outcome: 'malformed' }, body);
  }
  for (const item of [null, 7, {}, [], { additionalData: null }]) {
    t.match(adyen.recognise(bodyOf(item)), { outcome: 'forged' }, JSON.stringify(item));
  }
  t.match(adyen.recognise('{"notificationItems":[null]}'), { outcome: 'forged' });
});

t.test('a key has a form', async (t) => {
  for (const key of ['hunter2', KEY.slice(2), `${KEY}00`, `${KEY.slice(1)}g`]) {
    const error = t.throws(() => senderOf('adyen', [key]), { code: 'TETHER_GATEWAY_OPTION' });
    t.notMatch(`${error}`, 'hunter2');
  }
});
