/** EMP among the providers: no options, and the endpoint's actor gets the notification as it came. */
import { z } from 'zod';
import { providerKind } from '../kind.js';
import { EmpProvider } from './provider.js';

export const emp = providerKind({
  name: 'emp',
  options: z.strictObject({}, 'is empty: the provider emp has no options'),
  secrets: { what: 'an API password' },
  envelope: 'body',
  create: ({ endpoint, secrets }) => new EmpProvider({ endpoint, secrets }),
});
