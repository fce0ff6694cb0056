import t from 'tap';
import type { RawMessage } from '../../runtime/message.js';
import { identify } from '../emp/keys.js';
import { parseNotification } from '../emp/notification.js';
import { legacyChargeback, VECTORS } from '../emp/test/vectors.js';
import { decide, type Incoming, type Payment } from './decide.js';

const CODES = new Set(['AC04']);
let serial = 0;

function incoming(body: string): Incoming {
  const payload = Buffer.from(body);
  const { key, dedupe } = identify('emp', payload);
  const message: RawMessage = {
    id: `message-${++serial}`,
    key,
    dedupe,
    receivedAt: 1000 + serial,
    traceparent: '',
    payload,
    attempt: 1,
  };
  return { message, endpoint: 'emp', notification: parseNotification(payload) };
}

function payment(over: Partial<Payment>): ReadonlyMap<string, Payment> {
  const made: Payment = {
    endpoint: 'emp',
    id: 'a',
    status: 'approved',
    amount: 4999,
    currency: 'EUR',
    transactionId: 'tether_1',
    transactionType: 'sdd_sale',
    version: 3,
    ...over,
  };
  return new Map([[`emp:${made.id}`, made]]);
}

t.test('the documented notifications', async (t) => {
  const effects = decide(Object.values(VECTORS).map(incoming), new Map(), CODES);
  t.strictSame(
    effects.events.map(({ incoming, status }) => [incoming.notification.kind, status]),
    [
      ['processing', 'applied'],
      ['processing', 'applied'],
      ['processing', 'applied'],
      ['processing', 'applied'],
      ['wpf', 'applied'],
      ['apm', 'recorded'],
      ['kyc', 'recorded'],
    ],
  );
  t.equal(effects.payments.length, 4);
  t.match(effects.payments[0], {
    payment: { status: 'chargebacked', amount: 4999, version: 1 },
    history: [{ status: 'approved' }, { status: 'chargebacked', event: 'chargeback' }],
  });
  t.strictSame(effects.blacklist, [], 'MD06 is not on the list');
});

t.test('a late message is stale and changes nothing', async (t) => {
  const stored = payment({ status: 'chargebacked' });
  const effects = decide([incoming('unique_id=a&status=approved&amount=1')], stored, CODES);
  t.equal(effects.events[0]?.status, 'stale');
  t.strictSame(effects.payments, []);
});

t.test('unknown statuses, retrieval requests and repeats of a status are recorded', async (t) => {
  for (const rest of [
    'status=wonderful',
    'status=approved&event=odd',
    'event=retrieval_request&status=voided',
    '',
  ]) {
    const effects = decide([incoming(`unique_id=a&${rest}`)], payment({}), CODES);
    t.equal(effects.events[0]?.status, 'recorded', rest);
    t.strictSame(effects.payments, [], rest);
  }
});

t.test('what is known of a payment', async (t) => {
  const partial = 'unique_id=a&status=approved&amount=3000&transaction_type=sdd_sale';
  t.match(decide([incoming(partial)], payment({ status: 'pending_async' }), CODES).payments[0]?.payment, {
    amount: 3000,
    currency: 'EUR',
    transactionId: 'tether_1',
    version: 4,
  });
  const refund = 'unique_id=a&status=refunded&amount=100&transaction_type=sdd_refund&currency=CHF';
  t.match(decide([incoming(refund)], payment({ currency: undefined }), CODES).payments[0]?.payment, {
    status: 'refunded',
    amount: 4999,
    currency: 'CHF',
    transactionType: 'sdd_sale',
  });
});

t.test('a legacy chargeback moves the original and leaves its facts alone', async (t) => {
  const body = legacyChargeback('c', 'a', 'AC04');
  const effects = decide([incoming(body)], payment({}), CODES);
  t.match(effects.payments, [
    {
      payment: {
        id: 'a',
        status: 'chargebacked',
        amount: 4999,
        transactionType: 'sdd_sale',
        transactionId: 'tether_1',
      },
    },
  ]);
  t.match(effects.blacklist, [{ paymentId: 'a', transactionId: 'tether_1', reasonCode: 'AC04' }]);
  t.equal(decide([incoming(body)], new Map(), CODES).payments[0]?.payment.transactionType, undefined);
});

t.test('who gets on the blacklist', async (t) => {
  const listed = (rest: string, status: string) =>
    decide([incoming(`unique_id=a&${rest}`)], payment({ status }), CODES).blacklist.length;
  t.equal(listed('status=chargebacked&rc_code=AC04', 'approved'), 1);
  t.equal(listed('status=chargebacked&reason_code=AC04&rc_code=00', 'approved'), 1);
  t.equal(listed('event=chargeback&rc_code=AC04', 'approved'), 1);
  t.equal(listed('status=chargebacked&rc_code=AC04', 'second_chargebacked'), 1, 'late or not');
  t.equal(listed('status=chargebacked&rc_code=MD06', 'approved'), 0);
  t.equal(listed('status=declined&rc_code=AC04', 'pending'), 0, 'a decline is no chargeback');
});

t.test('one batch, one write for a payment', async (t) => {
  const walk = ['pending_async', 'approved', 'chargebacked', 'approved', 'represented', 'chargebacked'];
  const effects = decide(
    walk.map((status) => incoming(`unique_id=a&status=${status}`)),
    payment({ status: 'new' }),
    CODES,
  );
  t.strictSame(
    effects.events.map(({ status }) => status),
    ['applied', 'applied', 'applied', 'stale', 'applied', 'applied'],
  );
  t.equal(effects.payments.length, 1);
  t.equal(effects.payments[0]?.payment.version, 4);
  t.equal(effects.payments[0]?.history.length, 5);
});
