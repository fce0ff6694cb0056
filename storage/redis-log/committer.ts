/** Writes committed offsets down, some milliseconds after the first of them: readers commit far more often than anybody asks. */
import type { Clock } from '../../runtime/clock.js';
import type { Logger } from '../../runtime/logger.js';
import { describe } from './errors.js';
import type { Scripts } from './lua/index.js';
import type { RedisPartition } from './partition.js';

const DELAY_MS = 20;
const RETRY_MS = 250;

export interface CommitterOptions {
  readonly scripts: Pick<Scripts, 'commit'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Committer {
  readonly #options: CommitterOptions;
  #dirty = new Set<RedisPartition>();
  #cancel: (() => void) | undefined;
  #writing: Promise<boolean> | undefined;
  #mode: 'writing' | 'held' = 'writing';

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  committed(partition: RedisPartition): void {
    this.#dirty.add(partition);
    this.#arm();
  }

  /** Nothing is written down until `resume`. */
  hold(): void {
    this.#mode = 'held';
    this.#stop();
  }

  resume(): void {
    this.#mode = 'writing';
    if (this.#dirty.size > 0) this.#arm();
  }

  #arm(): void {
    if (this.#mode === 'writing' && this.#writing === undefined)
      this.#cancel ??= this.#options.clock.after(DELAY_MS, this.#tick);
  }

  /** Writes all of it down now. False: not all of it could be. */
  async flush(): Promise<boolean> {
    await this.#writing;
    this.#stop();
    return this.#dirty.size === 0 || (this.#mode === 'writing' && (await this.#write()));
  }

  /** Writes this one down now. False: it could not be. */
  async write(partition: RedisPartition): Promise<boolean> {
    // One that is on its way may hold an earlier offset, and must not come later.
    await this.#writing;
    this.#dirty.delete(partition);
    return this.#mode === 'writing' && this.#writeOne(partition);
  }

  /** Writes nothing more by itself. */
  stop(): void {
    this.#stop();
    this.#dirty.clear();
  }

  /** Nothing of this partition is written down any more. */
  forget(partition: RedisPartition): void {
    this.#dirty.delete(partition);
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #tick = (): void => {
    this.#writing = this.#write();
    void this.#writing.then((written) => {
      this.#writing = undefined;
      this.#cancel = undefined;
      if (this.#dirty.size > 0 && this.#mode === 'writing')
        this.#cancel = this.#options.clock.after(written ? DELAY_MS : RETRY_MS, this.#tick);
    });
  };

  async #write(): Promise<boolean> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const written = await Promise.all([...dirty].map((partition) => this.#writeOne(partition)));
    return !written.includes(false);
  }

  async #writeOne(partition: RedisPartition): Promise<boolean> {
    const { keys, epoch, committed, actor, index } = partition;
    try {
      const result = await this.#options.scripts.commit(keys.state, keys.frames, epoch, committed);
      if (result === 1 || partition.epoch !== epoch) return true;
      this.#options.logger.warn(
        { actor, partition: index, epoch, committed, result },
        'a partition is not ours any more',
      );
      partition.onLost?.(result === 0 ? 'claimed' : 'went-back');
      return true;
    } catch (error) {
      // Who is its reader no more has nothing to say: on a Redis that has lost its data, the offset would stand for other messages.
      if (partition.epoch === epoch) this.#dirty.add(partition);
      this.#options.logger.debug(
        { actor, partition: index, reason: describe(error) },
        'an offset could not be written down',
      );
      return false;
    }
  }
}
