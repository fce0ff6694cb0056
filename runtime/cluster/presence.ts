/**
 * A node that takes messages in and reads no partition, among the others: it says that it lives, and sees who does and who reads what, so that
 * whoever looks at it sees the cluster. Nothing depends on it: while the store is away, what was seen last is shown, which its own state explains.
 *
 * Modes: new -> active -> left.
 */
import type { Clock } from '../clock.js';
import { asError } from '../failure.js';
import type { Logger } from '../logger.js';
import type { LeaseStore } from './agent.js';
import { type ClusterView, EMPTY_VIEW, gatewaysOf, observe, ownersOf, placeable } from './membership.js';
import { DEFAULT_POLICY } from './policy.js';

export interface PresenceOptions {
  readonly node: string;
  /** Of this process. */
  readonly incarnation: string;
  readonly leases: Pick<LeaseStore, 'announce' | 'forget'>;
  /** One that does not jump. */
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Two are lost before the others take it for gone. */
const BEAT_MS = 1_000;

export class Presence {
  readonly #options: PresenceOptions;
  #mode: 'new' | 'active' | 'left' = 'new';
  #view = EMPTY_VIEW;
  #beat = 0;
  #cancelBeat = () => {};

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#mode !== 'new') throw new Error(`a presence that is ${this.#mode} does not start`);
    this.#mode = 'active';
    void this.#announce();
  }

  /** Undefined before anything was heard. */
  view(): ClusterView | undefined {
    if (this.#view.observedAtMs === undefined) return undefined;
    return {
      nodes: [...placeable(this.#view, DEFAULT_POLICY)].sort(),
      gateways: gatewaysOf(this.#view, DEFAULT_POLICY),
      owners: ownersOf(this.#view, DEFAULT_POLICY),
    };
  }

  /** Never rejects. */
  async leave(): Promise<void> {
    if (this.#mode === 'active') await this.#options.leases.forget(this.#options.node).catch(() => {});
    this.#mode = 'left';
    this.#cancelBeat();
  }

  /** One at a time: the next is a beat after the answer, which the store gives within a bound. */
  async #announce(): Promise<void> {
    const { node, incarnation, leases, clock, logger } = this.#options;
    try {
      const said = { node, incarnation, beat: this.#beat++, state: 'leaving', role: 'gateway' } as const;
      this.#view = observe(clock.now(), this.#view, await leases.announce(said), DEFAULT_POLICY);
    } catch (error) {
      logger.debug({ reason: asError(error).message }, 'the other nodes could not be asked for');
    }
    if (this.#mode !== 'active') return;
    this.#cancelBeat = clock.after(BEAT_MS, () => void this.#announce());
  }
}
