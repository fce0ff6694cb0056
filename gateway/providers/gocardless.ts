/**
 * GoCardless: the body, signed by HMAC-SHA-256, in `Webhook-Signature`. It holds up to hundreds of `events`; each is a message of its own, see
 * `events.ts`.
 */
import { z } from 'zod';
import { eventMessage, eventsOf } from './events.js';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders } from './options.js';
import { HeaderNames, member, memberAt, textOf } from './reading.js';
import { SignatureProof } from './signature-proof.js';
import { HmacKey } from './signing-key.js';
import { type SenderMessage, WebhookProvider } from './webhook-provider.js';

const NAME = 'gocardless';

const schema = z.strictObject({ keepHeaders: keepHeaders('webhook-signature') }, 'is a mapping');

export const gocardless = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'the secret of the webhook endpoint' },
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    const proof = new SignatureProof(
      { header: 'webhook-signature', form: { prefix: '' }, signed: [{ part: 'body' }] },
      secrets.map((secret) => new HmacKey(Buffer.from(secret), { algorithm: 'sha256', encoding: 'hex' })),
      names,
    );
    return new WebhookProvider(
      {
        provider: NAME,
        mediaTypes: ['application/json'],
        proof,
        answer: { mediaType: 'text/plain', body: '' },
        messages(reading) {
          const events = eventsOf(reading, 'events');
          if ('outcome' in events) return events;
          return events.map(messageOf);
        },
      },
      names,
      { endpoint, order, keepHeaders: options.keepHeaders ?? [] },
    );
  },
});

/** Of an event of `payments` the key is `links.payment`, and so on: all that happens to one resource is in order. */
function messageOf(event: unknown): SenderMessage {
  const resources = textOf(member(event, 'resource_type'));
  const action = textOf(member(event, 'action'));
  const key = textOf(memberAt(event, ['links', resources.replace(/s$/, '')]));
  const type = action === '' ? resources : `${resources}.${action}`;
  return eventMessage(event, { id: textOf(member(event, 'id')), type, key });
}
