/**
 * Writes dead letters to their sink, one batch at a time, for as long as it takes: a message is let go of only when its dead
 * letter is durable (P4). Bounded by the dispatcher's credit, which each letter keeps until then.
 */
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import { backoffMs, type RetryPolicy } from '../retry.js';
import type { DeadLetter, DeadLetterSink } from './dead-letter.js';

const RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 100, delayMsMax: 5_000 };
const BATCH_MAX = 100;

interface Pending {
  readonly letter: DeadLetter;
  readonly stored: () => void;
  readonly recalled: () => boolean;
}

export class DeadLetterWriter {
  readonly #sink: DeadLetterSink;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random: () => number;
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;
  #endWait: (() => void) | undefined;
  #written = 0;

  /** @param random returns [0, 1) */
  constructor(sink: DeadLetterSink, clock: Clock, logger: Logger, random: () => number = Math.random) {
    this.#sink = sink;
    this.#clock = clock;
    this.#logger = logger;
    this.#random = random;
  }

  /** Letters stored by this process. */
  get written(): number {
    return this.#written;
  }

  /** Letters that wait for the sink. */
  get pending(): number {
    return this.#pending.length;
  }

  /**
   * Calls `stored` once the letter is durable. After `close` it is dropped: its message is still on the log. So it is when `recalled`
   * says, before it is handed to the sink, that it is not to be written any more; `stored` is called then too.
   */
  write(letter: DeadLetter, stored: () => void, recalled: () => boolean = () => false): void {
    if (this.#closed) return;
    this.#pending.push({ letter, stored, recalled });
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Ends the current write, gives up on the others. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endWait?.();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let failures = 0; this.#pending.length > 0; ) {
      const recalled = this.#pending.filter((pending) => pending.recalled());
      if (recalled.length > 0) {
        this.#pending = this.#pending.filter((pending) => !recalled.includes(pending));
        for (const { stored } of recalled) stored();
        continue;
      }
      const batch = this.#pending.slice(0, BATCH_MAX);
      try {
        await this.#sink.put(batch.map(({ letter }) => letter));
      } catch (error) {
        if (this.#closed) return;
        failures++;
        this.#logger.error(
          { err: error, pending: this.#pending.length, failures },
          'dead letters cannot be stored yet',
        );
        await new Promise<void>((resolve) => {
          const cancel = this.#clock.after(backoffMs(failures, RETRY, this.#random), resolve);
          this.#endWait = () => {
            cancel();
            resolve();
          };
        });
        if (this.#closed) return;
        continue;
      }
      failures = 0;
      this.#pending.splice(0, batch.length);
      this.#written += batch.length;
      for (const { stored } of batch) stored();
    }
  }
}
