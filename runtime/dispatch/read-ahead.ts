/**
 * How many reads of the log a thread's credit is worth, where reading takes time: from a disk, or over a network.
 *
 * Several partitions are read at once, and what they bring is not known before. What finds no credit when it comes is dropped and read
 * again. Without this a thread that finished 20 messages at a time had Redis read 16 times for each 20, 64 KiB at a time: most of a core.
 *
 * So a read begins when what is not spoken for is enough for all that a read brought lately, or a quarter of the window. Less than that
 * means that the thread has three quarters of a window to work on, or that reads are under way: the next end of either asks again.
 */
const WEIGHT = 1 / 4;
const WINDOW_SHARE = 1 / 4;

export class ReadAhead {
  #pending = 0;
  /** What a read brings, moving averages. Reads that take no time are not counted: they cost nothing to repeat. */
  #messages = 1;
  #bytes = 1;

  /** @param credit of a thread, and `window` what it is when nothing is in flight: messages, or bytes */
  isWorth(messages: Credit, bytes: Credit): boolean {
    return isEnough(messages, this.#pending, this.#messages) && isEnough(bytes, this.#pending, this.#bytes);
  }

  begin(): void {
    this.#pending++;
  }

  /** Exactly once for each `begin`. */
  end(): void {
    this.#pending--;
  }

  brought(messages: number, bytes: number): void {
    this.#messages += (messages - this.#messages) * WEIGHT;
    this.#bytes += (bytes - this.#bytes) * WEIGHT;
  }
}

export interface Credit {
  readonly credit: number;
  readonly window: number;
}

function isEnough({ credit, window }: Credit, pending: number, each: number): boolean {
  return credit > 0 && credit - pending * each >= Math.min(each, window * WINDOW_SHARE);
}
