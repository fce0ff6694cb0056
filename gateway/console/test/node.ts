/** A real gateway that serves the console and the API of a made-up node, with two tokens: one that looks, one that changes. */
import type { Test } from 'tap';
import type { OperationsOptions } from '../../api/register.js';
import type { Client } from '../../auth/client.js';
import { startTestGateway } from '../../test/start.js';
import { nodeView } from './figures.js';

export const OPERATOR = 'operator-token-1';
export const READER = 'reader-token-1';

export async function startConsole(t: Test, options: Partial<OperationsOptions> = {}) {
  const reader: Client = { name: 'reader', scopes: new Set(['read']) };
  const { gateway } = await startTestGateway(t, {
    operations: {
      token: OPERATOR,
      authenticator: {
        authenticate: async (header) => (header === `Bearer ${READER}` ? reader : undefined),
      },
      view: nodeView(),
      routes: [],
      version: '0.1.0',
      ...options,
    },
  });
  return { gateway, origin: `http://127.0.0.1:${gateway.port}` };
}
