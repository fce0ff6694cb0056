/** Who may use the operators' API: whoever has the configured token, or one with the scope that the route needs. */
import type { Answer } from '../answer.js';
import { type Authenticator, BOOTSTRAP_CLIENT, type Client } from '../auth/client.js';
import { bearerOf, hashToken, OperatorToken } from '../auth/token.js';
import { problem } from '../problem.js';

export interface AdmissionOptions {
  /** The bearer token, or its hash as `sha256:<hex>`. Empty: there is no API. */
  readonly token: string;
  /** Knows the other tokens. */
  readonly authenticator?: Authenticator;
}

const NO_API = problem('not-found', 'there is nothing here');
const TOKEN_REQUIRED = problem('token-required', 'send the API token as a bearer token');
const SCOPE_MISSING = {
  read: problem('scope-missing', 'the token has not the scope read'),
  operate: problem('scope-missing', 'the token has not the scope operate'),
};

/** What `admit` compares with, made once. */
export interface Admission {
  readonly operator: OperatorToken;
  readonly authenticator: Authenticator | undefined;
}

export function admissionOf(options: AdmissionOptions | undefined): Admission {
  return { operator: new OperatorToken(options?.token ?? ''), authenticator: options?.authenticator };
}

/**
 * Who asks, or the refusal, and whether it is of somebody without a valid token. The configured token works whatever else is away.
 * @param authorization the header, whatever stands in it
 * @param scope undefined: any of the two will do
 * @throws what the authenticator throws
 */
export async function admit(
  { operator, authenticator }: Admission,
  authorization: string,
  scope: 'read' | 'operate' | undefined,
): Promise<{ readonly client: Client } | { readonly refusal: Answer; readonly isStranger: boolean }> {
  if (!operator.isSet) return { refusal: NO_API, isStranger: false };
  if (operator.equals(hashToken(bearerOf(authorization)))) return { client: BOOTSTRAP_CLIENT };
  const client = await authenticator?.authenticate(authorization);
  if (client === undefined) return { refusal: TOKEN_REQUIRED, isStranger: true };
  const needed = scope ?? 'read';
  return client.scopes.has(needed) ? { client } : { refusal: SCOPE_MISSING[needed], isStranger: false };
}
