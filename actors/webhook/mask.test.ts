/** What of a body is shown: no person, no account, no secret, wherever it stands. */
import t from 'tap';
import { maskWebhook } from './mask.js';
import { encodeWebhook } from './message.js';

const shownOf = (body: unknown) =>
  Object.fromEntries(
    (maskWebhook(Buffer.from(JSON.stringify(body))) ?? []).map(({ name, value, masked }) => [
      name,
      masked ? '***' : value,
    ]),
  );

t.test('technical values are shown', async (t) => {
  t.strictSame(
    shownOf({
      id: 'evt_1NG8Du2eZvKYlo2CUI79vXWy',
      type: 'invoice.paid',
      created: 1_700_000_000,
      livemode: false,
      data: {
        object: { status: 'paid', amount: 4999, currency: 'eur', at: '2026-11-26T09:00:00.000Z', gone: null },
      },
      items: [{ sku: 'a-1' }],
    }),
    {
      '/id': 'evt_1NG8Du2eZvKYlo2CUI79vXWy',
      '/type': 'invoice.paid',
      '/created': '1700000000',
      '/livemode': 'false',
      '/data/object/status': 'paid',
      '/data/object/amount': '4999',
      '/data/object/currency': 'eur',
      '/data/object/at': '2026-11-26T09:00:00.000Z',
      '/data/object/gone': 'null',
      '/items/0/sku': 'a-1',
    },
  );
});

t.test('the others are not', async (t) => {
  const hidden = [
    ...['a@example.com', 'DE89370400440532013000', 'DE89 3704 0044 0532 0130 00', '4242424242424242'],
    ...[
      'sk_live_abc',
      'whsec_abc',
      'eyJhbGciOiJIUzI1NiJ9.e30.x',
      '+491700000000',
      '01700000000',
      'Anna Muster',
    ],
    ...['x'.repeat(65), 'ref:DE89370400440532013000', 'Bearer_abcdef', 4_242_424_242_424_242],
  ];
  for (const value of hidden) t.strictSame(shownOf({ ref: value }), { '/ref': '***' }, String(value));
  for (const name of [
    'secret',
    'client_secret',
    'apiKey',
    'first_name',
    'Email',
    'iban',
    'card',
    'accountNumber',
  ]) {
    t.strictSame(shownOf({ [name]: 'abc' }), { [`/${name}`]: '***' }, name);
    t.strictSame(shownOf({ [name]: { deep: [{ er: 1 }] } }), { [`/${name}/deep/0/er`]: '***' });
  }
  t.strictSame(
    shownOf({ 'a@example.com': 'x', 'Anna Muster': 'y' }),
    { '/?': 'y' },
    'and no name that is none',
  );
});

t.test('of a message of the log it is the body; what is no JSON has no fields', async (t) => {
  const body = Buffer.from('{"type":"x"}');
  const message = { endpoint: 'e', provider: 'p', type: 'x', id: '1', contentType: '', headers: {}, body };
  t.strictSame(maskWebhook(encodeWebhook(message)), [{ name: '/type', value: 'x', masked: false }]);
  for (const none of ['', 'a=b', '"text"', '{', '['.repeat(9_000)]) {
    t.equal(maskWebhook(Buffer.from(none)), undefined);
    t.equal(maskWebhook(encodeWebhook({ ...message, body: Buffer.from(none) })), undefined);
  }
  const deep = `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`;
  t.match(maskWebhook(Buffer.from(deep)), [{ masked: true }]);
  const many = JSON.stringify(Array.from({ length: 5_000 }, (_, n) => n));
  t.equal(maskWebhook(Buffer.from(many))?.length, 200);
});
