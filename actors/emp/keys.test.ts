import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { VECTORS } from './fixtures.js';
import { actorKey, bodyDigest, dedupeKey, identify } from './keys.js';

const idOf = (body: string) => identify('emp', Buffer.from(body));

t.test('the keys of every kind', async (t) => {
  const digest = (body: string) => createHash('sha256').update(body).digest('hex').slice(0, 32);
  t.strictSame(idOf(VECTORS.chargebacked), {
    kind: 'processing',
    signedId: '44177a21403427eb96664a6d7e5d5d48',
    key: 'emp:44177a21403427eb96664a6d7e5d5d48',
    dedupe: 'processing:44177a21403427eb96664a6d7e5d5d48:chargeback:chargebacked',
  });
  t.strictSame(idOf(VECTORS.wpf), {
    kind: 'wpf',
    signedId: '26aa150ee68b1b2d6758a0e6c44fce4c',
    key: 'emp:26aa150ee68b1b2d6758a0e6c44fce4c',
    dedupe: 'wpf:26aa150ee68b1b2d6758a0e6c44fce4c::approved',
  });
  t.strictSame(idOf(VECTORS.apm), {
    kind: 'apm',
    signedId: '64216236bced683952325b6698b3954a',
    key: 'emp:64216236bced683952325b6698b3954a',
    dedupe: `apm:64216236bced683952325b6698b3954a:::${digest(VECTORS.apm)}`,
  });
  t.strictSame(idOf(VECTORS.kyc), {
    kind: 'kyc',
    signedId: '1912',
    key: 'emp:1912',
    dedupe: `kyc:1912:::${digest(VECTORS.kyc)}`,
  });
  const retrieval = 'unique_id=a1&status=approved&event=retrieval_request&reason_code=6305';
  t.equal(idOf(retrieval).dedupe, `processing:a1:retrieval_request:approved:${digest(retrieval)}`);
});

t.test('deduplication keys are equal only where their parts are', async () => {
  const part = fc.string({ unit: fc.constantFrom('a', ':', '%', '3', 'A', '5', '2'), maxLength: 6 });
  const parts = fc.record({
    kind: fc.constantFrom('processing' as const, 'wpf' as const),
    signedId: part,
    event: part,
    status: part,
  });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = dedupeKey(a, '') === dedupeKey(b, '');
      return same === (JSON.stringify(a) === JSON.stringify(b));
    }),
  );
  t.equal(bodyDigest(Buffer.from('')).length, 32);
  t.equal(actorKey('emp', { paymentId: 'a:b' }), 'emp:a:b');
});
