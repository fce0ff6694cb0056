/**
 * The lease of one partition number, as this node knows it. One state machine:
 *
 * ```
 * free --acquire--> acquiring --ours--> leased --claim--> claiming --epochs--> owned --give up--> draining --done--> leased
 *   ^                   |                 | ^                 |                  |                   |                 |
 *   |<------not---------'                 | '-----failed------'                  |                   |              release
 *   |                                     '<-----------lost its claim------------'                   |                 |
 *   |<---------------------------- the lease has ended: from each of them ----------------------------'                 v
 *   '<------------------------------------------------------------------------------------------------------------- releasing
 * ```
 * A lease counts from when it was asked for, not from when the answer came, and ends by our clock before it ends by that of the store.
 *
 * `term` changes whenever the lease is not the same any more: an answer to what was asked in another term is about another lease.
 */
import type { ClusterPolicy } from './policy.js';

export type LeaseMode = 'free' | 'acquiring' | 'leased' | 'claiming' | 'owned' | 'draining' | 'releasing';

/** What `decide` looks at. */
export interface LeaseState {
  readonly index: number;
  readonly mode: LeaseMode;
  /** By our clock; of a lease that we have. */
  readonly validUntil: number;
  /** Nothing is tried before. */
  readonly retryAt: number;
  /** A claim has not been answered, of this lease or of an earlier one. */
  readonly claims: boolean;
}

type Times = Pick<ClusterPolicy, 'ttlMs' | 'marginMs' | 'retryMs'>;

export class Lease implements LeaseState {
  readonly index: number;
  readonly #times: Times;
  #mode: LeaseMode = 'free';
  #validUntil = 0;
  #retryAt = Number.NEGATIVE_INFINITY;
  #term = 0;
  #claims = false;
  /** A release of ours may still come to the store. */
  #blocked = false;

  constructor(index: number, times: Times) {
    this.index = index;
    this.#times = times;
  }

  get mode(): LeaseMode {
    return this.#mode;
  }

  get validUntil(): number {
    return this.#validUntil;
  }

  get retryAt(): number {
    return this.#retryAt;
  }

  get claims(): boolean {
    return this.#claims;
  }

  get term(): number {
    return this.#term;
  }

  /** Somebody gave it back: it may be tried at once. */
  hurry(): void {
    if (this.#mode === 'free' && !this.#blocked) this.#retryAt = Number.NEGATIVE_INFINITY;
  }

  acquiring(): void {
    this.#enter(['free'], 'acquiring');
    this.#validUntil = 0;
    this.#blocked = false;
  }

  granted(askedAt: number): void {
    this.#enter(['acquiring'], 'leased');
    this.#term++;
    this.renewed(askedAt);
  }

  refused(now: number): void {
    this.#enter(['acquiring'], 'free');
    this.#retryAt = now + this.#times.retryMs;
  }

  renewed(askedAt: number): void {
    const { ttlMs, marginMs } = this.#times;
    this.#validUntil = Math.max(this.#validUntil, askedAt + ttlMs - marginMs);
  }

  claiming(): void {
    this.#enter(['leased'], 'claiming');
    this.#claims = true;
  }

  /** The claim was answered, whatever has become of the lease: two of them at once would overtake one another. */
  claimAnswered(): void {
    this.#claims = false;
  }

  owned(): void {
    this.#enter(['claiming'], 'owned');
  }

  /** The claim failed, or (of one that is read) does not count any more: it is made again. */
  unclaimed(now: number): void {
    this.#enter(['claiming', 'owned', 'draining'], 'leased');
    this.#term++;
    this.#retryAt = now + this.#times.retryMs;
  }

  draining(): void {
    this.#enter(['owned'], 'draining');
  }

  drained(): void {
    this.#enter(['draining'], 'leased');
    this.#retryAt = Number.NEGATIVE_INFINITY;
  }

  releasing(): void {
    this.#enter(['leased'], 'releasing');
  }

  /**
   * @param answered whether the store has said so. If not, the release may come to it as late as it likes, and must not end a lease that
   * we have taken meanwhile: for as long as a lease lasts we take none.
   */
  released(now: number, answered: boolean): void {
    this.#enter(['releasing'], 'free');
    this.#term++;
    const { ttlMs, retryMs } = this.#times;
    this.#blocked = !answered;
    this.#retryAt = now + (answered ? retryMs : ttlMs);
  }

  /** It is not ours any more: by our clock, or as the store said. */
  ended(now: number): void {
    this.#enter(['leased', 'claiming', 'owned', 'draining'], 'free');
    this.#term++;
    this.#validUntil = 0;
    this.#retryAt = now + this.#times.retryMs;
  }

  #enter(from: readonly LeaseMode[], to: LeaseMode): void {
    if (!from.includes(this.#mode))
      throw new Error(`the lease of partition ${this.index} is ${this.#mode}: it cannot become ${to}`);
    this.#mode = to;
  }
}
