import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import {
  decodeForm,
  EmpMalformedError,
  IDENTITY_FIELDS,
  type Identity,
  identify,
  SIGNIFICANT_FIELDS,
} from '../../../actors/emp/index.js';
import { legacyChargeback, VECTORS } from '../../../actors/emp/test/vectors.js';
import { testSeed } from '../../test/seed.js';
import { EmpProvider } from './provider.js';

const PASSWORD = 'test-api-password-1';
const provider = new EmpProvider({ endpoint: 'emp', secrets: ['an older one', PASSWORD] });

const LEGACY = 'transaction_type=chargeback&original_transaction_unique_id';

const sign = (id: string, password = PASSWORD) =>
  createHash('sha1')
    .update(id + password)
    .digest('hex');

function accepted(body: string | Uint8Array): { key: string; dedupe: string; answer: string } {
  const verdict = provider.recognise(Buffer.from(body));
  if (verdict.outcome !== 'accepted') throw new Error(`${verdict.outcome}: ${verdict.reason}`);
  const { key, dedupe, answer } = verdict;
  return { key: `${key}`, dedupe: `${dedupe}`, answer: Buffer.from(answer).toString() };
}

function identityOf(body: Uint8Array): Identity | undefined {
  try {
    return identify('emp', body);
  } catch (error) {
    if (error instanceof EmpMalformedError) return undefined;
    throw error;
  }
}

t.test('the documented notifications', async (t) => {
  for (const [name, body] of Object.entries(VECTORS)) {
    const { key, dedupe } = identify('emp', Buffer.from(body));
    const { key: foundKey, dedupe: foundDedupe } = accepted(body);
    t.same([foundKey, foundDedupe], [key, dedupe], name);
  }
  t.equal(
    accepted(VECTORS.approved).dedupe,
    'processing:44177a21403427eb96664a6d7e5d5d48::approved',
    'the form of the idempotency key',
  );
});

t.test('the echo of each kind', async (t) => {
  t.equal(
    accepted(VECTORS.approved).answer,
    '<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n' +
      '  <unique_id>44177a21403427eb96664a6d7e5d5d48</unique_id>\n</notification_echo>\n',
  );
  t.match(accepted(VECTORS.wpf).answer, '<wpf_unique_id>26aa150ee68b1b2d6758a0e6c44fce4c</wpf_unique_id>');
  t.match(accepted(VECTORS.kyc).answer, '<reference_id>1912</reference_id>');
  t.match(accepted(VECTORS.apm).answer, '<unique_id>64216236bced683952325b6698b3954a</unique_id>');
});

t.test('an id is escaped in the echo', async (t) => {
  const id = `<a href="x">&'`;
  const body = new URLSearchParams({ unique_id: id, signature: sign(id) }).toString();
  t.match(accepted(body).answer, '<unique_id>&lt;a href=&quot;x&quot;&gt;&amp;&apos;</unique_id>');
});

t.test('a legacy chargeback has the key of its original', async (t) => {
  const body = `${legacyChargeback('aa01', 'bb02', 'MD06')}&signature=${sign('aa01')}`;
  t.match(accepted(body), { key: 'emp:bb02', dedupe: 'processing:aa01::approved' });
});

t.test('a signature that is not of the signed id is forged', async (t) => {
  for (const [name, body] of Object.entries(VECTORS)) {
    const forged = body.replace(/(signature=)(.)/, (_, head, digit) => head + (digit === '0' ? '1' : '0'));
    t.match(provider.recognise(Buffer.from(forged)), { outcome: 'forged' }, name);
  }
  for (const signature of ['0', 'f'.repeat(39), 'f'.repeat(41), 'g'.repeat(40), sign('id', 'another')]) {
    t.match(provider.recognise(Buffer.from(`unique_id=id&signature=${signature}`)), { outcome: 'forged' });
  }
  const older = Buffer.from(`unique_id=id&signature=${sign('id', 'an older one')}`);
  t.match(provider.recognise(older), { outcome: 'accepted' }, 'an older password');
});

t.test('what nobody could read is malformed', async (t) => {
  const signed = `unique_id=id&signature=${sign('id')}`;
  const bodies = {
    nothing: '',
    'no id': `signature=${sign('')}`,
    'empty id': `unique_id=&signature=${sign('')}`,
    'no signature': 'unique_id=id',
    'an id too long': `unique_id=${'a'.repeat(256)}&signature=${sign('a'.repeat(256))}`,
    'a control character': `unique_id=a%00&signature=${sign('a\0')}`,
    'a status too long': `${signed}&status=${'a'.repeat(65)}`,
    'an original id too long': `${signed}&${LEGACY}=${'a'.repeat(256)}`,
    'a control character in the original id': `${signed}&${LEGACY}=a%7f`,
    'a type without its id': `${signed}&notification_type=wpf`,
    json: '{"unique_id":"id"}',
  };
  for (const [name, body] of Object.entries(bodies)) {
    t.match(provider.recognise(Buffer.from(body)), { outcome: 'malformed' }, name);
  }
  for (const name of SIGNIFICANT_FIELDS) {
    const repeats = [`${name}=a&${name}=b`, `${name}&${name}`, `${name}=a&%${hex(name)}${name.slice(1)}=a`];
    for (const repeat of repeats) {
      t.match(
        provider.recognise(Buffer.from(repeat)),
        { outcome: 'malformed', reason: `field ${name} is repeated` },
        repeat,
      );
    }
  }
});

t.test('bytes that are not UTF-8 cannot be told apart, so they are in no field of identity', async (t) => {
  const signed = `unique_id=id&signature=${sign('id')}`;
  const recognise = (more: string) => provider.recognise(Buffer.from(`${signed}&${more}`, 'latin1'));
  for (const name of IDENTITY_FIELDS.filter((name) => name !== 'unique_id' && name !== 'signature')) {
    for (const value of ['%ff', '\xfe', 'a%C3', '%C3+', '\xed\xa0\x80', '%EF%BF%BD%ff']) {
      t.match(
        recognise(`${name}=${value}`),
        { outcome: 'malformed', reason: `field ${name} is not UTF-8` },
        `${name}=${value}`,
      );
    }
  }
  t.match(recognise('note=%ff&iban=\xff'), { outcome: 'accepted' }, 'in others they may be');

  const statuses = ['%EF%BF%BD', '%C3%A9', '\xc3%A9', '\xe2\x82\xac', '%EF%BF%BD+'];
  const keys = statuses.map((status) => {
    const body = Buffer.from(`${signed}&status=${status}`, 'latin1');
    const verdict = provider.recognise(body);
    const dedupe = verdict.outcome === 'accepted' ? `${verdict.dedupe}` : verdict.reason;
    t.equal(dedupe, identify('emp', body).dedupe, status);
    return dedupe;
  });
  t.equal(new Set(keys).size, statuses.length - 1, 'the same text has the same key, however it was written');
});

t.test('a body of 64 KiB is scanned in a time that grows with its length only', async (t) => {
  for (const piece of [
    '&',
    'a&',
    '=&',
    '%&',
    '%zz&',
    '+=%25&',
    'status',
    '%73tatu&',
    '\u00ff',
    'wpf_statut&',
    'status=%ff',
    'status=\u00c3\u00a9%C3%A9&',
  ]) {
    const body = Buffer.from(piece.repeat(Math.floor(65_536 / piece.length)));
    // The best of several: the machine may be busy with something else.
    const times = [1, 2, 3, 4, 5].map(() => {
      const start = performance.now();
      provider.recognise(body);
      return performance.now() - start;
    });
    t.ok(Math.min(...times) < 25, `${JSON.stringify(piece)}: ${Math.min(...times).toFixed(1)} ms`);
  }
});

t.test('the scanner and the full parser understand every body alike', async (t) => {
  const seed = testSeed();
  t.comment(`SEED=${seed}`);
  let understood = 0;
  fc.assert(
    fc.property(fc.oneof(randomForm(), mutatedVector()), (unsigned) => {
      const identity = identityOf(unsigned);
      if (identity === undefined) return signedAnyhow(unsigned).every((body) => !isAccepted(body));
      const body = withSignature(unsigned, identity.signedId);
      const verdict = provider.recognise(body);
      const expected = identityOf(body);
      if (expected === undefined) return verdict.outcome === 'malformed';
      if (verdict.outcome !== 'accepted') return false;
      understood++;
      return `${verdict.key}` === expected.key && `${verdict.dedupe}` === expected.dedupe;
    }),
    { seed, numRuns: 20_000 },
  );
  t.ok(understood > 4000, `${understood} bodies were understood by both`);
});

const hex = (name: string) => name.charCodeAt(0).toString(16);

const isAccepted = (body: Buffer) => provider.recognise(body).outcome === 'accepted';

function withSignature(unsigned: Uint8Array, signedId: string): Buffer {
  return Buffer.concat([unsigned, Buffer.from(`&signature=${sign(signedId)}`)]);
}

/** A body that the full parser refuses, signed for each value in it that could be taken for the signed id. */
function signedAnyhow(unsigned: Uint8Array): Buffer[] {
  const ids = decodeForm(unsigned).flatMap(([name, value]) => (name.endsWith('_id') ? [value] : []));
  return [...new Set(ids)].map((id) => withSignature(unsigned, id));
}

function randomForm(): fc.Arbitrary<Uint8Array> {
  const idNames = ['unique_id', 'wpf_unique_id', 'reference_id', 'payment_transaction_unique_id'];
  const plainName = fc.oneof(
    fc.constantFrom(...idNames),
    fc.constantFrom(...SIGNIFICANT_FIELDS.filter((name) => name !== 'signature')),
    fc.constantFrom(
      '',
      'Unique_id',
      'unique_idx',
      'xunique_id',
      ' status',
      'status\0',
      '\ufeffstatus',
      'note',
    ),
  );
  const value = fc.oneof(
    fc.constantFrom(
      '',
      'wpf',
      'kyc_service_execution',
      'apm_external_event',
      'other',
      'chargeback',
      'approved',
    ),
    fc.constantFrom(
      'retrieval_request',
      'a:b',
      '%',
      '%4',
      '%zz',
      '%41',
      '%C3%A9',
      '%c3',
      '%00',
      '+',
      'a+b',
      '=',
    ),
    fc.constantFrom(
      '\u00c3%A9',
      '\u00ff',
      '%EF%BB%BFx',
      '%EF%BF%BD',
      '%ff',
      '%E2%82',
      '\u00e2\u0082\u00ac',
      '%C2%85',
      '\u00c2\u0085',
    ),
    fc.stringMatching(/^[0-9a-f]{32}$/),
    fc.integer({ min: 60, max: 90 }).map((length) => '\u00c3\u00a9'.repeat(length)),
    fc.integer({ min: 250, max: 260 }).map((length) => 'a'.repeat(length)),
    fc.string({ unit: 'binary-ascii', maxLength: 8 }),
  );
  const field = fc
    .tuple(plainName, value, fc.constantFrom('=', '=', '=', '=', '==', ''), fc.nat(40))
    .map(([name, value, equals, at]) => `${escapedAt(name, at)}${equals}${value}`);
  return fc
    .tuple(fc.array(field, { maxLength: 7 }), fc.constantFrom('&', '&', '&', '&&', ';'))
    .map(([fields, separator]) => Buffer.from(fields.join(separator), 'latin1'));
}

/** Now and then percent-encodes one character of a name. */
function escapedAt(name: string, at: number): string {
  if (at >= name.length) return Buffer.from(name).toString('latin1');
  const code = Buffer.from(name.slice(at, at + 1))
    .toString('hex')
    .replace(/../g, '%$&');
  return name.slice(0, at) + code + name.slice(at + 1);
}

function mutatedVector(): fc.Arbitrary<Uint8Array> {
  const legacy = legacyChargeback('aa01', 'bb02', 'MD06');
  const bodies = [...Object.values(VECTORS), legacy].map((body) => body.replace(/&?signature=[^&]*/, ''));
  const insert = fc.constantFrom(
    '',
    '&',
    '=',
    '%',
    '+',
    '%26',
    '%3D',
    '\u0000',
    '\u00e9',
    '&status=x',
    '&event=y',
  );
  const mutation = fc.tuple(fc.nat(600), fc.nat(3), insert);
  return fc
    .tuple(fc.constantFrom(...bodies), fc.array(mutation, { maxLength: 4 }))
    .map(([body, mutations]) => {
      let mutated = body;
      for (const [position, removed, inserted] of mutations) {
        const at = position % (mutated.length + 1);
        mutated = mutated.slice(0, at) + inserted + mutated.slice(at + removed);
      }
      return Buffer.from(mutated, 'latin1');
    });
}
