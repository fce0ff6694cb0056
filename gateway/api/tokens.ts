/**
 * Tokens of clients, over the operators' API. A token itself is shown once, by the request that makes it.
 *
 * Nobody gives a scope that he has not himself: a token that operates does not become one that sees files.
 */
import { z } from 'zod';
import type { NewToken, StoredToken } from '../../storage/postgres/index.js';
import { isUuid } from '../../storage/uuid.js';
import { jsonAnswer, noStore } from '../answer.js';
import { SCOPES } from '../auth/client.js';
import { hashToken, makeToken } from '../auth/token.js';
import { problem } from '../problem.js';
import { type ApiRoute, apiRoute } from './route.js';

/** The part of the table of tokens that is used here. */
export interface TokenTable {
  create(token: NewToken): Promise<StoredToken>;
  list(): Promise<readonly StoredToken[]>;
  revoke(id: string): Promise<StoredToken | undefined>;
}

const CLIENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const NOTE_LENGTH_MAX = 200;
const DAYS_MAX = 3650;

const newToken = z.strictObject({
  client: z.string().regex(CLIENT),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  // Without control characters: it is printed.
  note: z
    .string()
    .max(NOTE_LENGTH_MAX)
    .regex(/^\P{C}*$/u)
    .default(''),
  expiresInDays: z.int().min(1).max(DAYS_MAX).optional(),
});

const moment = z.string().nullable();
const tokenSchema = z
  .object({
    id: z.string(),
    client: z.string(),
    note: z.string(),
    scopes: z.array(z.string()),
    createdAt: z.string(),
    expiresAt: moment,
    revokedAt: moment,
    usedAt: moment,
  })
  .meta({ id: 'Token' });

const NO_TOKEN = problem('not-found', 'there is no token of this id');
const TOO_MUCH = problem('scope-missing', 'the token gives a scope that the one you sent has not');

export function tokenRoutes(table: TokenTable, nextId: () => string): readonly ApiRoute[] {
  const tag = 'Tokens';
  return [
    apiRoute({
      method: 'get',
      path: '/api/tokens',
      id: 'listTokens',
      tag,
      summary: 'The tokens, the latest first, revoked and expired ones too',
      scope: 'read',
      answer: z.object({ tokens: z.array(tokenSchema) }),
      work: async () => ({ tokens: (await table.list()).map(tokenJson) }),
    }),
    apiRoute({
      method: 'post',
      path: '/api/tokens',
      id: 'createToken',
      tag,
      summary: 'Makes a token and shows it, once',
      scope: 'operate',
      body: newToken,
      answer: tokenSchema.extend({ token: z.string() }),
      status: 201,
      async work({ body, client: by, audit }) {
        const { client, note, expiresInDays } = body;
        const scopes = SCOPES.filter((scope) => body.scopes.includes(scope));
        if (scopes.some((scope) => !by.scopes.has(scope))) return TOO_MUCH;
        const token = makeToken();
        const created = await table.create({
          id: nextId(),
          client,
          note,
          hash: hashToken(token),
          scopes,
          ...(expiresInDays === undefined ? {} : { expiresInDays }),
        });
        const json = tokenJson(created);
        await audit({ action: 'token.create', target: created.id, after: json });
        return noStore(jsonAnswer({ ...json, token }, '201 Created'));
      },
    }),
    apiRoute({
      method: 'post',
      path: '/api/tokens/{id}/revoke',
      id: 'revokeToken',
      tag,
      summary: 'Ends a token, within ten seconds; again: the same answer',
      scope: 'operate',
      params: z.strictObject({ id: z.string() }),
      answer: tokenSchema,
      async work({ params: { id }, audit }) {
        const revoked = isUuid(id) ? await table.revoke(id) : undefined;
        if (revoked === undefined) return NO_TOKEN;
        const json = tokenJson(revoked);
        await audit({ action: 'token.revoke', target: id, after: json });
        return json;
      },
    }),
  ];
}

function tokenJson(token: StoredToken): z.output<typeof tokenSchema> {
  return {
    id: token.id,
    client: token.client,
    note: token.note,
    scopes: [...token.scopes],
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt?.toISOString() ?? null,
    revokedAt: token.revokedAt?.toISOString() ?? null,
    usedAt: token.usedAt?.toISOString() ?? null,
  };
}
