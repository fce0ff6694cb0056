/**
 * GitHub: the body, signed by HMAC-SHA-256, in `X-Hub-Signature-256`. Event and id stand in headers that the signature does not cover.
 * A `ping`, which GitHub sends to a new webhook, is answered and is no message.
 */
import { z } from 'zod';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders, oneMessage, places } from './options.js';
import { HeaderNames } from './reading.js';
import { SignatureProof } from './signature-proof.js';
import { HmacKey } from './signing-key.js';
import { WebhookProvider } from './webhook-provider.js';

const NAME = 'github';
const NO_BODY = new Uint8Array(0);

const schema = z.strictObject(
  { key: places.key, id: places.id, keepHeaders: keepHeaders('x-hub-signature', 'x-hub-signature-256') },
  'is a mapping',
);

const USUAL = {
  id: ['header:x-github-delivery'],
  type: ['header:x-github-event'],
  key: ['body:/repository/full_name', 'body:/organization/login', 'body:/installation/id'],
};

export const github = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'the secret of the webhook' },
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    const event = names.position('x-github-event');
    const proof = new SignatureProof(
      { header: 'x-hub-signature-256', form: { prefix: 'sha256=' }, signed: [{ part: 'body' }] },
      secrets.map((secret) => new HmacKey(Buffer.from(secret), { algorithm: 'sha256', encoding: 'hex' })),
      names,
    );
    return new WebhookProvider(
      {
        provider: NAME,
        mediaTypes: ['application/json'],
        proof,
        answer: { mediaType: 'text/plain', body: '' },
        handshake: (reading) => (reading.header(event) === 'ping' ? NO_BODY : undefined),
        messages: oneMessage(options, USUAL, names, true),
      },
      names,
      { endpoint, order, keepHeaders: options.keepHeaders ?? [] },
    );
  },
});
