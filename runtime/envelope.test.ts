import { pack } from 'msgpackr';
import t from 'tap';
import { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.js';

const envelope: Envelope = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  actor: 'payment',
  key: 'emp:44177a21403427eb96664a6d7e5d5d48',
  dedupe: 'processing:44177a21403427eb96664a6d7e5d5d48::approved',
  receivedAt: 1_700_000_000_123,
  traceparent: '',
  payload: Buffer.from('unique_id=44177a21403427eb96664a6d7e5d5d48&status=approved'),
};

t.test('what was encoded comes back', async (t) => {
  const back = decodeEnvelope(encodeEnvelope(envelope));
  t.strictSame({ ...back, payload: Buffer.from(back.payload) }, envelope);
});

t.test('an encoded envelope survives later ones', async (t) => {
  const first = encodeEnvelope(envelope);
  for (let i = 0; i < 100; i++) encodeEnvelope({ ...envelope, id: `other-${i}` });
  t.equal(decodeEnvelope(first).id, envelope.id);
});

t.test('bytes that are no envelope are refused', async (t) => {
  const refused = { code: 'TETHER_ENVELOPE_MALFORMED' };
  t.throws(() => decodeEnvelope(new Uint8Array()), refused);
  t.throws(() => decodeEnvelope(encodeEnvelope(envelope).subarray(0, 30)), refused);
  t.throws(() => decodeEnvelope(pack([2, 'a', 'b', 'c', 'd', 1, '', Buffer.alloc(1)])), refused);
  t.throws(() => decodeEnvelope(pack([1, 'a', 'b', 'c', 'd', '1', '', Buffer.alloc(1)])), refused);
});
