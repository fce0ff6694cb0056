import fc from 'fast-check';
import { pack } from 'msgpackr';
import t from 'tap';
import { AsciiText } from './ascii-text.js';
import { decodeEnvelope, type Envelope, encodeAny, encodeEnvelope } from './envelope.js';

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
  for (const version of [0, -1, 1.5, '2', null]) {
    t.throws(() => decodeEnvelope(pack([version, 'a', 'b', 'c', 'd', 1, '', Buffer.alloc(1)])), refused);
  }
  t.throws(() => decodeEnvelope(pack([1, 'a', 'b', 'c', 'd', '1', '', Buffer.alloc(1)])), refused);
});

t.test('one of a later version is no outcast, whatever else it holds', async (t) => {
  const later = { code: 'TETHER_ENVELOPE_VERSION', outage: true };
  t.throws(() => decodeEnvelope(pack([2, 'a', 'b', 'c', 'd', 1, '', Buffer.alloc(1)])), later);
  t.throws(() => decodeEnvelope(pack([300, { id: 'a' }])), later);
});

t.test('the short way and msgpackr write the same bytes', async (t) => {
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.constantFrom(30, 31, 32, 33, 254, 255, 256, 257).map((length) => 'x'.repeat(length)),
  );
  const arbitrary = fc.record({
    id: text,
    actor: text,
    key: text,
    dedupe: text,
    receivedAt: fc.oneof(fc.nat(), fc.constantFrom(0xffff_ffff, 0x1_0000_0000, 1_700_000_000_123)),
    traceparent: text,
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(0, 255, 256, 65_535, 65_536).map((length) => new Uint8Array(length)),
    ),
  });
  fc.assert(
    fc.property(arbitrary, (envelope) => Buffer.compare(encodeEnvelope(envelope), encodeAny(envelope)) === 0),
    { numRuns: 2_000 },
  );
  t.same(encodeEnvelope(envelope), encodeAny(envelope));
});

t.test('keys that are bytes', async (t) => {
  for (const length of [0, 31, 32, 255, 256]) {
    const word = 'k'.repeat(length);
    const text = new AsciiText(600);
    text.append(Buffer.from(`--${word}--`), 2, 2 + length);
    t.equal(`${text}`, word);
    const wanted = encodeAny({ ...envelope, key: word, dedupe: word });
    t.same(encodeEnvelope({ ...envelope, key: text, dedupe: text }), wanted);
    text.length = 0;
    text.append(Buffer.from('another'), 0, 7);
    t.equal(`${text}`, 'another');
  }
});

t.test('envelopes of any size, one after another, do not disturb each other', async (t) => {
  const encoded = Array.from({ length: 400 }, (_, i) => {
    const made = { ...envelope, key: `key-${i}`, payload: new Uint8Array((i * 977) % 66_000).fill(i) };
    return { made, bytes: encodeEnvelope(made) };
  });
  for (const { made, bytes } of encoded) {
    if (Buffer.compare(bytes, encodeAny(made)) !== 0) t.fail(made.key);
  }
});
