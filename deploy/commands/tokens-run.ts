/** What `tether tokens create|list|revoke` do, against the operations API of a running node (`gateway/auth/api.ts`). */
import { z } from 'zod';
import { hashedForm, makeToken } from '../../gateway/auth/token.js';
import type { Environment } from '../settings.js';
import { connectToNode, type NodeFlags } from './node-client.js';
import { textTable } from './table.js';

const tokenSchema = z.object({
  id: z.string(),
  client: z.string(),
  note: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  usedAt: z.string().nullable(),
});
const createdSchema = tokenSchema.extend({ token: z.string() });
const listSchema = z.object({ tokens: z.array(tokenSchema) });

type TokenJson = z.infer<typeof tokenSchema>;

interface CreateFlags extends NodeFlags {
  readonly client: string;
  readonly scopes: readonly string[];
  readonly note?: string;
  readonly expiresInDays?: number;
}

interface CreateReport {
  /** The token alone, for `$(...)`; with --json, everything. */
  readonly text: string;
  /** For the person. */
  readonly hint: string;
}

async function createToken(flags: CreateFlags, env: Environment): Promise<CreateReport> {
  const { client, scopes, note, expiresInDays } = flags;
  const node = await connectToNode(flags, env);
  // What is undefined is left out of JSON.
  const body = { client, scopes, note, expiresInDays };
  const created = await node.call('POST', '/api/tokens', createdSchema, body);
  return {
    text: flags.json === true ? `${JSON.stringify(created)}\n` : `${created.token}\n`,
    hint: `token ${created.id} of ${created.client}, ${until(created)}; nothing shows it again`,
  };
}

/** For the configuration of nodes; nothing is asked and nothing is kept. */
function generateToken({ json }: { readonly json?: true }): CreateReport {
  const token = makeToken();
  const hash = hashedForm(token);
  return {
    text: json === true ? `${JSON.stringify({ token, hash })}\n` : `token  ${token}\nhash   ${hash}\n`,
    hint: 'nodes take the hash as TETHER_API_TOKEN, commands the token as --token file:/path; nothing shows it again',
  };
}

/** `columns`: the width of the terminal, if it is one. */
async function listTokens(flags: NodeFlags, env: Environment, columns?: number): Promise<string> {
  const node = await connectToNode(flags, env);
  const { tokens } = await node.call('GET', '/api/tokens', listSchema);
  if (flags.json === true) return `${JSON.stringify(tokens)}\n`;
  if (tokens.length === 0) return 'no tokens\n';
  const head = ['ID', 'CLIENT', 'SCOPES', 'STATE', 'CREATED', 'USED', 'NOTE'];
  const rows = tokens.map((token) => {
    const { id, client, scopes, createdAt, usedAt, note } = token;
    return [id, client, scopes.join(','), stateOf(token, Date.now()), createdAt, usedAt ?? '-', note];
  });
  return textTable(head, rows, columns);
}

async function revokeToken(id: string, flags: NodeFlags, env: Environment): Promise<string> {
  const node = await connectToNode(flags, env);
  const revoked = await node.call('POST', `/api/tokens/${encodeURIComponent(id)}/revoke`, tokenSchema);
  if (flags.json === true) return `${JSON.stringify(revoked)}\n`;
  return `${revoked.id} of ${revoked.client} is revoked; every node knows within 10 s\n`;
}

function until({ expiresAt }: TokenJson): string {
  return expiresAt === null ? 'valid until it is revoked' : `valid until ${expiresAt}`;
}

function stateOf({ revokedAt, expiresAt }: TokenJson, nowMs: number): string {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs ? 'expired' : 'valid';
}

export { type CreateFlags, createToken, generateToken, listTokens, revokeToken };
