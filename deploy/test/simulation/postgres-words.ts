/** What a client and the simulated Postgres say to one another, and the statements that only the simulation has. */
import type { Connection } from './network.js';

export interface PostgresRequest {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** Of the client: how long a statement may wait for a lock. */
  readonly statementMsMax: number;
}

export type PostgresReply =
  | { readonly command: string; readonly rows: readonly unknown[] }
  | { readonly failure: { readonly code: string; readonly message: string } };

export type PostgresConnection = Connection<PostgresRequest, PostgresReply>;

export interface Effect {
  readonly actor: string;
  readonly key: string;
  readonly dedupe: string;
  readonly partition: number;
  readonly epoch: number;
  /** Who did it. */
  readonly node: string;
  /** Of its sender's messages of the key. */
  readonly number: number;
}

/** The statement of the simulation's actor; its one value is a list of `Effect`. */
export const EFFECTS = 'INSERT INTO effects';
/** That of its dead letters: a list of their dedupe keys. */
export const DEAD_LETTERS = 'INSERT INTO dead_letters';
export const HELLO = 'HELLO';
