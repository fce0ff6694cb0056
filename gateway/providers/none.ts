/**
 * No proof at all: whoever knows the path, with its token, may send. For senders that sign nothing, and only where `options` say so, word for
 * word: nobody gets an endpoint without a check by leaving something out.
 */
import { z } from 'zod';
import { genericOptions, genericProvider } from './generic.js';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders, places } from './options.js';
import { NO_PROOF } from './proof.js';
import { HeaderNames } from './reading.js';

const NAME = 'none';

const schema = z.strictObject(
  {
    unsigned: z
      .literal(true, 'is true: with the provider none, whoever knows the path may send')
      .meta({ description: 'true: the token in the path is all that is asked for' }),
    ...genericOptions,
    ...places,
    keepHeaders: keepHeaders(),
  },
  'is a mapping',
);

export const none = providerKind({
  name: NAME,
  options: schema,
  secrets: { min: 0, max: 0, what: 'none' },
  create({ endpoint, options, order }: ProviderSetup<z.output<typeof schema>>) {
    return genericProvider(NAME, NO_PROOF, new HeaderNames(), options, { endpoint, order });
  },
});
