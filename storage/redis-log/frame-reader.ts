/** Reads frames out of Redis. A reader has nothing to do without them, so it waits for Redis as long as it takes. */

import type { Clock } from '../../runtime/clock.js';
import { LogClosedError, LogReadError } from '../../runtime/errors.js';
import type { Logger } from '../../runtime/logger.js';
import type { Frame } from '../../runtime/message-log.js';
import type { RedisClient } from '../redis/client.js';
import { describe } from './errors.js';
import type { RedisPartition } from './partition.js';

const FRAMES_MAX = 1_000;
const RETRY_MS = 100;
const RETRY_MS_MAX = 2_000;

export interface FrameReaderOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class FrameReader {
  readonly #options: FrameReaderOptions;
  #closed = false;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** Reads that wait for Redis end. */
  close(): void {
    this.#closed = true;
  }

  /** @throws LogClosedError; LogReadError when the entry that holds `offset` is not there, though nobody is done with it */
  async read(partition: RedisPartition, offset: number, bytesMax: number): Promise<readonly Frame[]> {
    const { clock, logger } = this.#options;
    for (let delayMs = RETRY_MS; ; delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
      if (this.#closed) throw new LogClosedError('the log is closed');
      try {
        return await this.#read(partition, offset, bytesMax);
      } catch (error) {
        if (error instanceof LogReadError) throw error;
        const { actor, index } = partition;
        logger.debug({ actor, partition: index, reason: describe(error) }, 'Redis could not be read');
      }
      await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    }
  }

  async #read(partition: RedisPartition, offset: number, bytesMax: number): Promise<readonly Frame[]> {
    const frames: Frame[] = [];
    let bytes = 0;
    let full = false;
    for (let next = offset; next < partition.end && !full; ) {
      const wanted = Math.ceil((bytesMax - bytes) / Math.max(1, partition.frameBytes));
      const found = await this.#readAt(partition, next, Math.min(FRAMES_MAX, Math.max(1, wanted)));
      if (found.length === 0) throw gapAt(partition, next, partition.end);
      for (const frame of found) {
        full = frames.length > 0 && bytes + frame.body.length > bytesMax;
        if (full) break;
        // The first may begin before what was asked for.
        if (frames.length === 0 ? frame.offset > next : frame.offset !== next)
          throw gapAt(partition, next, frame.offset);
        frames.push(frame);
        bytes += frame.body.length;
        next = frame.offset + frame.count;
      }
      partition.frameBytes = Math.ceil(bytes / frames.length);
      // Others append meanwhile, and news of it come by another connection.
      partition.reached(next);
    }
    return frames;
  }

  async #readAt(partition: RedisPartition, offset: number, count: number): Promise<readonly Frame[]> {
    const { frames } = partition.keys;
    const entries = await this.#options.client.xrangeBuffer(frames, `${offset + 1}-0`, '+', 'COUNT', count);
    return entries.map(([id, fields]) => toFrame(id, fields));
  }
}

function toFrame(id: Buffer, fields: readonly Buffer[]): Frame {
  const [, count, , body] = fields;
  if (count === undefined || body === undefined) throw new LogReadError(`the entry ${id} is no frame`);
  const messages = Number(count);
  return { offset: Number.parseInt(id.toString('latin1'), 10) - messages, count: messages, body };
}

function gapAt({ actor, index }: RedisPartition, offset: number, next: number): LogReadError {
  return new LogReadError(
    `${actor}/${index}: messages from ${offset} to before ${next} are not in Redis any more`,
  );
}
