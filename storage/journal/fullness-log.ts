/**
 * Says in the log that the journal is full, why, and that it is open again.
 *
 * A journal at its limit opens and fills up with every segment that its readers finish, many times a second under load. So
 * it is said to be open only after it has been for a while: between the two lines it was full, or full again and again.
 */
import type { Logger } from '../../runtime/logger.js';
import type { LogState } from '../../runtime/message-log.js';
import type { JournalClock } from './clock.js';

/** How long it has to be open. There are at most two lines in this time. */
export const OPEN_MS_MIN = 10_000;

export class FullnessLog {
  readonly #logger: Logger;
  readonly #clock: JournalClock;
  readonly #bytesMax: number;
  /** Since it was last said to be full; 0 when that is over. */
  #times = 0;
  #cancelOpen: (() => void) | undefined;

  constructor(parts: { logger: Logger; clock: JournalClock; bytesMax: number }) {
    this.#logger = parts.logger;
    this.#clock = parts.clock;
    this.#bytesMax = parts.bytesMax;
  }

  /** The journal is in another state; `cause` with `full`: the disk's error, if that is why. */
  changed(state: LogState, cause: Error | undefined): void {
    this.#cancelOpen?.();
    this.#cancelOpen = undefined;
    if (state === 'full') this.#full(cause);
    else if (state === 'open') this.#cancelOpen = this.#clock.after(OPEN_MS_MIN, this.#open);
  }

  #full(cause: Error | undefined): void {
    this.#times++;
    if (this.#times > 1) return;
    if (cause === undefined) {
      this.#logger.warn({ bytesMax: this.#bytesMax }, 'the journal is full: its size limit is reached');
    } else {
      this.#logger.warn({ err: cause }, 'the journal is full: the disk does not take another segment');
    }
  }

  readonly #open = (): void => {
    this.#logger.info({ timesFull: this.#times }, 'the journal is open again');
    this.#times = 0;
    this.#cancelOpen = undefined;
  };
}
