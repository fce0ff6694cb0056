/**
 * Shopify: the body, signed by HMAC-SHA-256 in base64, in `X-Shopify-Hmac-Sha256`. Topic, shop and id stand in headers that the signature
 * does not cover. An `id` in the body may be larger than a number of JavaScript holds, so the key is the id of the GraphQL API, a text.
 */
import { z } from 'zod';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders, oneMessage, places } from './options.js';
import { HeaderNames } from './reading.js';
import { SignatureProof } from './signature-proof.js';
import { HmacKey } from './signing-key.js';
import { WebhookProvider } from './webhook-provider.js';

const NAME = 'shopify';

const schema = z.strictObject(
  { key: places.key, id: places.id, keepHeaders: keepHeaders('x-shopify-hmac-sha256') },
  'is a mapping',
);

const USUAL = {
  id: ['header:x-shopify-webhook-id'],
  type: ['header:x-shopify-topic'],
  key: ['body:/admin_graphql_api_id', 'header:x-shopify-shop-domain'],
};

export const shopify = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'the client secret of the app' },
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    const proof = new SignatureProof(
      { header: 'x-shopify-hmac-sha256', form: { prefix: '' }, signed: [{ part: 'body' }] },
      secrets.map((secret) => new HmacKey(Buffer.from(secret), { algorithm: 'sha256', encoding: 'base64' })),
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
