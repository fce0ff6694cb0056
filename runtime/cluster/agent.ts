/**
 * A node's part in the cluster: it says that it lives, sees who else does, holds the leases of the partitions that are placed on it, and has
 * them read for as long as it holds them.
 *
 * Modes: new -> active -> leaving -> left.
 *
 * It promises, whatever of the store's answers comes late or never: no partition is worked on past the end of its lease by our clock, and
 * what this node takes over it has claimed after it got the lease. A node that is paused works on for a moment when it wakes; the epochs
 * that `claim` raises keep that without effect.
 */
import type { Clock } from '../clock.js';
import { asError } from '../failure.js';
import type { Logger } from '../logger.js';
import { decide, isHeld, type Step } from './decide.js';
import { Lease } from './lease.js';
import {
  type Announcement,
  type ClusterView,
  EMPTY_VIEW,
  forgettable,
  gatewaysOf,
  observe,
  ownersOf,
  placeable,
  type View,
} from './membership.js';
import { place } from './placement.js';
import { type ClusterPolicy, fillPolicy } from './policy.js';

/** Where leases are kept, as one node uses it. Each method rejects, within a bound, when there is no answer: then nothing is known. */
export interface LeaseStore {
  /** Undefined when it is ours now; else who holds it. */
  acquire(index: number): Promise<string | undefined>;
  /** Those that are still ours. */
  renew(indexes: readonly number[]): Promise<ReadonlySet<number>>;
  release(index: number): Promise<boolean>;
  /** Says something of this node, and hears what all have said, itself included. */
  announce(own: Announcement): Promise<readonly Announcement[]>;
  forget(node: string): Promise<void>;
  /** A word may be lost. */
  onReleased(listener: (index: number) => void): void;
}

/** What is done with partition `index` of every actor type. Each promise settles within a bound. */
export interface PartitionWork {
  /** Makes this process the one whose commits and effects count. Epochs, by actor type. */
  claim(index: number): Promise<ReadonlyMap<string, number>>;
  adopt(index: number, epochs: ReadonlyMap<string, number>): void;
  /** Ends it in order: what was begun is done, and written down. */
  giveUp(index: number, deadlineMs: number): Promise<void>;
  /** Ends it at once, whether it was adopted or only claimed. */
  drop(index: number): void;
}

export interface ClusterAgentOptions {
  readonly node: string;
  /** Of this process. */
  readonly incarnation: string;
  readonly partitions: number;
  readonly leases: LeaseStore;
  readonly work: PartitionWork;
  /** One that does not jump. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly policy?: Partial<ClusterPolicy>;
}

export type AgentMode = 'new' | 'active' | 'leaving' | 'left';

export interface AgentStats extends ClusterView {
  readonly mode: AgentMode;
  /** Partitions that are placed on this node. */
  readonly placed: number;
  /** Partitions that are being read. */
  readonly owned: readonly number[];
  /** Leases that ended before they were given back, since the start. */
  readonly lost: number;
}

/** After the deadline of a leave, for the last words. */
const FAREWELL_MS = 1_000;

export class ClusterAgent {
  readonly #options: ClusterAgentOptions;
  readonly #policy: ClusterPolicy;
  readonly #leases: readonly Lease[];
  #mode: AgentMode = 'new';
  #view: View = EMPTY_VIEW;
  #nodes: readonly string[] = [];
  #wanted: ReadonlySet<number> | undefined;
  #beat = 0;
  #beatAt = Number.NEGATIVE_INFINITY;
  #renewAt = Number.NEGATIVE_INFINITY;
  #announcing = false;
  #renewing = false;
  #lost = 0;
  /** When a leaving node begins to hand over: by then the others know. */
  #handOverAt = Number.POSITIVE_INFINITY;
  #cancelTick = () => {};
  #isStepping = false;
  #left: Promise<void> | undefined;
  #allFree: (() => void) | undefined;

  /** @throws RangeError */
  constructor(options: ClusterAgentOptions) {
    this.#options = options;
    this.#policy = fillPolicy(options.policy);
    this.#leases = Array.from({ length: options.partitions }, (_, index) => new Lease(index, this.#policy));
  }

  start(): void {
    if (this.#mode !== 'new') throw new Error(`a cluster agent that is ${this.#mode} does not start`);
    this.#mode = 'active';
    this.#options.leases.onReleased((index) => {
      this.#leases[index]?.hurry();
      this.#wake();
    });
    this.#tick();
  }

  /** Somebody else has claimed a partition that we read, or the log has lost of it what we knew: what we have of it is worth nothing. */
  lost(index: number): void {
    const lease = this.#leases[index];
    if (lease === undefined || (lease.mode !== 'owned' && lease.mode !== 'draining')) return;
    const now = this.#options.clock.now();
    this.#options.logger.warn({ partition: index }, 'a partition was claimed by another node, or went back');
    this.#options.work.drop(index);
    if (lease.validUntil <= now) this.#end(lease, now);
    else lease.unclaimed(now);
  }

  /**
   * Gives every partition to the others, in order, for `deadlineMs` at most; what is left is dropped. Never rejects. Called again, it is the
   * same leave.
   */
  leave(deadlineMs: number): Promise<void> {
    this.#left ??= this.#leave(deadlineMs);
    return this.#left;
  }

  stats(): AgentStats {
    const { node } = this.#options;
    const owned = this.#leases.filter(({ mode }) => mode === 'owned').map(({ index }) => index);
    const others = [...ownersOf(this.#view, this.#policy)].filter(([, owner]) => owner !== node);
    return {
      mode: this.#mode,
      nodes: this.#nodes,
      gateways: gatewaysOf(this.#view, this.#policy),
      owners: new Map([...others, ...owned.map((index) => [index, node] as const)]),
      placed: this.#wanted?.size ?? 0,
      owned,
      lost: this.#lost,
    };
  }

  async #leave(deadlineMs: number): Promise<void> {
    const { clock, leases, node, logger } = this.#options;
    const { beatMs, tickMs } = this.#policy;
    if (this.#mode === 'active') {
      this.#mode = 'leaving';
      const now = clock.now();
      // Alone, there is nobody to wait for.
      this.#handOverAt = now + (this.#nodes.length > 1 ? Math.min(beatMs + 2 * tickMs, deadlineMs / 2) : 0);
      this.#beatAt = now;
      const allFree = new Promise<void>((resolve) => {
        this.#allFree = resolve;
      });
      const cancelDeadline = clock.after(deadlineMs, () => this.#dropAll());
      const cancelEnd = clock.after(deadlineMs + FAREWELL_MS, () => this.#allFree?.());
      this.#tick();
      await allFree;
      cancelDeadline();
      cancelEnd();
      await leases.forget(node).catch((error: unknown) => {
        logger.debug(
          { reason: asError(error).message },
          'the others find out by themselves that this node is gone',
        );
      });
    }
    this.#mode = 'left';
    this.#cancelTick();
  }

  #dropAll(): void {
    const now = this.#options.clock.now();
    for (const lease of this.#leases) {
      if (lease.mode !== 'owned' && lease.mode !== 'draining') continue;
      this.#options.work.drop(lease.index);
      lease.unclaimed(now);
    }
    this.#tick();
  }

  /** A step, before the next tick. */
  #wake(): void {
    if (this.#mode === 'active' || this.#mode === 'leaving') this.#step();
  }

  #tick(): void {
    this.#cancelTick();
    if (this.#mode === 'left') return;
    this.#cancelTick = this.#options.clock.after(this.#policy.tickMs, () => this.#tick());
    this.#step();
  }

  #step(): void {
    // A step may bring about the next one: they come one after the other.
    if (this.#isStepping) return;
    this.#isStepping = true;
    const now = this.#options.clock.now();
    for (const step of decide(now, this.#leases, this.#whatIsWanted(now), this.#policy))
      this.#take(step, now);
    if (now >= this.#beatAt && !this.#announcing) void this.#announce(now);
    if (now >= this.#renewAt && !this.#renewing) void this.#renew(now);
    this.#isStepping = false;
    if (
      this.#mode === 'leaving' &&
      now >= this.#handOverAt &&
      this.#leases.every(({ mode }) => mode === 'free')
    )
      this.#allFree?.();
  }

  #whatIsWanted(now: number): ReadonlySet<number> | undefined {
    if (this.#mode !== 'leaving') return this.#wanted;
    if (now >= this.#handOverAt) return new Set();
    return new Set(this.#leases.filter(({ mode }) => isHeld(mode)).map(({ index }) => index));
  }

  #take({ kind, index }: Step, now: number): void {
    const lease = this.#leases[index] as Lease;
    switch (kind) {
      case 'end':
        this.#end(lease, now);
        break;
      case 'acquire':
        void this.#acquire(lease, now);
        break;
      case 'claim':
        void this.#claim(lease);
        break;
      case 'give-up':
        void this.#giveUp(lease);
        break;
      case 'release':
        void this.#release(lease);
        break;
    }
  }

  #end(lease: Lease, now: number): void {
    const { work, logger } = this.#options;
    if (lease.mode === 'owned' || lease.mode === 'draining') {
      work.drop(lease.index);
      this.#lost++;
      logger.warn({ partition: lease.index }, 'a lease has ended before it was given back');
    }
    lease.ended(now);
  }

  async #acquire(lease: Lease, now: number): Promise<void> {
    lease.acquiring();
    let isOurs = false;
    try {
      isOurs = (await this.#options.leases.acquire(lease.index)) === undefined;
    } catch (error) {
      this.#failed(error, lease, 'a lease could not be asked for');
    }
    if (isOurs) lease.granted(now);
    else lease.refused(this.#options.clock.now());
    if (isOurs) this.#wake();
  }

  async #claim(lease: Lease): Promise<void> {
    const { work, clock, logger } = this.#options;
    lease.claiming();
    const { term } = lease;
    const begunAt = clock.now();
    try {
      const epochs = await work.claim(lease.index);
      const now = clock.now();
      const isOurs = lease.term === term && lease.validUntil > now;
      const isUseful = this.#mode !== 'left' && this.#whatIsWanted(now)?.has(lease.index) === true;
      if (isOurs && isUseful) {
        work.adopt(lease.index, epochs);
        lease.owned();
        logger.debug({ partition: lease.index, ms: now - begunAt }, 'a partition is read here from now on');
        return;
      }
      // The lease has ended meanwhile, or belongs to another node by now.
      work.drop(lease.index);
      if (lease.term === term) lease.unclaimed(now);
    } catch (error) {
      this.#failed(error, lease, 'a partition could not be claimed');
      if (lease.term === term) lease.unclaimed(clock.now());
    } finally {
      lease.claimAnswered();
      this.#wake();
    }
  }

  async #giveUp(lease: Lease): Promise<void> {
    const { work, clock, logger } = this.#options;
    lease.draining();
    const { term } = lease;
    const begunAt = clock.now();
    try {
      await work.giveUp(lease.index, this.#policy.drainMs);
    } catch (error) {
      if (lease.term !== term) return;
      logger.warn(
        { partition: lease.index, reason: asError(error).message },
        'a partition did not end in order: what was begun is done once more',
      );
      work.drop(lease.index);
    }
    if (lease.term !== term) return;
    logger.debug({ partition: lease.index, ms: clock.now() - begunAt }, 'a partition was given up');
    lease.drained();
    this.#wake();
  }

  async #release(lease: Lease): Promise<void> {
    lease.releasing();
    let isAnswered = false;
    try {
      await this.#options.leases.release(lease.index);
      isAnswered = true;
    } catch (error) {
      this.#failed(error, lease, 'a lease could not be given back');
    }
    lease.released(this.#options.clock.now(), isAnswered);
    this.#wake();
  }

  async #renew(now: number): Promise<void> {
    const held = this.#leases
      .filter(({ mode }) => isHeld(mode))
      .map((lease) => ({ lease, term: lease.term }));
    if (held.length === 0) return;
    this.#renewing = true;
    this.#renewAt = now + this.#policy.renewMs;
    try {
      const ours = await this.#options.leases.renew(held.map(({ lease }) => lease.index));
      const answeredAt = this.#options.clock.now();
      for (const { lease, term } of held) {
        if (lease.term !== term || !isHeld(lease.mode)) continue;
        if (ours.has(lease.index)) lease.renewed(now);
        else this.#end(lease, answeredAt);
      }
    } catch (error) {
      this.#renewAt = this.#options.clock.now() + this.#policy.retryMs;
      this.#options.logger.debug({ reason: asError(error).message }, 'leases could not be renewed');
    }
    this.#renewing = false;
  }

  async #announce(now: number): Promise<void> {
    const { leases, node, incarnation, clock, logger } = this.#options;
    this.#announcing = true;
    this.#beatAt = now + this.#policy.beatMs;
    try {
      const state = this.#mode === 'leaving' ? 'leaving' : 'active';
      const { owned } = this.stats();
      const all = await leases.announce({ node, incarnation, beat: this.#beat++, state, owned });
      this.#see(observe(clock.now(), this.#view, all, this.#policy));
    } catch (error) {
      logger.debug({ reason: asError(error).message }, 'the other nodes could not be asked for');
    }
    this.#announcing = false;
    this.#wake();
  }

  #see(view: View): void {
    const { node, partitions, logger, leases } = this.#options;
    this.#view = view;
    const nodes = [...placeable(view, this.#policy)].sort();
    if (nodes.join() !== this.#nodes.join() || this.#wanted === undefined) {
      this.#nodes = nodes;
      this.#wanted = new Set(
        place(partitions, nodes).flatMap((owner, index) => (owner === node ? index : [])),
      );
      logger.info({ nodes, placed: this.#wanted.size }, 'these nodes share the partitions');
    }
    for (const gone of forgettable(view, this.#policy.forgetMs)) {
      leases.forget(gone).catch((error: unknown) => {
        logger.debug(
          { reason: asError(error).message, node: gone },
          'a node that is gone could not be removed',
        );
      });
    }
  }

  #failed(error: unknown, { index }: Lease, message: string): void {
    this.#options.logger.debug({ partition: index, reason: asError(error).message }, message);
  }
}
