/**
 * Keeps an actor type's share of its limits, on one node: asks for it, renews it, gives back what others need more, and lets it end.
 *
 * Modes:
 *   new --start--> without --answer--> holding
 *   holding --no answer in time--> without
 *   without, holding --leave--> left
 *
 * It promises that this node uses no unit of which the store does not know that it is this node's:
 * - more units count from the answer on; fewer are told to the store only when they are not used any more
 * - they end by our clock before they end by that of the store: they count from when they were asked for. Without an answer until then this
 *   node begins nothing more (what is under way goes on), for as long as it takes
 * - an answer that comes late is worth what is left of it, and one that never comes nothing
 *
 * It asks every half second; more often while somebody here waits or has just done so, and while others do.
 */
import { type Clock, monotonicClock, systemClock } from '../clock.js';
import { asError } from '../failure.js';
import type { FilledLimits } from '../limits.js';
import type { Logger } from '../logger.js';
import { NodeShare } from '../pool/node-share.js';
import type { SharedLimits } from '../pool/shared-limits.js';
import { within } from '../within.js';
import { neededUnits } from './need.js';
import type { Quota, ShareAnswer, ShareStore } from './share-store.js';

export interface SharePolicy {
  /** Of a share, from when the store takes note of it. */
  readonly ttlMs: number;
  /** By which we take it for ended before the store does: clocks do not go equally fast. */
  readonly marginMs: number;
  readonly renewMs: number;
  /** While somebody waits; and after a failure. */
  readonly hurryMs: number;
  /** Between two looks at how the share is used. */
  readonly lookMs: number;
}

export const DEFAULT_SHARE_POLICY: SharePolicy = Object.freeze({
  ttlMs: 3_000,
  marginMs: 300,
  renewMs: 500,
  hurryMs: 100,
  lookMs: 50,
});

export interface ShareKeeperOptions {
  readonly actor: string;
  readonly share: NodeShare;
  readonly quotas: readonly Quota[];
  readonly store: ShareStore;
  /** One that does not jump. */
  readonly clock: Clock;
  /** That of the threads. */
  readonly wallClock: Clock;
  readonly logger: Logger;
  readonly policy?: Partial<SharePolicy>;
}

/** The keeper of a type's limits. Before the first thread attaches itself to them. */
export function keepShare(
  actor: string,
  shared: SharedLimits,
  store: ShareStore,
  logger: Logger,
): ShareKeeper {
  const share = new NodeShare(shared);
  const quotas = quotasOf(actor, shared.limits, share.fillMs);
  return new ShareKeeper({
    actor,
    share,
    quotas,
    store,
    clock: monotonicClock,
    wallClock: systemClock,
    logger,
  });
}

export function quotasOf(
  actor: string,
  { concurrencyMax, ratePerSecond, burst }: FilledLimits,
  fillMs: number,
): readonly Quota[] {
  const quotas: Quota[] = [];
  if (Number.isFinite(concurrencyMax))
    quotas.push({ actor, kind: 'permits', units: concurrencyMax, fillMs: 0 });
  if (Number.isFinite(ratePerSecond)) quotas.push({ actor, kind: 'tokens', units: burst, fillMs });
  return quotas;
}

export type ShareMode = 'new' | 'without' | 'holding' | 'left';

/** A quota, and how this node used it since it last asked. */
interface Part {
  readonly quota: Quota;
  used: number;
  lacked: boolean;
  /** Whether it was short when it last asked: when it is no more, others wait for what it needs no longer. */
  wasShort: boolean;
  /** Tokens that nobody here has any more, and of which the store does not know yet. */
  spare: number;
}

const LEAVE_MS_MAX = 1_000;

export class ShareKeeper {
  readonly #options: ShareKeeperOptions;
  readonly #policy: SharePolicy;
  readonly #parts: readonly Part[];
  #mode: ShareMode = 'new';
  /** By our clock. */
  #validUntil = Number.NEGATIVE_INFINITY;
  #askAt = Number.NEGATIVE_INFINITY;
  #askedAt = 0;
  #isAsking = false;
  #cancelLook = () => {};

  constructor(options: ShareKeeperOptions) {
    this.#options = options;
    this.#policy = { ...DEFAULT_SHARE_POLICY, ...options.policy };
    this.#parts = options.quotas.map((quota) => ({
      quota,
      used: 0,
      lacked: false,
      wasShort: false,
      spare: 0,
    }));
  }

  get mode(): ShareMode {
    return this.#mode;
  }

  start(): void {
    this.#enter('without', 'new');
    this.#askedAt = this.#options.clock.now();
    this.#options.share.onLowered = () => {
      this.#askAt = Number.NEGATIVE_INFINITY;
      queueMicrotask(() => this.#step());
    };
    this.#look();
  }

  /** Gives the share back; nothing begins any more. Never rejects: what the store does not hear of ends by itself. */
  async leave(): Promise<void> {
    const { store, clock, actor, logger } = this.#options;
    if (this.#mode === 'new' || this.#mode === 'left') return;
    if (this.#mode === 'holding') this.#release();
    this.#enter('left', 'without', 'holding');
    this.#cancelLook();
    const told = Promise.all(this.#parts.map(({ quota, spare }) => store.leave(quota, spare)));
    await within(clock, LEAVE_MS_MAX, told).catch((error: unknown) => {
      logger.debug({ actor, reason: asError(error).message }, 'a share of the limits ends by itself');
    });
  }

  #enter(mode: ShareMode, ...from: readonly ShareMode[]): void {
    if (!from.includes(this.#mode)) throw new Error(`a share that is ${this.#mode} cannot become ${mode}`);
    if (mode === this.#mode) return;
    this.#mode = mode;
    const { actor, logger } = this.#options;
    logger.debug({ actor, mode }, 'the share of the limits has another mode');
  }

  get #isRunning(): boolean {
    return this.#mode === 'without' || this.#mode === 'holding';
  }

  #look(): void {
    if (!this.#isRunning) return;
    this.#cancelLook = this.#options.clock.after(this.#policy.lookMs, () => this.#look());
    for (const part of this.#parts) this.#watch(part);
    this.#step();
  }

  #watch(part: Part): void {
    const { share } = this.#options;
    const isPermits = part.quota.kind === 'permits';
    const { used, lacked } = isPermits ? share.usePermits() : share.useTokens();
    part.used = isPermits ? Math.max(part.used, used) : part.used + used;
    part.lacked ||= lacked;
  }

  #step(): void {
    if (!this.#isRunning) return;
    const now = this.#options.clock.now();
    if (this.#mode === 'holding' && now >= this.#validUntil) this.#ended();
    if (this.#isAsking) return;
    const hurries = this.#parts.some((part) => part.wasShort || this.#isShort(part));
    const dueAt = hurries ? Math.min(this.#askAt, this.#askedAt + this.#policy.hurryMs) : this.#askAt;
    if (now >= dueAt) void this.#ask(now);
  }

  #isShort(part: Part): boolean {
    return part.lacked && this.#held(part) < part.quota.units;
  }

  #held({ quota }: Part): number {
    const { share } = this.#options;
    return quota.kind === 'permits' ? share.permits : share.units;
  }

  async #ask(now: number): Promise<void> {
    const { store, actor, logger } = this.#options;
    const { ttlMs, renewMs, hurryMs } = this.#policy;
    const ms = now - this.#askedAt;
    this.#isAsking = true;
    this.#askedAt = now;
    this.#askAt = now + renewMs;
    const answers = await Promise.allSettled(
      this.#parts.map((part) => {
        const { quota, used, lacked, spare } = part;
        const needed = neededUnits(quota, { used, lacked, ms });
        // Whether it arrives is not known before the answer: what is told twice would be there twice.
        Object.assign(part, { used: 0, lacked: false, wasShort: this.#isShort(part), spare: 0 });
        return store.ask({ quota, held: this.#held(part), needed, spare }, ttlMs);
      }),
    );
    if (!this.#isRunning) return;
    const failed = answers.find((answer) => answer.status === 'rejected');
    if (failed === undefined) {
      this.#answered(
        now,
        answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])),
      );
    } else {
      this.#askAt = this.#options.clock.now() + hurryMs;
      logger.debug({ actor, reason: asError(failed.reason).message }, 'a share of the limits is not renewed');
    }
    this.#isAsking = false;
    this.#step();
  }

  #answered(askedAt: number, answers: readonly ShareAnswer[]): void {
    const { share, clock, wallClock } = this.#options;
    const { ttlMs, marginMs, hurryMs } = this.#policy;
    const now = clock.now();
    const validUntil = askedAt + ttlMs - marginMs;
    if (now >= validUntil) return;
    if (this.#mode === 'holding' && now >= this.#validUntil) this.#ended();
    this.#enter('holding', 'without', 'holding');
    this.#validUntil = validUntil;
    share.prolong(validUntil - now);
    for (const [at, { units, tokens, contended }] of answers.entries()) {
      const part = this.#parts[at] as Part;
      if (contended) this.#askAt = Math.min(this.#askAt, now + hurryMs);
      if (part.quota.kind === 'permits') {
        share.setPermits(units);
        continue;
      }
      // Others may have it at once.
      if (units < share.units) this.#askAt = now;
      part.spare += share.setUnits(units, tokens, wallClock.now());
    }
  }

  /** Whatever this node had may be another's by now. */
  #ended(): void {
    const { actor, logger } = this.#options;
    logger.warn(
      { actor },
      'the share of the limits has ended, since it could not be renewed: nothing begins until it is',
    );
    this.#release();
    for (const part of this.#parts) part.spare = 0;
    this.#enter('without', 'holding');
  }

  #release(): void {
    const { share, wallClock } = this.#options;
    share.end();
    share.setPermits(0);
    const spare = share.setUnits(0, 0, wallClock.now());
    for (const part of this.#parts) if (part.quota.kind === 'tokens') part.spare += spare;
  }
}
