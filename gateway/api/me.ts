/** Who asks, and what they may do: a surface turns off what would be refused. */
import { z } from 'zod';
import { SCOPES } from '../auth/client.js';
import { type ApiRoute, apiRoute } from './route.js';

export const meRoute: ApiRoute = apiRoute({
  method: 'get',
  path: '/api/me',
  id: 'getMe',
  tag: 'Tokens',
  summary: 'The client of the token that is sent, and its scopes',
  scope: 'read',
  answer: z.object({ client: z.string(), scopes: z.array(z.enum(SCOPES)) }).meta({ id: 'Me' }),
  work: ({ client }) => ({ client: client.name, scopes: [...client.scopes].sort() }),
});
