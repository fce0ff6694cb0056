/**
 * One segment file in use, and who is using it.
 *
 * `active` (takes groups) -> `sealed` (only read) -> `retired` (its file is gone). A retired segment's descriptor stays
 * open until the last reader lets go: closed earlier, its number could be another file's by the time of the read.
 */
export type SegmentState = 'active' | 'sealed' | 'retired';

export class Segment {
  readonly number: number;
  readonly path: string;
  readonly fd: number;
  /** Size of the file. */
  readonly bytes: number;
  readonly salt: number;
  /** Position after the last group that is written and, in durability `commit`, synced. */
  end: number;
  /** Partitions with uncommitted frames in it; the active one counts those that had any. */
  live = 0;
  #state: SegmentState = 'active';
  #readers = 0;
  #onUnused: (() => void) | undefined;

  constructor(fields: {
    number: number;
    path: string;
    fd: number;
    bytes: number;
    salt: number;
    end: number;
  }) {
    this.number = fields.number;
    this.path = fields.path;
    this.fd = fields.fd;
    this.bytes = fields.bytes;
    this.salt = fields.salt;
    this.end = fields.end;
  }

  get state(): SegmentState {
    return this.#state;
  }

  seal(): void {
    if (this.#state !== 'active')
      throw new Error(`segment ${this.number} is ${this.#state}, cannot be sealed`);
    this.#state = 'sealed';
  }

  /** Resolves when nobody reads it any more. */
  retire(): Promise<void> {
    this.#state = 'retired';
    if (this.#readers === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onUnused = resolve;
    });
  }

  acquire(): void {
    this.#readers++;
  }

  release(): void {
    this.#readers--;
    if (this.#readers === 0) this.#onUnused?.();
  }
}
