/**
 * Whose request it is, by its bearer token.
 *
 * | the token                                   | costs                                                      |
 * |---------------------------------------------|------------------------------------------------------------|
 * | is the bootstrap token                      | a hash; it works while Postgres is away                     |
 * | has not the form of one                     | a hash                                                     |
 * | was looked up less than `CACHE_MS` ago      | a hash                                                     |
 * | else                                        | one query, which all requests with this token share        |
 *
 * - A revocation counts within `CACHE_MS`: the time runs from the moment before the query, and an expiry counts at once.
 * - Tokens that nobody has are remembered apart, so that a flood of them pushes no valid one out; they cost queries all the same, of which
 *   there are `QUERIES_MAX` at a time.
 */
import { LRUCache } from 'lru-cache';
import { OutageError } from '../../runtime/errors.js';
import { asError } from '../../runtime/failure.js';
import type { Logger } from '../../runtime/logger.js';
import type { StoredToken } from '../../storage/postgres/index.js';
import { type Authenticator, BOOTSTRAP_CLIENT, type Client, effectiveScopes, SCOPES } from './client.js';
import { bearerOf, hashToken, hasTokenForm, OperatorToken } from './token.js';

/** The part of the table of tokens that is used here. */
export interface TokenLookup {
  find(hash: Uint8Array): Promise<StoredToken | undefined>;
  used(id: string): Promise<void>;
}

export interface TokenAuthenticatorOptions {
  /** Or its hash, as `sha256:<hex>`. Empty: there is none. */
  readonly bootstrapToken: string;
  readonly tokens: TokenLookup;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
}

export const CACHE_MS = 10_000;
export const CACHED_MAX = 10_000;
export const QUERIES_MAX = 32;
/** `used_at` is to the minute. */
const USED_MS = 60_000;

/** More new tokens come at once than are looked up at once. */
export class AuthenticationBusyError extends OutageError {
  readonly code = 'TETHER_AUTHENTICATION_BUSY';
}

interface Known {
  readonly client: Client;
  readonly untilMs: number;
}

export class TokenAuthenticator implements Authenticator {
  readonly #options: TokenAuthenticatorOptions;
  readonly #bootstrap: OperatorToken;
  /** By the hash: a dump of the memory shows no token. */
  readonly #known = new LRUCache<string, Known>({ max: CACHED_MAX });
  readonly #unknown = new LRUCache<string, number>({ max: CACHED_MAX });
  readonly #queries = new Map<string, Promise<Client | undefined>>();

  constructor(options: TokenAuthenticatorOptions) {
    this.#options = options;
    this.#bootstrap = new OperatorToken(options.bootstrapToken);
  }

  /** @throws PostgresUnavailableError, AuthenticationBusyError */
  async authenticate(authorization: string): Promise<Client | undefined> {
    const token = bearerOf(authorization);
    if (token === '') return undefined;
    const hash = hashToken(token);
    if (this.#bootstrap.equals(hash)) return BOOTSTRAP_CLIENT;
    if (!hasTokenForm(token)) return undefined;
    const key = hash.toString('base64');
    const nowMs = this.#options.now();
    const known = this.#known.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known.client;
    if (nowMs < (this.#unknown.get(key) ?? 0)) return undefined;
    return this.#queries.get(key) ?? this.#query(key, hash, nowMs);
  }

  #query(key: string, hash: Uint8Array, nowMs: number): Promise<Client | undefined> {
    if (this.#queries.size >= QUERIES_MAX) {
      throw new AuthenticationBusyError(`${QUERIES_MAX} tokens are being looked up already`);
    }
    const query = this.#lookUp(key, hash, nowMs).finally(() => this.#queries.delete(key));
    this.#queries.set(key, query);
    return query;
  }

  async #lookUp(key: string, hash: Uint8Array, nowMs: number): Promise<Client | undefined> {
    const token = await this.#options.tokens.find(hash);
    const untilMs = nowMs + CACHE_MS;
    if (token === undefined) {
      this.#known.delete(key);
      this.#unknown.set(key, untilMs);
      return undefined;
    }
    const scopes = effectiveScopes(SCOPES.filter((scope) => token.scopes.includes(scope)));
    const client = { name: token.client, scopes };
    this.#known.set(key, { client, untilMs: Math.min(untilMs, token.expiresAt?.getTime() ?? untilMs) });
    this.#unknown.delete(key);
    this.#noteUse(token, nowMs);
    return client;
  }

  /** Never waited for: a request does not depend on it. */
  #noteUse({ id, usedAt }: StoredToken, nowMs: number): void {
    if (usedAt !== undefined && nowMs - usedAt.getTime() < USED_MS) return;
    this.#options.tokens.used(id).catch((error: unknown) => {
      this.#options.logger.debug({ error: asError(error).message }, 'the use of a token was not noted');
    });
  }
}
