/**
 * How nodes share a limit: as a *quota* of whole units, of which each node holds a share for as long as it renews it. The shares of all nodes
 * together are never more than the quota, as long as each node keeps to what it was told and counts its own from when it asked.
 *
 * A quota of permits has a unit for each call. One of a rate has a unit for each token of its burst, which brings the same part of the rate:
 * of 100 messages a second and a burst of 10, a unit is a bucket that holds one token and gets ten a second (`pool/shared-rate.ts`). What is
 * in a unit that moves goes along; so none is filled twice, and at one message a day none starts anew with each move.
 */

export interface Quota {
  readonly actor: string;
  readonly kind: 'permits' | 'tokens';
  readonly units: number;
  /** In which an empty unit fills, milliseconds; 0 of permits. */
  readonly fillMs: number;
}

export interface ShareAsk {
  readonly quota: Quota;
  /** Units that this node has, or may still use: it has no more than that until it has the answer. */
  readonly held: number;
  /** Units that it could use. */
  readonly needed: number;
  /** Tokens of units that it gave back since it last asked. */
  readonly spare: number;
}

export interface ShareAnswer {
  /** Units from now on. When they are fewer than it held, those count as its own until it says that it holds fewer. */
  readonly units: number;
  /** Tokens that come with those that are new. */
  readonly tokens: number;
  /** Whether others wait for units. */
  readonly contended: boolean;
}

/** Where shares are kept, as one node uses it. Each method rejects, within a bound, when there is no answer: then nothing is known. */
export interface ShareStore {
  /** Never two at once about one quota. @param ttlMs from then on; what is not renewed is another's after it */
  ask(ask: ShareAsk, ttlMs: number): Promise<ShareAnswer>;
  /** This node has none any more. */
  leave(quota: Quota, spare: number): Promise<void>;
}
