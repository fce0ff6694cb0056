/** Who sends a request, and what they may do. */

export const SCOPES = [
  'uploads:read',
  'uploads:write',
  'uploads:all',
  'read',
  'operate',
  'operations',
] as const;
/**
 * - `uploads:read`: sees uploads, their files and their errors
 * - `uploads:write`: makes uploads, cancels and removes them
 * - `uploads:all`: with these, on the uploads of every client
 * - `read`: looks at everything of `/api`, but for payloads
 * - `operate`: changes what `/api` can change, and sees payloads; `read` is part of it
 * - `operations`: the older name of `operate`
 */
export type Scope = (typeof SCOPES)[number];

export interface Client {
  /** The owner of what it uploads. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** The client of the bootstrap token, which has every scope. */
export const BOOTSTRAP_CLIENT: Client = { name: 'operator', scopes: new Set(SCOPES) };

/** What a token of these scopes has, with what is part of them. */
export function effectiveScopes(scopes: readonly Scope[]): ReadonlySet<Scope> {
  const operates = scopes.includes('operate') || scopes.includes('operations');
  return new Set(operates ? [...scopes, 'operate', 'operations', 'read'] : scopes);
}

export interface Authenticator {
  /**
   * @param authorization the header, whatever stands in it
   * @returns undefined when it carries no token that is valid now
   * @throws PostgresUnavailableError
   */
  authenticate(authorization: string): Promise<Client | undefined>;
}

/** Whether a client may see or change what `owner` has. */
export function mayTouch(client: Client, owner: string): boolean {
  return client.name === owner || client.scopes.has('uploads:all');
}
