/** What all providers promise of requests by people who know no secret. */
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { PROVIDERS } from './registry.js';
import { senderOf } from './test/sender.js';

const seed = testSeed(t);

/** One endpoint of each provider that checks something. */
const SETUPS: Readonly<
  Record<string, readonly [secrets: readonly string[], options?: Readonly<Record<string, unknown>>]>
> = {
  emp: [['hush']],
  'standard-webhooks': [
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', `whpk_${Buffer.alloc(32, 1).toString('base64')}`],
  ],
  stripe: [['whsec_hush']],
  github: [['hush']],
  shopify: [['hush']],
  slack: [['hush']],
  adyen: [['0'.repeat(64)]],
  gocardless: [['hush']],
  hmac: [
    ['hush'],
    { signature: 'header:x-sign', item: 'v1', timestamp: 'item:t', signed: '{timestamp}.{body}' },
  ],
  basic: [['hush:hush']],
  'api-key': [['hush']],
};
const senders = Object.entries(SETUPS).map(([name, [secrets, options]]) => senderOf(name, secrets, options));

const MARK = 'qUoTeD';
const header = fc.oneof(
  fc.constantFrom(
    '',
    MARK,
    `t=1,v1=${MARK}`,
    'v0=',
    'sha256=',
    `v1,${MARK} v1a,${'A'.repeat(86)}==`,
    'Basic Og==',
    '1760000000',
  ),
  fc.string({
    unit: fc.constantFrom('t', 'v', '1', '=', ',', ' ', '\0', 'é', '\ud800', '\ufffd'),
    maxLength: 60,
  }),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((json) => Buffer.from(json)),
  fc.constantFrom(
    ...[
      '{"__proto__":{"polluted":1},"type":"url_verification","challenge":"x"}',
      '{"notificationItems":[{"NotificationRequestItem":{"__proto__":null,"additionalData":{"hmacSignature":"x"}}}]}',
      `{"events":[{"id":"${MARK}"}]}`,
      '['.repeat(65_536),
      `${'{"a":'.repeat(13_000)}`,
      `unique_id=${MARK}&signature=${'0'.repeat(40)}`,
    ].map((text) => Buffer.from(text)),
  ),
);

t.test('every provider is here, or asks for nothing', async (t) => {
  t.same([...Object.keys(SETUPS), 'none'].sort(), [...PROVIDERS.keys()].sort());
});

t.test('whatever comes is refused: no error, no value in the reason', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...senders),
      fc.array(header, { minLength: 4, maxLength: 8 }),
      body,
      (sender, values, bytes) => {
        const verdict = sender.provider.recognise(bytes, values, 1_760_000_000_000);
        if (verdict.outcome !== 'forged' && verdict.outcome !== 'malformed') throw new Error(verdict.outcome);
        if (verdict.reason.includes(MARK)) throw new Error(verdict.reason);
      },
    ),
    { seed, numRuns: 3000 },
  );
  t.equal(Reflect.get({}, 'polluted'), undefined);
});

t.test('of what is not signed nobody is told more than that', async (t) => {
  for (const [name, [secrets, options]] of Object.entries(SETUPS)) {
    if (name === 'emp' || name === 'adyen') continue;
    const sender = senderOf(name, secrets, options);
    for (const text of ['', 'no json', '{}', '{"type":"url_verification","challenge":"x"}']) {
      t.match(sender.recognise(text, {}, 0), { outcome: 'forged' }, `${name}: ${text}`);
    }
  }
});

t.test('a large body and many secrets take no long time', async (t) => {
  const large = Buffer.from(`{"events":[${'{"id":"x"},'.repeat(5000)}{}]}`);
  const secrets = Array.from({ length: 16 }, (_, i) => `whpk_${Buffer.alloc(32, i + 1).toString('base64')}`);
  const sender = senderOf('standard-webhooks', secrets);
  const signature = `v1a,${Buffer.alloc(64, 1).toString('base64')}`;
  const headers = {
    'webhook-id': 'x',
    'webhook-timestamp': '0',
    'webhook-signature': Array(16).fill(signature).join(' '),
  };
  // Of the CPU: how long others keep it from that does not matter here.
  const before = process.cpuUsage();
  t.match(sender.recognise(large, headers, 0), { outcome: 'forged' });
  const { user, system } = process.cpuUsage(before);
  t.ok(user + system < 100_000, `${user + system} us of CPU`);
});
