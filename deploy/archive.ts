/**
 * What a node needs for the archive, put together: the actor, its first look, and the one way to payloads for the API.
 *
 * Modes: `waiting` -> `beginning` (the first look is on its way to the log) -> `begun` | `resting`. Where the archive is off, or no actors run, it waits
 * for ever. The store is opened when the first archived payload is asked for: most nodes never are.
 */
import type { ArchiveMessage } from '../actors/archive/actor.js';
import { Payloads } from '../actors/archive/payloads.js';
import type { ArchiveSettings } from '../actors/archive/settings.js';
import type { ActorSystem } from '../runtime/actor-system.js';
import type { Logger } from '../runtime/logger.js';
import { backoffMs, type RetryPolicy } from '../runtime/retry.js';
import { LazyObjectStore } from '../storage/objects/lazy-store.js';
import type { Pool } from '../storage/postgres/index.js';
import type { Config } from './config.js';
import { objectSettings } from './uploads.js';

const ARCHIVE_ACTOR = new URL('../actors/archive/actor.js', import.meta.url).href;
/** Looks are of one key. */
const KEY = 'events';
const RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 500, delayMsMax: 60_000 };

function archiveActor(config: Config, place: Pick<ArchiveSettings, 'databaseUrl' | 'fencedBy'>) {
  const { afterMs, keepDays } = config.archive;
  const settings: ArchiveSettings = {
    ...place,
    objects: objectSettings(config),
    keepDays,
    ...(afterMs === undefined ? {} : { afterMs }),
  };
  return { module: ARCHIVE_ACTOR, threads: 1, lazy: true, settings };
}

class NodeArchive {
  readonly payloads: Payloads;
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #objects: LazyObjectStore;
  #mode: 'waiting' | 'beginning' | 'begun' | 'resting' = 'waiting';
  #retry: NodeJS.Timeout | undefined;

  constructor(config: Config, pool: Pool, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#objects = new LazyObjectStore(objectSettings(config), logger);
    this.payloads = new Payloads(pool, () => this.#objects.open(), logger);
  }

  /** From when the actors run. */
  begin(system: Pick<ActorSystem, 'ref'>): void {
    const { archive, role } = this.#config;
    const isOn = archive.afterMs !== undefined || archive.keepDays > 0;
    if (!isOn || role === 'gateway' || this.#mode !== 'waiting') return;
    this.#mode = 'beginning';
    void this.#tell(system, 1);
  }

  /** Begins nothing more. */
  rest(): void {
    this.#mode = 'resting';
    clearTimeout(this.#retry);
  }

  /** Ends what was opened. Idempotent. */
  async stop(): Promise<void> {
    this.rest();
    await this.#objects.close();
  }

  async #tell(system: Pick<ActorSystem, 'ref'>, attempt: number): Promise<void> {
    try {
      await system.ref<ArchiveMessage>('archive', KEY).tellDurably({ type: 'look' });
      if (this.#mode === 'beginning') this.#mode = 'begun';
    } catch (error) {
      if (this.#mode !== 'beginning') return;
      this.#logger.warn({ err: error, attempt }, 'the archive cannot begin yet');
      this.#retry = setTimeout(
        () => void this.#tell(system, attempt + 1),
        backoffMs(attempt, RETRY, Math.random),
      );
    }
  }
}

export { archiveActor, NodeArchive };
