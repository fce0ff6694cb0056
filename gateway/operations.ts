/**
 * The operators' API: dead letters and status, behind a bearer token: the one that is configured, or one of scope `operations`.
 * Without a token configured it is not there at all. The configured one works whatever else is away.
 *
 * | request                             | answer                                                              |
 * |-------------------------------------|---------------------------------------------------------------------|
 * | `GET /api/status`                   | what the composition root says                                      |
 * | `GET /api/dead-letters`             | `{ deadLetters, waiting }`; query: `actor`, `key`, `state`, `limit` |
 * | `GET /api/dead-letters/{id}`        | one dead letter                                                     |
 * | `POST /api/dead-letters/{id}/replay`| `{ id, state: "replayed" }`; 409 when it does not wait              |
 *
 * A dead letter in JSON is `StoredDeadLetter` of `runtime/dead-letter.ts` with the payload as base64, and as `payloadText`
 * too when it is valid UTF-8.
 */

import { isUtf8 } from 'node:buffer';
import type { DeadLetterFilter, DeadLetterStore, StoredDeadLetter } from '../runtime/stores/dead-letter.js';
import { type Answer, jsonAnswer, noStore } from './answer.js';
import type { TokenTable } from './auth/api.js';
import { type Authenticator, BOOTSTRAP_CLIENT, type Client } from './auth/client.js';
import { bearerOf } from './auth/token.js';
import { problem } from './problem.js';
import { invalidQuery, readLimit, readQuery } from './query.js';
import { sameSecret } from './secret.js';

export interface OperationsOptions {
  /** The bearer token. Empty: there is no API. */
  readonly token: string;
  /** Knows the other tokens. */
  readonly authenticator?: Authenticator;
  /** When absent, there is no `/api/tokens`. */
  readonly tokens?: TokenTable;
  readonly deadLetters: Pick<DeadLetterStore, 'list' | 'get' | 'count'>;
  /** Puts the message on the log again and marks the dead letter as replayed. False when there is none that waits. */
  replay(id: string): Promise<boolean>;
  /** Anything that JSON can hold. */
  status(): unknown;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;
/** The longest actor or key to look for; longer ones do not exist. */
const FILTER_LENGTH_MAX = 512;
const FILTER_KEYS: readonly string[] = ['actor', 'key', 'state', 'limit'];

const NO_API = problem('not-found', 'there is nothing here');
const NO_DEAD_LETTER = problem('not-found', 'there is no dead letter of this id');
const NOT_WAITING = problem('not-waiting', 'the dead letter has been replayed already');
const TOKEN_REQUIRED = problem('token-required', 'send the API token as a bearer token');
const SCOPE_MISSING = problem('scope-missing', 'the token has not the scope operations');

export class Operations {
  readonly #options: OperationsOptions | undefined;

  constructor(options: OperationsOptions | undefined) {
    this.#options = options === undefined || options.token === '' ? undefined : options;
  }

  get tokens(): TokenTable | undefined {
    return this.#options?.tokens;
  }

  /**
   * Who asks, or the refusal.
   * @param authorization the header, whatever stands in it
   * @throws what the authenticator throws
   */
  async admit(authorization: string): Promise<{ readonly client: Client } | { readonly refusal: Answer }> {
    if (this.#options === undefined) return { refusal: NO_API };
    const { token, authenticator } = this.#options;
    if (sameSecret(bearerOf(authorization), token)) return { client: BOOTSTRAP_CLIENT };
    const client = await authenticator?.authenticate(authorization);
    if (client === undefined) return { refusal: TOKEN_REQUIRED };
    return client.scopes.has('operations') ? { client } : { refusal: SCOPE_MISSING };
  }

  async status(): Promise<Answer> {
    return noStore(jsonAnswer(this.#required().status() ?? null));
  }

  /** `filter`: from `readFilter`. */
  async list(filter: DeadLetterFilter): Promise<Answer> {
    const { deadLetters } = this.#required();
    const [letters, waiting] = await Promise.all([deadLetters.list(filter), deadLetters.count()]);
    return noStore(jsonAnswer({ deadLetters: letters.map(deadLetterJson), waiting }));
  }

  async show(id: string): Promise<Answer> {
    const letter = await this.#required().deadLetters.get(id);
    return letter === undefined ? NO_DEAD_LETTER : noStore(jsonAnswer(deadLetterJson(letter)));
  }

  async replay(id: string): Promise<Answer> {
    const { deadLetters, replay } = this.#required();
    if (await replay(id)) return noStore(jsonAnswer({ id, state: 'replayed' }));
    return (await deadLetters.get(id)) === undefined ? NO_DEAD_LETTER : NOT_WAITING;
  }

  #required(): OperationsOptions {
    if (this.#options === undefined) throw new TypeError('there is no operations API');
    return this.#options;
  }
}

/** The filter in a query, or what is wrong with it: a script may replay what it got. */
export function readFilter(queryText: string): DeadLetterFilter | Answer {
  const query = readQuery(queryText, FILTER_KEYS);
  if ('body' in query) return query;
  const actor = query.get('actor');
  const key = query.get('key');
  const state = query.get('state') ?? 'all';
  const limit = readLimit(query, LIMIT_DEFAULT, LIMIT_MAX);
  if ((actor?.length ?? 0) > FILTER_LENGTH_MAX || (key?.length ?? 0) > FILTER_LENGTH_MAX) {
    return invalidQuery(`actor and key have at most ${FILTER_LENGTH_MAX} characters`);
  }
  if (state !== 'all' && state !== 'waiting' && state !== 'replayed') {
    return invalidQuery('state is waiting, replayed or all');
  }
  if (limit === undefined) return invalidQuery(`limit is a whole number from 1 to ${LIMIT_MAX}`);
  return {
    ...(actor === null ? {} : { actor }),
    ...(key === null ? {} : { key }),
    ...(state === 'all' ? {} : { state }),
    limit,
  };
}

function deadLetterJson({ envelope, ...letter }: StoredDeadLetter): object {
  const payload = Buffer.from(envelope.payload);
  return {
    ...letter,
    envelope: {
      ...envelope,
      payload: payload.toString('base64'),
      ...(isUtf8(payload) ? { payloadText: payload.toString('utf8') } : {}),
    },
  };
}
