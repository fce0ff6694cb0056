/**
 * Standard Webhooks 1.0 (standardwebhooks.com), as Svix and many others send them: `<id>.<timestamp>.<body>`, signed by HMAC-SHA-256 (`v1`, a
 * secret `whsec_…`) or by Ed25519 (`v1a`, of which the endpoint has the public half, `whpk_…`).
 */
import { z } from 'zod';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders, oneMessage, places, toleranceSeconds } from './options.js';
import { HeaderNames } from './reading.js';
import { SignatureProof } from './signature-proof.js';
import { ED25519_KEY_BYTES, Ed25519Key, HmacKey, type SigningKey } from './signing-key.js';
import { WebhookProvider } from './webhook-provider.js';

const NAME = 'standard-webhooks';
const HMAC_BYTES_MIN = 16;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const schema = z.strictObject(
  {
    headers: z
      .enum(['webhook', 'svix'], 'is webhook or svix')
      .default('webhook')
      .meta({ description: 'What the names of the headers begin with' }),
    key: places.key,
    type: places.type,
    toleranceSeconds,
    keepHeaders: keepHeaders('webhook-signature', 'svix-signature'),
  },
  'is a mapping',
);

export const standardWebhooks = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'whsec_ with base64 behind it, or whpk_ with the base64 of a public key' },
  secretProblem: (secret) =>
    keyOf(secret) === undefined
      ? `is whsec_ with the base64 of at least ${HMAC_BYTES_MIN} bytes behind it, or whpk_ with that of the ${ED25519_KEY_BYTES} bytes of a public key`
      : undefined,
  create,
});

function create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
  const names = new HeaderNames();
  const header = (name: string) => `${options.headers}-${name}`;
  const proof = new SignatureProof(
    {
      header: header('signature'),
      form: { items: { separator: ' ', assign: ',' } },
      signed: [
        { part: 'header', name: header('id') },
        { part: 'literal', text: '.' },
        { part: 'timestamp' },
        { part: 'literal', text: '.' },
        { part: 'body' },
      ],
      timestamp: {
        from: { header: header('timestamp') },
        unit: 'seconds',
        toleranceSeconds: options.toleranceSeconds,
      },
    },
    secrets.flatMap((secret) => keyOf(secret) ?? []),
    names,
  );
  const usual = { id: [`header:${header('id')}`], type: ['body:/type'], key: ['body:/data/id'] };
  return new WebhookProvider(
    {
      provider: NAME,
      mediaTypes: [],
      proof,
      answer: { mediaType: 'text/plain', body: '' },
      messages: oneMessage(options, usual, names, false),
    },
    names,
    { endpoint, order, keepHeaders: options.keepHeaders ?? [] },
  );
}

function keyOf(secret: string): SigningKey | undefined {
  const at = secret.indexOf('_');
  const base64 = secret.slice(at + 1);
  if (!BASE64.test(base64)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  switch (secret.slice(0, at + 1)) {
    case 'whsec_':
      if (bytes.length < HMAC_BYTES_MIN) return undefined;
      return new HmacKey(bytes, { item: 'v1', algorithm: 'sha256', encoding: 'base64' });
    case 'whpk_':
      return bytes.length === ED25519_KEY_BYTES ? new Ed25519Key(bytes, 'v1a') : undefined;
    default:
      return undefined;
  }
}
