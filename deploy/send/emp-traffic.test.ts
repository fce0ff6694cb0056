import { createHash } from 'node:crypto';
import t from 'tap';
import { identify } from '../../actors/emp/index.js';
import { parseIban } from '../../actors/iban.js';
import { EMP_KINDS, type EmpNotification, empSignature, empTraffic } from './emp-traffic.js';

const password = 'test-api-password-1';
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
t.comment(`SEED=${seed}`);

const ID_FIELD = {
  processing: 'unique_id',
  wpf: 'wpf_unique_id',
  kyc: 'reference_id',
  apm: 'payment_transaction_unique_id',
};

t.test('the signature is that of the protocol', async (t) => {
  t.equal(
    empSignature('fc6c3c8c0219730c7a099eaa540f70dc', 'bogus', 'sha1'),
    '08d01ae1ebdc22b6a1a764257819bb26e9e94e8d',
  );
  t.equal(
    empSignature('130319cfb3bf65ff3c4a4045487b173e', 'test123', 'sha1'),
    '1b34dabed996788efcc049567809484454ee8b17',
  );
  t.equal(
    empSignature('1912', password, 'sha512'),
    'f80fa8b812313026e2ed230317230d9f7a68ab26e20ef722e223250742d4a5863135a501c27d9aaabbf988003e81b089b1b9bcc19412e1370bd80b93f6a08ea6',
  );
});

t.test('a prefix stands before every signed id, and changes nothing else', async (t) => {
  const of = (prefix: string) => [...empTraffic({ seed, count: 500, duplicates: 0.1, password, prefix })];
  const plain = of('');
  const marked = of('tune-x-');
  t.strictSame(
    marked.map(({ signedId, paymentId, kind, index }) => [signedId, paymentId, kind, index]),
    plain.map(({ signedId, paymentId, kind, index }) => [
      `tune-x-${signedId}`,
      `tune-x-${paymentId}`,
      kind,
      index,
    ]),
  );
  for (const { body, dedupe, kind, signedId, paymentId } of marked.slice(0, 100)) {
    const found = identify('emp', Buffer.from(body));
    t.match(found, { kind, signedId, key: `emp:${paymentId}`, dedupe }, 'the service sees it so');
  }
  for (const prefix of ['a:b', 'a b', 'x'.repeat(65), 'ä']) {
    t.throws(() => [...empTraffic({ seed, count: 1, password, prefix })], RangeError, prefix);
  }
});

t.test('every body is what it says, and signed', async (t) => {
  const wrong: string[] = [];
  const seen = new Map<string, number>();
  for (const message of empTraffic({ seed, count: 5000, duplicates: 0.1, password })) {
    const form = new URLSearchParams(message.body);
    const signature = form.get('signature') ?? '';
    const algorithm = { 40: 'sha1', 64: 'sha256', 128: 'sha512' }[signature.length] ?? 'none';
    const id = form.get(ID_FIELD[message.kind]);
    const status = form.get(message.kind === 'wpf' ? 'wpf_status' : 'status') ?? '';
    const names = [...form.keys()];
    const right =
      id === message.signedId &&
      message.echo.id === id &&
      status === message.status &&
      (form.get('event') ?? '') === message.event &&
      new Set(names).size === names.length &&
      message.body.length < 700 &&
      createHash(algorithm)
        .update(id + password)
        .digest('hex') === signature &&
      message.paymentId === (form.get('original_transaction_unique_id') ?? id);
    if (!right) wrong.push(message.body);
    const kind = `${message.kind}/${message.event}/${status}${message.paymentId === id ? '' : '/legacy'}`;
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  t.strictSame(wrong, []);
  for (const kind of [
    'processing//pending_async',
    'processing//approved',
    'processing//declined',
    'processing/chargeback/chargebacked',
    'processing//approved/legacy',
    'processing/retrieval_request/approved',
    'wpf//approved',
    'kyc//',
    'apm//',
  ]) {
    t.ok(seen.get(kind), kind);
  }
});

t.test('a seed decides everything', async (t) => {
  const options = { seed, count: 300, duplicates: 0.2, password };
  const bodies = (from: number) => [...empTraffic({ ...options, seed: from })].map(({ body }) => body);
  t.strictSame(bodies(seed), bodies(seed));
  t.notSame(bodies(seed), bodies((seed + 1) % 2 ** 32));
});

t.test('repeats are exact in number and in content; all others differ', async (t) => {
  const all = [...empTraffic({ seed, count: 2000, duplicates: 0.1, password })];
  const repeats = all.filter((message) => message.repeats !== undefined);
  t.equal(repeats.length, 200);
  for (const repeat of repeats) {
    const original = all[repeat.repeats ?? -1];
    if (
      original?.body !== repeat.body ||
      original.dedupe !== repeat.dedupe ||
      original.index >= repeat.index
    ) {
      t.fail(`delivery ${repeat.index} is no repeat of ${repeat.repeats}`);
    }
  }
  t.equal(new Set(all.map(({ body }) => body)).size, 1800);
  t.equal(new Set(all.map(({ dedupe }) => dedupe)).size, 1800);
  t.ok(
    repeats.some((repeat) => repeat.index - (repeat.repeats ?? 0) > 100),
    'some come long after it',
  );
  t.ok(
    repeats.some((repeat) => all[repeat.index - 1]?.index === repeat.repeats),
    'some follow their original at once',
  );
});

t.test('a payment moves forward', async (t) => {
  const order = ['pending_async', 'approved', 'declined', 'chargebacked', 'chargeback_reversed'];
  const last = new Map<string, number>();
  const backward: EmpNotification[] = [];
  for (const message of empTraffic({ seed, count: 3000, password, kinds: ['processing'] })) {
    if (message.signedId !== message.paymentId || message.event === 'retrieval_request') continue;
    const rank = order.indexOf(message.status);
    if (rank <= (last.get(message.paymentId) ?? -1)) backward.push(message);
    last.set(message.paymentId, rank);
  }
  t.strictSame(backward, []);
});

t.test('edges', async (t) => {
  const count = (n: number, duplicates: number) =>
    [...empTraffic({ seed, count: n, duplicates, password })].length;
  t.equal(count(0, 0), 0);
  t.equal(count(1, 0.99), 1);
  t.equal(count(100, 0.99), 100);
  for (const kind of EMP_KINDS) {
    const [first] = empTraffic({ seed, count: Number.POSITIVE_INFINITY, password, kinds: [kind] });
    t.equal(first?.kind, kind);
  }
  t.throws(() => count(1, 1), RangeError);
  t.throws(() => count(1, Number.NaN), RangeError);
  t.throws(() => count(Number.NaN, 0), RangeError);
  t.throws(() => [...empTraffic({ seed, count: 1, password, kinds: [] })], RangeError);
});

t.test('the service sees what the generator says', async (t) => {
  const different: string[] = [];
  for (const message of empTraffic({ seed, count: 2000, password })) {
    const { key, dedupe } = identify('emp', Buffer.from(message.body));
    const iban = new URLSearchParams(message.body).get('iban');
    if (key !== `emp:${message.paymentId}` || dedupe !== message.dedupe) different.push(message.body);
    if (iban !== null && parseIban(iban) !== iban) different.push(iban);
  }
  t.strictSame(different, []);
});
