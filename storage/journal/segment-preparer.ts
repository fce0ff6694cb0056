/**
 * Makes the next segment while the current one fills: all zeros, at its full size, durable under its name before use.
 *
 * ```
 * idle -> preparing -> ready -> idle          `prepare`, done, `take`
 *         preparing -> backoff -> preparing   it failed (the disk is full), and is tried again later
 * any  -> stopped
 * ```
 * No failure here is final: nothing was promised yet. It shows as a full journal once the active segment is used up.
 */
import { join } from 'node:path';
import { asError } from '../../runtime/failure.js';
import type { Logger } from '../../runtime/logger.js';
import type { JournalClock } from './clock.js';
import type { FileSystem } from './file-system.js';
import { segmentName, temporaryName } from './format.js';
import { hasCode } from './has-code.js';

export type PreparerState = 'idle' | 'preparing' | 'ready' | 'backoff' | 'stopped';

export interface PreparedSegment {
  readonly number: number;
  readonly path: string;
  readonly fd: number;
  readonly bytes: number;
}

const CHUNK_BYTES = 1024 * 1024;
/** Synced in portions, so that a group commit never waits behind a whole segment of zeros. */
const SYNC_BYTES = 4 * CHUNK_BYTES;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

export class SegmentPreparer {
  /** Called when `ready` or `backoff` is entered. */
  onChange: ((state: 'ready' | 'backoff') => void) | undefined;
  /** Why it is in `backoff`. */
  failure: Error | undefined;
  readonly #fs: FileSystem;
  readonly #clock: JournalClock;
  readonly #directory: string;
  readonly #logger: Logger;
  #state: PreparerState = 'idle';
  #prepared: PreparedSegment | undefined;
  #running: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | undefined;
  #retryMs = RETRY_MS_MIN;

  constructor(parts: { fs: FileSystem; clock: JournalClock; directory: string; logger: Logger }) {
    this.#fs = parts.fs;
    this.#clock = parts.clock;
    this.#directory = parts.directory;
    this.#logger = parts.logger;
  }

  get state(): PreparerState {
    return this.#state;
  }

  prepare(number: number, bytes: number): void {
    if (this.#state !== 'idle' && this.#state !== 'backoff') {
      throw new Error(`a segment cannot be prepared while ${this.#state}`);
    }
    this.#state = 'preparing';
    this.#running = this.#run(number, bytes);
  }

  /** A segment that was found ready. */
  adopt(prepared: PreparedSegment): void {
    if (this.#state !== 'idle') throw new Error(`a segment cannot be adopted while ${this.#state}`);
    this.#prepared = prepared;
    this.#state = 'ready';
  }

  /** The prepared segment, if it is ready. */
  take(): PreparedSegment | undefined {
    const prepared = this.#prepared;
    if (this.#state !== 'ready' || prepared === undefined) return undefined;
    this.#prepared = undefined;
    this.#state = 'idle';
    return prepared;
  }

  /** Resolves when nothing is going on any more; a segment that was ready stays on the disk for the next start. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#cancelRetry?.();
    await this.#running;
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared !== undefined) await this.#fs.close(prepared.fd);
  }

  async #run(number: number, bytes: number): Promise<void> {
    try {
      const prepared = await prepareSegment(
        this.#fs,
        this.#directory,
        number,
        bytes,
        () => this.#state === 'stopped',
      );
      this.#prepared = prepared;
      if (prepared === undefined || this.#state === 'stopped') return;
      this.#state = 'ready';
      this.#retryMs = RETRY_MS_MIN;
      this.failure = undefined;
      this.onChange?.('ready');
    } catch (error) {
      if (this.#state === 'stopped') return;
      this.#backOff(number, bytes, asError(error));
    }
  }

  #backOff(number: number, bytes: number, failure: Error): void {
    this.#state = 'backoff';
    this.failure = failure;
    this.#logger.warn({ err: failure, segment: number, retryMs: this.#retryMs }, 'cannot prepare a segment');
    this.#cancelRetry = this.#clock.after(this.#retryMs, () => {
      if (this.#state === 'backoff') this.prepare(number, bytes);
    });
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
    this.onChange?.('backoff');
  }
}

/** Makes one segment. Undefined when `stopped` turned true; leaves no temporary file behind but in a crash. */
export async function prepareSegment(
  fs: FileSystem,
  directory: string,
  number: number,
  bytes: number,
  stopped: () => boolean,
): Promise<PreparedSegment | undefined> {
  const temporary = join(directory, temporaryName(number));
  const path = join(directory, segmentName(number));
  const fd = await fs.open(temporary, 'w+');
  try {
    const whole = await fillWithZeros(fs, fd, 0, bytes, stopped);
    if (whole) {
      await fs.rename(temporary, path);
      await fs.syncDirectory(directory);
      return { number, path, fd, bytes };
    }
  } catch (error) {
    await discard(fs, fd, temporary);
    throw error;
  }
  await discard(fs, fd, temporary);
  return undefined;
}

/** Zeros [from, to) and syncs. False when it was stopped before. */
export async function fillWithZeros(
  fs: FileSystem,
  fd: number,
  from: number,
  to: number,
  stopped: () => boolean,
): Promise<boolean> {
  const zeros = Buffer.alloc(Math.min(CHUNK_BYTES, to - from));
  let unsynced = 0;
  for (let position = from; position < to; ) {
    if (stopped()) return false;
    const length = Math.min(zeros.length, to - position);
    await fs.write(fd, zeros, 0, length, position);
    position += length;
    unsynced += length;
    if (unsynced >= SYNC_BYTES) {
      await fs.fsync(fd);
      unsynced = 0;
    }
  }
  await fs.fsync(fd);
  return true;
}

async function discard(fs: FileSystem, fd: number, path: string): Promise<void> {
  await fs.close(fd);
  try {
    await fs.unlink(path);
  } catch (error) {
    // Renamed already: the segment has its name and is whole, the next attempt makes it again.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
