/** An API key in a header: it comes with each request, and proves nothing of the body. */
import { z } from 'zod';
import { genericOptions, genericProvider } from './generic.js';
import { type ProviderSetup, providerKind } from './kind.js';
import { headerLocation, headerOf } from './location.js';
import { keepHeaders, places } from './options.js';
import { HeaderNames } from './reading.js';
import { ApiKeyProof } from './secret-header.js';

const NAME = 'api-key';

const schema = z
  .strictObject(
    {
      secret: headerLocation
        .default('header:x-api-key')
        .meta({ description: 'The header that the key comes in' }),
      prefix: z
        .string('is a text')
        .max(32, 'has at most 32 characters')
        .default('')
        .meta({ description: 'What stands before the key, such as "Bearer "' }),
      ...genericOptions,
      ...places,
      keepHeaders: keepHeaders(),
    },
    'is a mapping',
  )
  .refine(
    ({ secret, keepHeaders }) =>
      keepHeaders?.every((name) => name.toLowerCase() !== headerOf(secret)) ?? true,
    { path: ['keepHeaders'], message: 'names the header with the key' },
  );

export const apiKey = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'an API key' },
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    const proof = new ApiKeyProof(secrets, headerOf(options.secret), options.prefix, names);
    return genericProvider(NAME, proof, names, options, { endpoint, order });
  },
});
