/**
 * Looks whether Redis nears its memory limit. At the limit it refuses every write, and a reader could not even write down how far it
 * has come: so senders are refused before.
 */

import type { Redis } from 'ioredis';
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { type RedisClient, serversOf } from '../redis/client.js';
import { describe } from './errors.js';

const LOOK_MS = 1_000;
/** Of `maxmemory`: from the first on nothing is taken, below the second again. */
const FULL_SHARE = 0.9;
const ROOM_SHARE = 0.8;

export interface Memory {
  readonly usedBytes: number;
  /** 0: Redis has no limit, and the machine's is not known. */
  readonly maxBytes: number;
}

export interface MemoryPressureOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (full: boolean) => void;
}

export class MemoryPressure {
  readonly #options: MemoryPressureOptions;
  #mode: 'new' | 'looking' | 'stopped' = 'new';
  #cancel: (() => void) | undefined;
  #full = false;
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
    this.#change(true);
  }

  async #look(): Promise<void> {
    const { client, clock, logger } = this.#options;
    try {
      const all = await Promise.all(serversOf(client).map(readMemory));
      const share = ({ usedBytes, maxBytes }: Memory) => (maxBytes === 0 ? 0 : usedBytes / maxBytes);
      this.#memory = all.reduce(
        (most, each) => (share(each) > share(most) ? each : most),
        all[0] ?? this.#memory,
      );
      const worst = share(this.#memory);
      if (worst >= FULL_SHARE) this.#change(true);
      else if (worst < ROOM_SHARE) this.#change(false);
    } catch (error) {
      logger.debug({ reason: describe(error) }, 'the memory of Redis could not be looked at');
    }
    if (this.#mode === 'looking') this.#cancel = clock.after(LOOK_MS, () => void this.#look());
  }

  #change(full: boolean): void {
    if (full === this.#full) return;
    this.#full = full;
    const fields = { ...this.#memory };
    if (full)
      this.#options.logger.warn(
        fields,
        'Redis nears its memory limit: senders are refused until actors have caught up',
      );
    else this.#options.logger.info(fields, 'Redis has room again');
    this.#options.onChange(full);
  }
}

async function readMemory(server: Redis): Promise<Memory> {
  const text = await server.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { usedBytes: read('used_memory'), maxBytes: read('maxmemory') };
}
