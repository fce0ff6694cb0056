/** HTTP Basic: user and password come with each request, and prove nothing of the body. */
import { z } from 'zod';
import { genericOptions, genericProvider } from './generic.js';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders, places } from './options.js';
import { HeaderNames } from './reading.js';
import { BasicProof } from './secret-header.js';

const NAME = 'basic';

const schema = z.strictObject({ ...genericOptions, ...places, keepHeaders: keepHeaders() }, 'is a mapping');

export const basic = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'user:password' },
  secretProblem: (secret) => (/^[^:]+:./s.test(secret) ? undefined : 'is user:password'),
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    return genericProvider(NAME, new BasicProof(secrets, names), names, options, { endpoint, order });
  },
});
