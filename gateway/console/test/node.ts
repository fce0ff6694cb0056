/** A real gateway that serves the console and the API of a made-up node, with two tokens: one that looks, one that changes. */
import type { Test } from 'tap';
import type { NodeView } from '../../api/status.js';
import type { Client } from '../../auth/client.js';
import type { Gateway } from '../../server.js';
import { startTestGateway } from '../../test/start.js';
import { nodeView } from './figures.js';
import { MadeUpNode } from './routes.js';

export const OPERATOR = 'operator-token-1';
export const READER = 'reader-token-1';

interface StartedConsole {
  readonly gateway: Gateway;
  readonly origin: string;
  readonly node: MadeUpNode;
}

export async function startConsole(
  t: Test,
  { view = nodeView() }: { readonly view?: NodeView } = {},
): Promise<StartedConsole> {
  const node = new MadeUpNode();
  const reader: Client = { name: 'reader', scopes: new Set(['read']) };
  const { gateway } = await startTestGateway(t, {
    operations: {
      token: OPERATOR,
      authenticator: {
        authenticate: async (header) => (header === `Bearer ${READER}` ? reader : undefined),
      },
      view: { ...view, status: () => ({ ...view.status(), pools: node.pools }) },
      routes: node.routes,
      audit: node.audit,
      version: '0.1.0',
    },
  });
  return { gateway, origin: `http://127.0.0.1:${gateway.port}`, node };
}
