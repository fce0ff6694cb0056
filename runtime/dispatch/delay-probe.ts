/**
 * How long a partition's messages wait on the log because their thread has no credit left.
 *
 * Messages are not stamped: a probe follows one message at a time, the newest when it was set, from then until it is sent. So a
 * long queue that moves fast shows as a short delay. While the message still waits, its age so far counts.
 */
export class DelayProbe {
  #offset = -1;
  #since = 0;
  #waits = false;
  /** The longest delay since the last sample, milliseconds. */
  #longest = 0;

  /** Whether a message is followed. */
  get waits(): boolean {
    return this.#waits;
  }

  /** The message at `offset` cannot be sent now. */
  set(offset: number, now: number): void {
    this.#offset = offset;
    this.#since = now;
    this.#waits = true;
  }

  /** Everything below `next` is sent. */
  sent(next: number, now: () => number): void {
    if (!this.#waits || next <= this.#offset) return;
    this.#longest = Math.max(this.#longest, now() - this.#since);
    this.#waits = false;
  }

  /** What it followed is of no use: the thread is lost, or the pool stands still on purpose. */
  forget(): void {
    this.#waits = false;
    this.#longest = 0;
  }

  /** The longest delay since the last call, milliseconds. */
  sample(now: number): number {
    const longest = this.#waits ? Math.max(this.#longest, now - this.#since) : this.#longest;
    this.#longest = 0;
    return longest;
  }
}
