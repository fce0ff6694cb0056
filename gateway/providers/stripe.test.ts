import Stripe from 'stripe';
import t from 'tap';
import { senderOf } from './test/sender.js';

// Stripe's own library is the signing side.
const { webhooks } = new Stripe('sk_test_made_up');
const SECRET = 'whsec_made_up_1';
const AT_S = 1_760_000_000;
const EVENT = '{"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1","object":"invoice"}}}';

const signed = (payload: string, secret = SECRET, timestamp = AT_S) => ({
  'Content-Type': 'application/json; charset=utf-8',
  'Stripe-Signature': webhooks.generateTestHeaderString({ payload, secret, timestamp }),
});
const stripe = senderOf('stripe', ['whsec_older', SECRET]);

t.test('an event signed by the library', async (t) => {
  t.same(stripe.accept(EVENT, signed(EVENT), AT_S * 1000), [
    {
      endpoint: 'shop',
      provider: 'stripe',
      type: 'invoice.paid',
      id: 'evt_1',
      contentType: 'application/json; charset=utf-8',
      headers: {},
      body: EVENT,
      key: 'shop:in_1',
      dedupe: 'evt_1',
    },
  ]);
  t.match(
    stripe.accept(EVENT, signed(EVENT, 'whsec_older'), AT_S * 1000),
    [{ id: 'evt_1' }],
    'an older secret',
  );
});

t.test('an event that only names its object', async (t) => {
  const thin = '{"id":"evt_2","type":"v1.billing.meter.error","related_object":{"id":"mtr_1"}}';
  t.match(stripe.accept(thin, signed(thin), AT_S * 1000), [{ key: 'shop:mtr_1' }]);
});

t.test('a signature of another body, secret or time is forged', async (t) => {
  const { 'Stripe-Signature': header } = signed(EVENT);
  const later = header.replace(`t=${AT_S}`, `t=${AT_S + 1}`);
  const wrong = [
    signed(EVENT, 'whsec_another'),
    signed(`${EVENT} `),
    ...[later, header.replace('v1=', 'v0='), header.replace(/v1=./, 'v1='), `t=${AT_S}`, 'v1=', 'x', ','].map(
      (value) => ({
        'Stripe-Signature': value,
      }),
    ),
    { 'Stripe-Signature': header.slice(header.indexOf('v1=')) },
    {},
  ];
  for (const headers of wrong) {
    t.match(stripe.recognise(EVENT, headers, AT_S * 1000), { outcome: 'forged' }, JSON.stringify(headers));
  }
});

t.test('two signatures, as while a secret is rolled', async (t) => {
  const [old, current] = ['whsec_another', SECRET].map((secret) => signed(EVENT, secret)['Stripe-Signature']);
  const both = `${old},v1=${current?.split('v1=')[1]}`;
  t.match(stripe.accept(EVENT, { 'Stripe-Signature': both }, AT_S * 1000), [{ id: 'evt_1' }]);
});

t.test('what is genuine and too far away in time is expired, and only that', async (t) => {
  const at = (seconds: number, headers = signed(EVENT)) =>
    stripe.recognise(EVENT, headers, (AT_S + seconds) * 1000);
  for (const seconds of [-300, 300]) t.match(at(seconds), { outcome: 'accepted' }, `${seconds}`);
  for (const seconds of [-301, 301]) {
    t.match(at(seconds), { outcome: 'expired', reason: /more than 300 s away/ }, `${seconds}`);
  }
  t.match(at(9999, signed(EVENT, 'whsec_another')), { outcome: 'forged' });
  const short = senderOf('stripe', [SECRET], { toleranceSeconds: 5 });
  t.match(short.recognise(EVENT, signed(EVENT), (AT_S + 6) * 1000), { outcome: 'expired' });
});

t.test("a key of one's own, and headers that are kept", async (t) => {
  const body = '{"id":"evt_3","type":"x","data":{"object":{"id":"pi_1","customer":"cus_1"}}}';
  const own = senderOf('stripe', [SECRET], {
    key: 'body:/data/object/customer',
    keepHeaders: ['User-Agent', 'X-None'],
  });
  t.match(own.accept(body, { ...signed(body), 'User-Agent': 'Stripe/1.0' }, AT_S * 1000), [
    { key: 'shop:cus_1', headers: { 'user-agent': 'Stripe/1.0' } },
  ]);
  t.throws(
    () => senderOf('stripe', [SECRET], { keepHeaders: ['Stripe-Signature'] }),
    /a secret or a signature/,
  );
  t.throws(() => senderOf('stripe', [SECRET], { keepHeaders: ['Authorization'] }), /a secret or a signature/);
});

t.test('without an order each message is its own key', async (t) => {
  const unordered = senderOf('stripe', [SECRET], {}, 'none');
  t.match(unordered.accept(EVENT, signed(EVENT), AT_S * 1000), [{ key: 'shop:evt_1', dedupe: 'evt_1' }]);
});

t.test('signed and not to be read', async (t) => {
  t.match(stripe.recognise('no json', signed('no json'), AT_S * 1000), { outcome: 'malformed' });
  t.match(stripe.accept('{}', signed('{}'), AT_S * 1000), [
    // The digest of {}
    { key: /^shop:sha256:44136fa355b3678a/, dedupe: /^sha256:[0-9a-f]{64}$/, id: '', type: '' },
  ]);
});
