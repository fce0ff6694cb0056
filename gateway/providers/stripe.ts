/** Stripe: `<timestamp>.<body>`, signed by HMAC-SHA-256, in `Stripe-Signature: t=…,v1=…`. */
import { z } from 'zod';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders, oneMessage, places, toleranceSeconds } from './options.js';
import { HeaderNames } from './reading.js';
import { SignatureProof } from './signature-proof.js';
import { HmacKey } from './signing-key.js';
import { WebhookProvider } from './webhook-provider.js';

const NAME = 'stripe';

const schema = z.strictObject(
  { key: places.key, toleranceSeconds, keepHeaders: keepHeaders('stripe-signature') },
  'is a mapping',
);

/** Of events with a snapshot, and of those that name the object only. */
const USUAL = {
  id: ['body:/id'],
  type: ['body:/type'],
  key: ['body:/data/object/id', 'body:/related_object/id'],
};

export const stripe = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'the signing secret of the endpoint, whsec_…' },
  // Taken by mistake, an API key would stand in a file that does not need it.
  secretProblem: (secret) => (secret.startsWith('whsec_') ? undefined : 'begins with whsec_'),
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    const proof = new SignatureProof(
      {
        header: 'stripe-signature',
        form: { items: { separator: ',', assign: '=' } },
        signed: [{ part: 'timestamp' }, { part: 'literal', text: '.' }, { part: 'body' }],
        timestamp: { from: { item: 't' }, unit: 'seconds', toleranceSeconds: options.toleranceSeconds },
      },
      secrets.map(
        (secret) => new HmacKey(Buffer.from(secret), { item: 'v1', algorithm: 'sha256', encoding: 'hex' }),
      ),
      names,
    );
    return new WebhookProvider(
      {
        provider: NAME,
        mediaTypes: ['application/json'],
        proof,
        answer: { mediaType: 'text/plain', body: '' },
        messages: oneMessage(options, USUAL, names, true),
      },
      names,
      { endpoint, order, keepHeaders: options.keepHeaders ?? [] },
    );
  },
});
