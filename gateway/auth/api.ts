/**
 * Tokens of clients, over the operators' API.
 *
 * | request                        | answer                                                                            |
 * |--------------------------------|-----------------------------------------------------------------------------------|
 * | `GET /api/tokens`              | `{ tokens }`, the latest first, revoked and expired ones too                       |
 * | `POST /api/tokens`             | 201 with the token itself, once; body `{ client, scopes, note?, expiresInDays? }`  |
 * | `POST /api/tokens/{id}/revoke` | the token as it is then; again: the same                                          |
 *
 * Nobody gives a scope that he has not himself: a token of scope `operations` alone does not become one that sees files.
 */
import { z } from 'zod';
import type { NewToken, StoredToken } from '../../storage/postgres/index.js';
import { isUuid } from '../../storage/uuid.js';
import { type Answer, jsonAnswer, noStore } from '../answer.js';
import type { Exchange, RequestHead } from '../exchange.js';
import { readJson } from '../json-body.js';
import { problem } from '../problem.js';
import { type Client, SCOPES } from './client.js';
import { hashToken, makeToken } from './token.js';

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
const EXPECTED =
  `{ client, scopes, note?, expiresInDays? }: client of letters, digits, ".", "_" and "-", at most 64; ` +
  `scopes of ${SCOPES.join(', ')}; note of at most ${NOTE_LENGTH_MAX} characters; 1 to ${DAYS_MAX} days`;

const NO_TOKEN = problem('not-found', 'there is no token of this id');
const TOO_MUCH = problem('scope-missing', 'the token gives a scope that the one you sent has not');

export class TokensApi {
  readonly #table: TokenTable;
  readonly #nextId: () => string;

  constructor(table: TokenTable, nextId: () => string) {
    this.#table = table;
    this.#nextId = nextId;
  }

  async list(): Promise<Answer> {
    return noStore(jsonAnswer({ tokens: (await this.#table.list()).map(tokenJson) }));
  }

  async create(head: RequestHead, exchange: Exchange, by: Client): Promise<Answer> {
    const body = await readJson({ head, exchange }, newToken, EXPECTED);
    if ('refusal' in body) return body.refusal;
    const { client, note, expiresInDays } = body.value;
    const scopes = SCOPES.filter((scope) => body.value.scopes.includes(scope));
    if (scopes.some((scope) => !by.scopes.has(scope))) return TOO_MUCH;
    const token = makeToken();
    const created = await this.#table.create({
      id: this.#nextId(),
      client,
      note,
      hash: hashToken(token),
      scopes,
      ...(expiresInDays === undefined ? {} : { expiresInDays }),
    });
    return noStore(jsonAnswer({ ...tokenJson(created), token }, '201 Created'));
  }

  async revoke(id: string): Promise<Answer> {
    const revoked = isUuid(id) ? await this.#table.revoke(id) : undefined;
    return revoked === undefined ? NO_TOKEN : noStore(jsonAnswer(tokenJson(revoked)));
  }
}

function tokenJson(token: StoredToken): Record<string, unknown> {
  return {
    id: token.id,
    client: token.client,
    note: token.note,
    scopes: token.scopes,
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt?.toISOString() ?? null,
    revokedAt: token.revokedAt?.toISOString() ?? null,
    usedAt: token.usedAt?.toISOString() ?? null,
  };
}
