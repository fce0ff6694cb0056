/**
 * How long the body of a webhook may be, and the memory that bodies which are longer than usual may take together (P5).
 *
 * A body of usual length is short-lived and small; so many at once as there are connections are no danger. Longer ones, which an endpoint may
 * allow, are counted while they come in, by the memory that they hold: when there is no room, the sender is told to try again.
 */

/** What an endpoint takes that says nothing else. */
export const BODY_BYTES_MAX = 64 * 1024;
/** What an endpoint may allow. */
export const ENDPOINT_BODY_BYTES_MAX = 1024 * 1024;

const ROOM_BYTES = 64 * 1024 * 1024;

export class LargeBodies {
  readonly #roomBytes: number;
  #bytes = 0;

  constructor(roomBytes: number = ROOM_BYTES) {
    this.#roomBytes = roomBytes;
  }

  /** That longer bodies hold now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is room for so many more; then they are given back by `leave`. */
  enter(bytes: number): boolean {
    if (this.#bytes + bytes > this.#roomBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  leave(bytes: number): void {
    this.#bytes -= bytes;
  }
}
