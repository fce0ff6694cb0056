import { createHash } from 'node:crypto';
import t from 'tap';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { echoOf, eventOf, verifiedId } from './notification.js';

const PASSWORD = 'made-up';

function signed(algorithm: string, id: string): string {
  const signature = createHash(algorithm).update(`${id}${PASSWORD}`).digest('hex');
  return new URLSearchParams({ unique_id: id, signature }).toString();
}

t.test('a signature of each length is taken, and no other', async (t) => {
  for (const algorithm of ['sha1', 'sha256', 'sha512'])
    t.equal(verifiedId(signed(algorithm, 'a1'), PASSWORD), 'a1', algorithm);
  t.equal(verifiedId(signed('sha1', 'a1'), 'another'), undefined);
  t.equal(verifiedId(signed('sha1', 'a1').replace('a1', 'a2'), PASSWORD), undefined);
  t.equal(verifiedId('unique_id=a1&signature=00', PASSWORD), undefined);
  t.equal(verifiedId('unique_id=a1', PASSWORD), undefined);
});

t.test('the traffic of the benchmarks is accepted, and gives as many distinct rows', async (t) => {
  const dedupes = new Set<string>();
  for (const { body, signedId, paymentId, status } of empTraffic({
    seed: 7,
    count: 300,
    password: PASSWORD,
    kinds: ['processing'],
  })) {
    t.equal(verifiedId(body, PASSWORD), signedId);
    const event = eventOf(body);
    t.strictSame([event.id, event.status], [paymentId, status]);
    dedupes.add(event.dedupe);
  }
  t.equal(dedupes.size, 300);
});

t.test('amount and currency', async (t) => {
  t.strictSame(eventOf('unique_id=a&status=approved&amount=4999&currency=EUR&event=x'), {
    dedupe: 'a:x:approved',
    id: 'a',
    status: 'approved',
    amount: 4_999,
    currency: 'EUR',
  });
  t.strictSame(eventOf('wpf_unique_id=b&wpf_status=declined'), {
    dedupe: 'b::declined',
    id: 'b',
    status: 'declined',
    amount: 0,
    currency: null,
  });
});

t.test('the echo', async (t) => {
  t.match(
    echoOf('a1'),
    /^<\?xml .*\n<notification_echo>\n {2}<unique_id>a1<\/unique_id>\n<\/notification_echo>$/,
  );
});
