/**
 * Looks whether Redis nears its memory limit. At the limit it refuses every write but those that make room: so senders are refused before,
 * and actors that pass messages on have the rest, but for a last part that Redis needs for its own work.
 *
 * ```
 * open        -> actors-only   90 % are used
 * actors-only -> none          95 %, or Redis has refused a write
 * none        -> actors-only   less than 95 %: what is passed on and what is done may keep the balance there
 * actors-only -> open          less than 80 %
 * ```
 * Each partition is trimmed by itself, so what is done gives its room back whatever else is held up.
 *
 * Used is what Redis compares with its limit itself: without what waits for the disk (`mem_aof_buffer`) or for a replica that reads slowly. That
 * comes and goes by megabytes, and is no reason to refuse anybody.
 */

import type { Redis } from 'ioredis';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { type RedisClient, serversOf } from '../redis/client.js';
import { describe } from './errors.js';

const LOOK_MS = 1_000;
/** While it is near, from `ROOM_SHARE` on: what senders bring between two looks is the actors' part. */
const NEAR_LOOK_MS = 100;
/** Of `maxmemory`: from the first on nothing is taken from senders, below the second again. */
const FULL_SHARE = 0.9;
const ROOM_SHARE = 0.8;
/** The same for what passes on. */
const NONE_SHARE = 0.95;

/** Who may still append. */
export type RedisRoom = 'open' | 'actors-only' | 'none';

export interface Memory {
  readonly usedBytes: number;
  /** 0: Redis has no limit, and the machine's is not known. */
  readonly maxBytes: number;
}

export interface MemoryPressureOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (room: RedisRoom) => void;
}

export class MemoryPressure {
  readonly #options: MemoryPressureOptions;
  #mode: 'new' | 'looking' | 'stopped' = 'new';
  #cancel: (() => void) | undefined;
  #room: RedisRoom = 'open';
  /** Since it was open: it may be so many times a second. */
  #toldNone = false;
  #memory: Memory = { usedBytes: 0, maxBytes: 0 };

  constructor(options: MemoryPressureOptions) {
    this.#options = options;
  }

  /** Of the server that is nearest to its limit, when it was last looked at. */
  get memory(): Memory {
    return this.#memory;
  }

  start(): void {
    this.#mode = 'looking';
    void this.#look();
  }

  stop(): void {
    this.#mode = 'stopped';
    this.#cancel?.();
  }

  /** Redis has refused a write. */
  refused(): void {
    this.#change('none');
  }

  async #look(): Promise<void> {
    const { client, clock, logger } = this.#options;
    let worst = 0;
    try {
      const all = await Promise.all(serversOf(client).map(readMemory));
      const share = ({ usedBytes, maxBytes }: Memory) => (maxBytes === 0 ? 0 : usedBytes / maxBytes);
      this.#memory = all.reduce(
        (most, each) => (share(each) > share(most) ? each : most),
        all[0] ?? this.#memory,
      );
      worst = share(this.#memory);
      this.#change(roomAt(worst, this.#room));
    } catch (error) {
      logger.debug({ reason: describe(error) }, 'the memory of Redis could not be looked at');
    }
    if (this.#mode === 'looking') {
      this.#cancel = clock.after(worst < ROOM_SHARE ? LOOK_MS : NEAR_LOOK_MS, () => void this.#look());
    }
  }

  #change(room: RedisRoom): void {
    const before = this.#room;
    if (room === before) return;
    this.#room = room;
    const { logger, onChange } = this.#options;
    const fields = { ...this.#memory };
    if (room === 'open') {
      this.#toldNone = false;
      logger.info(fields, 'Redis has room again');
    } else if (before === 'open') {
      logger.warn(fields, 'Redis nears its memory limit: senders are refused until actors have caught up');
    }
    if (room === 'none' && !this.#toldNone) {
      this.#toldNone = true;
      logger.warn(fields, 'Redis is at its memory limit: actors that pass messages on wait as well');
    }
    onChange(room);
  }
}

function roomAt(share: number, before: RedisRoom): RedisRoom {
  if (share >= NONE_SHARE) return 'none';
  if (share >= FULL_SHARE || (before !== 'open' && share >= ROOM_SHARE)) return 'actors-only';
  return 'open';
}

async function readMemory(server: Redis): Promise<Memory> {
  const text = await server.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    usedBytes: read('used_memory') - read('mem_not_counted_for_evict'),
    maxBytes: read('maxmemory'),
  };
}
