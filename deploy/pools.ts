/**
 * The pools of a node as operators have them: what was saved in Postgres holds from the start, and what is changed, here or on another
 * node, is saved and followed.
 *
 * Promises:
 * - what this node cannot follow (an actor that is not here, a value of another release) is logged and left out; the rest holds
 * - a change is saved before it holds; without Postgres nothing is changed, and whoever asked is told
 * - every node looks every two seconds for what is new, at versions; while Postgres is away, what held holds on
 * - one thing at a time: what was read before a change is not applied after it
 *
 * Modes: new -> following -> stopped.
 */
import type { PoolControl, PoolSettingsChange, PoolState } from '../gateway/index.js';
import type { ActorSystem } from '../runtime/actor-system.js';
import type { Clock } from '../runtime/clock.js';
import { PoolRequestError, PoolResizeError } from '../runtime/errors.js';
import type { Logger } from '../runtime/logger.js';
import type { ActorStats } from '../runtime/pool/actor-stats.js';
import { allowedSettings, type PoolChange } from '../runtime/pool/pool-settings.js';
import { within } from '../runtime/within.js';
import {
  type PoolSettingsTable,
  PostgresConflictError,
  PostgresUnavailableError,
  type SavedPool,
} from '../storage/postgres/index.js';
import { fittingSettings } from './saved-settings.js';

interface NodePoolsOptions {
  readonly system: Pick<
    ActorSystem,
    'stats' | 'changePool' | 'poolSettings' | 'pausePool' | 'resumePool' | 'drainPool'
  >;
  readonly table: Pick<PoolSettingsTable, keyof PoolSettingsTable>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const POLL_MS = 2_000;
/** Before the pools start: later, the first poll will do. */
const LOAD_MS_MAX = 5_000;
/** Others may change the same pool; more often than that in a row they do not. */
const TRIES_MAX = 5;

class NodePools implements PoolControl {
  readonly #options: NodePoolsOptions;
  #mode: 'new' | 'following' | 'stopped' = 'new';
  /** Rows that hold here, by actor. */
  readonly #applied = new Map<string, SavedPool>();
  /** Actors that are not here, of which was told. */
  #foreign: ReadonlySet<string> = new Set();
  #turn: Promise<unknown> = Promise.resolve();
  #isAway = false;
  #cancelPoll = () => {};

  constructor(options: NodePoolsOptions) {
    this.#options = options;
  }

  get mode(): 'new' | 'following' | 'stopped' {
    return this.#mode;
  }

  /** What is saved, for `follow`; undefined when Postgres does not say in time. */
  async load(): Promise<readonly SavedPool[] | undefined> {
    const { table, clock, logger } = this.#options;
    try {
      const rows = await within(clock, LOAD_MS_MAX, table.list());
      if (rows !== 'late') return rows;
      logger.warn({ deadlineMs: LOAD_MS_MAX }, 'the saved settings of pools are not known yet');
    } catch (error) {
      logger.warn({ err: error }, 'the saved settings of pools are not known yet');
    }
    return undefined;
  }

  /** From now on what is saved holds. In the turn in which the system has started: its threads have not been sent anything yet. */
  follow(rows: readonly SavedPool[] | undefined): void {
    if (this.#mode !== 'new') throw new Error(`pools that are ${this.#mode} cannot be followed`);
    this.#mode = 'following';
    if (rows !== undefined) this.#applyAll(rows);
    this.#poll();
  }

  async stop(): Promise<void> {
    this.#mode = 'stopped';
    this.#cancelPoll();
    await this.#turn;
  }

  list(): readonly PoolState[] {
    return this.#stats().map((stats) => stateOf(stats, this.#applied.get(stats.actor)));
  }

  change(actor: string, change: PoolSettingsChange, by: string): Promise<PoolState> {
    return this.#inTurn(async () => {
      const { system, table } = this.#options;
      const { file } = this.#pool(actor).settings;
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const seen = await table.get(actor);
        const settings = { ...fittingSettings(system, actor, file, seen?.settings ?? {}).change, ...change };
        system.poolSettings(actor, { ...file, ...settings });
        const saved = await table.save(actor, settings, by, seen?.version);
        if (saved === undefined) continue;
        this.#apply(saved);
        return this.#state(actor);
      }
      throw new PostgresConflictError(`the settings of pool ${actor} are changed by others all the time`, '');
    });
  }

  reset(actor: string, by: string): Promise<PoolState> {
    return this.#inTurn(async () => {
      this.#pool(actor);
      const left = await this.#options.table.reset(actor, by);
      if (left === undefined) this.#forget(actor);
      else this.#apply(left);
      return this.#state(actor);
    });
  }

  pause(actor: string, by: string): Promise<PoolState> {
    return this.#setPaused(actor, true, by);
  }

  resume(actor: string, by: string): Promise<PoolState> {
    return this.#setPaused(actor, false, by);
  }

  drain(actor: string, deadlineMs: number): PoolState {
    const { system, logger } = this.#options;
    if (this.#pool(actor).mode === 'draining') {
      throw new PoolRequestError(`the pool of ${actor} drains already`);
    }
    system.drainPool(actor, deadlineMs).then(
      () => logger.info({ actor }, 'a pool is drained'),
      (error: unknown) => logger.warn({ err: error, actor }, 'a pool is not drained'),
    );
    return this.#state(actor);
  }

  #setPaused(actor: string, paused: boolean, by: string): Promise<PoolState> {
    return this.#inTurn(async () => {
      this.#pool(actor);
      this.#apply(await this.#options.table.pause(actor, paused, by));
      return this.#state(actor);
    });
  }

  /** After whatever is under way. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #poll(): void {
    this.#cancelPoll = this.#options.clock.after(POLL_MS, () => {
      void this.#inTurn(() => this.#look()).then(() => {
        if (this.#mode === 'following') this.#poll();
      });
    });
  }

  async #look(): Promise<void> {
    const { table, logger } = this.#options;
    try {
      const rows = await table.list();
      if (this.#mode !== 'following') return;
      this.#applyAll(rows);
      this.#isAway = false;
    } catch (error) {
      if (this.#isAway) return;
      this.#isAway = true;
      logger.warn({ err: error }, 'the saved settings of pools cannot be read; what held holds on');
    }
  }

  #applyAll(rows: readonly SavedPool[]): void {
    const here = new Set(this.#stats().map(({ actor }) => actor));
    for (const row of rows) if (here.has(row.actor)) this.#apply(row);
    const saved = new Set(rows.map(({ actor }) => actor));
    const foreign = new Set([...saved].filter((actor) => !here.has(actor)));
    for (const actor of foreign) {
      if (this.#foreign.has(actor)) continue;
      this.#options.logger.info({ actor }, 'settings are saved for a pool that is not here');
    }
    this.#foreign = foreign;
    for (const actor of [...this.#applied.keys()]) if (!saved.has(actor)) this.#forget(actor);
  }

  #apply(row: SavedPool): void {
    const { actor, version } = row;
    const before = this.#applied.get(actor);
    if (before?.version === version) return;
    this.#applied.set(actor, row);
    const { system, logger } = this.#options;
    const { file } = this.#pool(actor).settings;
    const { change, refused } = fittingSettings(system, actor, file, row.settings);
    if (refused.length > 0) logger.warn({ actor, refused }, 'some saved settings of a pool do not fit');
    this.#change(actor, { ...file, ...change });
    if (row.pauseVersion === (before?.pauseVersion ?? 0)) return;
    if (row.paused) system.pausePool(actor);
    else system.resumePool(actor);
  }

  /** No row any more. */
  #forget(actor: string): void {
    const before = this.#applied.get(actor);
    this.#applied.delete(actor);
    this.#change(actor, this.#pool(actor).settings.file);
    if (before?.paused) this.#options.system.resumePool(actor);
  }

  #change(actor: string, change: PoolChange): void {
    const { system, logger } = this.#options;
    const { current } = this.#pool(actor).settings;
    const same = Object.entries(change).every(([name, value]) => Reflect.get(current, name) === value);
    if (same) return;
    logger.info({ actor, ...change }, 'other settings hold for a pool');
    system.changePool(actor, change).catch((error: unknown) => {
      // The pool tries again by itself.
      const level = error instanceof PoolResizeError ? 'warn' : 'error';
      logger[level]({ err: error, actor }, 'a pool is not as it was set yet');
    });
  }

  #state(actor: string): PoolState {
    return stateOf(this.#pool(actor), this.#applied.get(actor));
  }

  /** @throws PostgresUnavailableError */
  #stats(): readonly ActorStats[] {
    if (this.#mode === 'new') throw new PostgresUnavailableError('the actors wait for Postgres to start');
    return this.#options.system.stats().actors;
  }

  #pool(actor: string): ActorStats {
    const stats = this.#stats().find((stats) => stats.actor === actor);
    if (stats === undefined) throw new RangeError(`no pool of ${actor} runs here`);
    return stats;
  }
}

function stateOf(stats: ActorStats, saved: SavedPool | undefined): PoolState {
  const { actor, mode, threads, resizing, inFlight, done, delayMs, outage, settings } = stats;
  return {
    actor,
    mode,
    threads: threads.length,
    resizing,
    inFlight,
    done,
    delayMs,
    outage: outage ?? null,
    settings,
    allowed: allowedSettings(settings.file),
    saved:
      saved === undefined
        ? null
        : { paused: saved.paused, changedAt: saved.changedAt.toISOString(), changedBy: saved.changedBy },
  };
}

export { NodePools };
