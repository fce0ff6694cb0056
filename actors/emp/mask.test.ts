import t from 'tap';
import { maskNotification } from './mask.js';

const shown = (body: string) =>
  Object.fromEntries(
    (maskNotification(Buffer.from(body)) ?? []).map(({ name, value, masked }) => [
      name,
      masked ? null : value,
    ]),
  );

t.test('technical values are shown, all others are not', async (t) => {
  const body =
    'unique_id=44177a21403427eb96664a6d7e5d5d48&status=approved&amount=4999&currency=EUR&signature=abcdef' +
    '&iban=DE89370400440532013000&customer_email=a%40example.com&card_holder=Anna+Muster&terminal_token=394f&rc_code=AM04' +
    '&a_field_of_tomorrow=secret';
  t.strictSame(shown(body), {
    unique_id: '44177a21403427eb96664a6d7e5d5d48',
    status: 'approved',
    amount: '4999',
    currency: 'EUR',
    signature: null,
    iban: null,
    customer_email: null,
    card_holder: null,
    terminal_token: null,
    rc_code: 'AM04',
    a_field_of_tomorrow: null,
  });
});

t.test('what is personal is masked in whatever field it stands', async (t) => {
  for (const value of [
    '4111 1111 1111 1111',
    '4111111111111111',
    'DE89 3704 0044 0532 0130 00',
    'de89370400440532013000',
    'a@example.com',
    'x'.repeat(201),
  ]) {
    t.equal(shown(`unique_id=1&rc_description=${encodeURIComponent(value)}`).rc_description, null, value);
  }
  for (const value of [
    'Insufficient Funds',
    'tether_1001_ab12',
    '1234567890123',
    '44177a21403427eb96664a6d7e5d5d48',
  ]) {
    t.equal(shown(`unique_id=1&transaction_id=${encodeURIComponent(value)}`).transaction_id, value);
  }
  t.strictSame(maskNotification(Buffer.from('unique_id=1&DE89370400440532013000=1&Anna%20M=2')), [
    { name: 'unique_id', value: '1', masked: false },
    { name: '?', value: '', masked: true },
    { name: '?', value: '', masked: true },
  ]);
});

t.test('what is no notification has no fields', async (t) => {
  for (const body of [
    '',
    '{"iban":"DE89370400440532013000"}',
    'status=approved',
    'unique_id=1&unique_id=2',
  ]) {
    t.equal(maskNotification(Buffer.from(body)), undefined, body);
  }
  t.equal(maskNotification(Buffer.from(`unique_id=1${'&a=1'.repeat(1_000)}`))?.length, 200, 'bounded');
});
