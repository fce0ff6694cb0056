import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { senderOf } from './test/sender.js';

// Vectors of the reference libraries (github.com/standard-webhooks/standard-webhooks: libraries/javascript/src/webhook.test.ts and
// libraries/go/webhook_asymmetric_test.go).
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const AT_S = 1_614_265_330;
const BODY = '{"test": 2432232314}';
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const SEED = 'VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=';
const ASYMMETRIC =
  'v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==';

const headers = (signature: string, more: Readonly<Record<string, string>> = {}) => ({
  'webhook-id': ID,
  'webhook-timestamp': `${AT_S}`,
  'webhook-signature': signature,
  ...more,
});
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(SEED, 'base64')]),
  format: 'der',
  type: 'pkcs8',
});
const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
const PUBLIC_KEY = `whpk_${Buffer.from(x, 'base64url').toString('base64')}`;
const NOW = AT_S * 1000;

t.test('the published vectors', async (t) => {
  const byHmac = senderOf('standard-webhooks', [SECRET]);
  t.match(byHmac.accept(BODY, headers(SIGNATURE), NOW), [
    { provider: 'standard-webhooks', id: ID, dedupe: ID, key: `shop:${ID}`, type: '', body: BODY },
  ]);
  const byKey = senderOf('standard-webhooks', [PUBLIC_KEY]);
  t.match(byKey.accept(BODY, headers(ASYMMETRIC), NOW), [{ id: ID }]);
  const both = senderOf('standard-webhooks', [PUBLIC_KEY, SECRET]);
  for (const header of [
    SIGNATURE,
    ASYMMETRIC,
    `v1,AAAA v2,BBBB v1a,CCCC ${SIGNATURE}`,
    `${SIGNATURE} ${ASYMMETRIC}`,
  ]) {
    t.match(both.accept(BODY, headers(header), NOW), [{ id: ID }], header);
  }
  t.match(byHmac.recognise(BODY, headers(ASYMMETRIC), NOW), { outcome: 'forged' });
  t.match(byKey.recognise(BODY, headers(SIGNATURE), NOW), { outcome: 'forged' });
});

t.test('messages signed by the library', async (t) => {
  const body = '{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"c_1"}}';
  const signature = new Webhook(SECRET).sign(ID, new Date(NOW), body);
  const sender = senderOf('standard-webhooks', ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', SECRET]);
  t.match(sender.accept(body, headers(signature), NOW), [
    { type: 'contact.created', key: 'shop:c_1', dedupe: ID },
  ]);
  const svix = senderOf('standard-webhooks', [SECRET], { headers: 'svix' });
  const svixHeaders = { 'svix-id': ID, 'svix-timestamp': `${AT_S}`, 'svix-signature': signature };
  t.match(svix.accept(body, svixHeaders, NOW), [{ dedupe: ID }]);
  t.match(svix.recognise(body, headers(signature), NOW), { outcome: 'forged' });
});

t.test('id, time and body are all signed', async (t) => {
  for (const secret of [SECRET, PUBLIC_KEY]) {
    const sender = senderOf('standard-webhooks', [secret]);
    const signature = secret === SECRET ? SIGNATURE : ASYMMETRIC;
    const wrong: [string, Readonly<Record<string, string>>][] = [
      [`${BODY} `, headers(signature)],
      [BODY, headers(signature, { 'webhook-id': `${ID}x` })],
      [BODY, headers(signature, { 'webhook-id': '' })],
      [BODY, headers(signature, { 'webhook-timestamp': `${AT_S + 1}` })],
      [BODY, headers(signature, { 'webhook-timestamp': '' })],
      [BODY, headers('')],
      [BODY, headers(signature.replace(',', ''))],
      [BODY, headers(signature.slice(0, -4))],
      [BODY, headers('v1, v1a,')],
      [BODY, headers('v1,é v1a,é')],
    ];
    for (const [body, given] of wrong) {
      t.match(sender.recognise(body, given, NOW), { outcome: 'forged' }, JSON.stringify([body, given]));
    }
    t.match(sender.recognise(BODY, headers(signature), NOW + 301_000), { outcome: 'expired' });
    t.match(sender.recognise(BODY, headers(signature), NOW - 301_000), { outcome: 'expired' });
  }
});

t.test('a time that is signed and none', async (t) => {
  const time = 'yesterday';
  const signature = `v1a,${sign(null, Buffer.from(`${ID}.${time}.${BODY}`), privateKey).toString('base64')}`;
  const sender = senderOf('standard-webhooks', [PUBLIC_KEY]);
  t.match(sender.recognise(BODY, headers(signature, { 'webhook-timestamp': time }), NOW), {
    outcome: 'malformed',
    reason: 'header webhook-timestamp is no timestamp',
  });
});

t.test('secrets have a form', async (t) => {
  for (const secret of [
    'hunter2',
    'whsec_',
    'whsec_AAAA',
    'whsec_hunter2 hunter2',
    'whpk_AAAA',
    `whsk_${SEED}`,
    SEED,
    'whsec_é',
  ]) {
    const error = t.throws(() => senderOf('standard-webhooks', [secret]), { code: 'TETHER_GATEWAY_OPTION' });
    t.notMatch(`${error}`, 'hunter2');
  }
});
