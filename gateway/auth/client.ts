/** Who sends a request, and what they may do. */

export const SCOPES = ['uploads:read', 'uploads:write', 'uploads:all', 'operations'] as const;
/**
 * - `uploads:read`: sees uploads, their files and their errors
 * - `uploads:write`: makes uploads, cancels and removes them
 * - `uploads:all`: with these, on the uploads of every client
 * - `operations`: `/api`
 */
export type Scope = (typeof SCOPES)[number];

export interface Client {
  /** The owner of what it uploads. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** The client of the bootstrap token, which has every scope. */
export const BOOTSTRAP_CLIENT: Client = { name: 'operator', scopes: new Set(SCOPES) };

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
