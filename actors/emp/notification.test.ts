import fc from 'fast-check';
import t from 'tap';
import { EmpMalformedError } from './errors.js';
import { SIGNIFICANT_FIELDS } from './fields.js';
import { identify } from './keys.js';
import { parseNotification } from './notification.js';
import { legacyChargeback, VECTORS } from './test/vectors.js';

const parse = (body: string) => parseNotification(Buffer.from(body, 'latin1'));
const idOf = (body: string) => identify('emp', Buffer.from(body));
const malformed = { code: 'TETHER_EMP_MALFORMED', retryable: false };

t.test('a processing notification', async (t) => {
  const n = parse(VECTORS.declined);
  t.match(n, {
    kind: 'processing',
    signedId: '130319cfb3bf65ff3c4a4045487b173e',
    paymentId: '130319cfb3bf65ff3c4a4045487b173e',
    legacyChargeback: false,
    status: 'declined',
    event: '',
    reportedStatus: 'declined',
    transactionType: 'sdd_sale',
    transactionId: 'tether_1002_ab13',
    amountMinor: 4999,
    currency: 'EUR',
    rcCode: 'AM04',
  });
  t.equal(n.reasonCode, undefined);
  t.strictSame(n.fields[8], ['rc_description', 'Insufficient Funds'], 'unknown fields are kept');
  t.equal(n.fields.length, 10);
});

t.test('a payment page reports amount and type of the payment behind it', async (t) => {
  t.match(parse(VECTORS.wpf), {
    status: 'approved',
    reportedStatus: 'approved',
    amountMinor: 500,
    transactionType: 'sdd_sale',
    transactionId: 'mtid201104081447161135536962',
  });
});

t.test('the legacy chargeback belongs to the original, and is told apart by its own id', async (t) => {
  const body = legacyChargeback('c1', 'o1', 'AC04');
  t.match(parse(body), { legacyChargeback: true, reportedStatus: 'chargebacked', reasonCode: 'AC04' });
  t.strictSame(idOf(body), {
    kind: 'processing',
    signedId: 'c1',
    key: 'emp:o1',
    dedupe: 'processing:c1::approved',
  });
  t.throws(() => parse(legacyChargeback('c1', 'o\n1', 'AC04')), malformed);
});

t.test('kinds', async (t) => {
  t.equal(parse('unique_id=a&wpf_unique_id=b&reference_id=c').signedId, 'b');
  t.equal(parse('unique_id=a&reference_id=c').signedId, 'a');
  t.equal(parse('reference_id=c').kind, 'kyc');
  t.equal(parse('unique_id=a&wpf_unique_id=&notification_type=').kind, 'processing', 'empty is absent');
  t.equal(parse('unique_id=a&notification_type=something_new').kind, 'processing');
  t.equal(parse('notification_type=kyc_service_execution&unique_id=a&reference_id=c').signedId, 'c');
  t.equal(parse('%75nique%5Fid=a').signedId, 'a', 'names are decoded');
});

t.test('an event without a status says what happened', async (t) => {
  t.equal(parse('unique_id=a&event=chargeback_reversal').reportedStatus, 'chargeback_reversed');
  t.equal(parse('unique_id=a&event=retrieval_request').reportedStatus, '');
});

t.test('malformed', async (t) => {
  const bodies = [
    '',
    'foo=bar',
    'unique_id=',
    'notification_type=wpf&unique_id=a',
    'notification_type=apm_external_event&unique_id=a',
    'payment_transaction_unique_id=a',
    `unique_id=${'a'.repeat(256)}`,
    `unique_id=${'%C3%A9'.repeat(128)}`,
    'unique_id=a%00b',
    'unique_id=a%0Ab',
    'unique_id=a%7F',
    'unique_id=a%C2%85',
    'unique_id=a&status=app%00roved',
    `unique_id=a&event=${'e'.repeat(65)}`,
    'unique_id=a&status=%ff',
    'unique_id=a&status=\xfe',
    'unique_id=a%C3',
    '\x00\xff&&&==',
  ];
  for (const body of bodies) t.throws(() => parse(body), malformed, JSON.stringify(body.slice(0, 40)));
  t.equal(parse(`unique_id=${'a'.repeat(255)}`).signedId.length, 255);
  t.equal(parse(`unique_id=${'%C3%A9'.repeat(127)}`).signedId.length, 127);
  t.equal(parse('unique_id=a&status=%EF%BF%BD').status, '\ufffd', 'sent, not decoded to');
  t.equal(parse('unique_id=a&iban=%ff&note=\xff').iban, undefined, 'no field of identity');
});

t.test('no significant field is repeated, in any writing', async (t) => {
  for (const name of SIGNIFICANT_FIELDS) {
    const escaped = name.replace('_', '%5f').replace('e', '%65');
    t.throws(() => parse(`unique_id=a&reference_id=b&${name}=x&${escaped}=`), malformed, name);
  }
  t.equal(parse('unique_id=a&note=1&note=2').fields.length, 3, 'others may be');
});

t.test('an error quotes no value', async (t) => {
  try {
    parse('unique_id=secret%00value');
    t.fail('accepted');
  } catch (error) {
    t.ok(error instanceof EmpMalformedError);
    t.notMatch(String(error), /secret/);
  }
});

t.test('fields that make no sense are absent, and kept', async (t) => {
  for (const amount of ['', '-1', '1.5', '1e3', '0x10', ' 1', '9007199254740992', '1'.repeat(500), 'NaN']) {
    const n = parse(`unique_id=a&amount=${amount}&currency=EURO&transaction_id=%00&rc_code=%0A&iban=DE00`);
    t.equal(n.amountMinor, undefined, amount);
    t.equal(n.amountUnreadable, amount !== '', `${amount}: whether one was sent`);
    t.match(n, {
      currency: undefined,
      currencyUnreadable: true,
      transactionId: undefined,
      rcCode: undefined,
      iban: undefined,
    });
    t.equal(n.fields.find(([name]) => name === 'amount')?.[1], amount);
  }
  t.equal(parse('unique_id=a&amount=9007199254740991').amountMinor, Number.MAX_SAFE_INTEGER);
  t.equal(parse('unique_id=a&currency=eur').currency, 'EUR');
  for (const body of [VECTORS.approved, 'unique_id=a', 'wpf_unique_id=a&amount=abc&currency=EURO']) {
    t.match(parse(body), { amountUnreadable: false, currencyUnreadable: false }, body);
  }
  t.equal(
    parse('unique_id=a&bank_account_number=DE89+3704+0044+0532+0130+00').iban,
    'DE89370400440532013000',
  );
});

t.test('any bytes are a notification or malformed, nothing else', async () => {
  const name = fc.constantFrom(...SIGNIFICANT_FIELDS, 'other', 'unique%5fid');
  const piece = fc.oneof(name, fc.constantFrom('=', '&', '%', '%0', '%00', '\xff', '%ff', 'a', '1', ':'));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const body = Buffer.from(pieces.join(''), 'latin1');
      try {
        const n = parseNotification(body);
        return n.signedId !== '' && identify('e', body).key === `e:${n.paymentId}`;
      } catch (error) {
        return error instanceof EmpMalformedError;
      }
    }),
    { numRuns: 1000 },
  );
});
