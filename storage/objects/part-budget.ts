/**
 * The memory of all object writers of a thread: what they gather for their parts, and what is on its way to the store.
 *
 * A part is gathered in a buffer that grows with what has really arrived, in `STEPS`: a thousand slow clients hold a little each and not a thousand
 * parts. A stream that has filled a part before is given a whole one at once when there is room: growing copies.
 *
 * When there is no room, writers wait in the order in which they asked. Could they wait for one another? A part gives its memory back when it is
 * put, which has a deadline; a part that is being filled never waits for anything but memory or its client. So all memory may
 * be held by parts that are being filled and cannot grow. Two ways out of that:
 * - a writer that has `PART_BYTES_MIN` puts what it has, and waits with nothing;
 * - one whole part is kept aside, and lent to the first of those who wait: it can be filled, put, and lent to the next.
 * A client that is slow while its writer has the part that is lent holds up those who wait until it goes on or its own time
 * is over; nobody waits longer than `waitMs`, and then it is as if the store was away.
 */
import type { Clock } from '../../runtime/clock.js';
import { ObjectStoreUnavailableError } from './errors.js';
import { PART_BYTES, PART_BYTES_MIN } from './object-store.js';

const KIB = 1024;
/** Sizes of a buffer. */
const STEPS = [256 * KIB, 512 * KIB, 1024 * KIB, 2048 * KIB, PART_BYTES_MIN, PART_BYTES];
const SPARE_MAX = 4;

/** The buffer in which a part is gathered. `bytes` is the budget's to change, `used` its writer's. */
export interface PartBuffer {
  bytes: Buffer;
  /** How many of `bytes` hold something. */
  used: number;
}

interface Waiter {
  readonly buffer: PartBuffer;
  granted(): void;
}

export class PartBudget {
  readonly #bytesMax: number;
  readonly #clock: Clock;
  readonly #waitMs: number;
  /** Without the part that is kept aside. */
  #free: number;
  #lent: { readonly to: PartBuffer; readonly bytes: number } | undefined;
  #waiters: Waiter[] = [];
  /** Whole parts that are kept for the next, so that a fast stream leaves nothing to collect. */
  readonly #spare: Buffer[] = [];

  /** @param bytesMax at least two parts */
  constructor(bytesMax: number, clock: Clock, waitMs = 30_000) {
    if (!(bytesMax >= 2 * PART_BYTES)) throw new RangeError(`${bytesMax} bytes are less than two parts`);
    this.#bytesMax = bytesMax;
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#free = bytesMax - PART_BYTES;
  }

  /** Bytes of all buffers now; never more than the budget, but for the moment in which one is copied into a larger one. */
  get held(): number {
    return this.#bytesMax - PART_BYTES - this.#free + (this.#lent?.bytes ?? 0);
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  open(): PartBuffer {
    return { bytes: Buffer.alloc(0), used: 0 };
  }

  /**
   * Makes room in a buffer that is full and less than a part.
   * @param whole make room for a whole part, if it can be had
   * @returns false when there is no room now
   */
  tryGrow(buffer: PartBuffer, whole: boolean): boolean {
    // Nobody overtakes those who wait.
    if (this.#waiters.length > 0) return false;
    const step = nextStep(buffer);
    return (whole && this.#take(buffer, PART_BYTES)) || this.#take(buffer, step);
  }

  /**
   * The same, as soon as there is room.
   * @throws ObjectStoreUnavailableError when there is none within the time
   */
  grow(buffer: PartBuffer, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const end = () => {
        cancel();
        signal.removeEventListener('abort', aborted);
      };
      const waiter: Waiter = {
        buffer,
        granted() {
          end();
          resolve();
        },
      };
      const leave = (error: unknown) => {
        end();
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        this.#dispatch();
        reject(error);
      };
      const aborted = () => leave(signal.reason);
      const late = `no memory for a part within ${this.#waitMs} ms: too many uploads at once`;
      const cancel = this.#clock.after(this.#waitMs, () => leave(new ObjectStoreUnavailableError(late)));
      signal.addEventListener('abort', aborted, { once: true });
      this.#waiters.push(waiter);
      this.#dispatch();
    });
  }

  /** The buffer's bytes are put, or nobody wants them. Idempotent. */
  close(buffer: PartBuffer): void {
    const { bytes } = buffer;
    const lent = this.#lent?.to === buffer ? this.#lent.bytes : 0;
    if (lent > 0) this.#lent = undefined;
    this.#free += bytes.length - lent;
    if (bytes.length === PART_BYTES && this.#spare.length < SPARE_MAX) this.#spare.push(bytes);
    buffer.bytes = Buffer.alloc(0);
    buffer.used = 0;
    this.#dispatch();
  }

  #dispatch(): void {
    for (let head = this.#waiters[0]; head !== undefined; head = this.#waiters[0]) {
      const { buffer } = head;
      if (!this.#take(buffer, nextStep(buffer))) {
        if (this.#lent !== undefined) return;
        this.#lent = { to: buffer, bytes: PART_BYTES - buffer.bytes.length };
        this.#enlarge(buffer, PART_BYTES);
      }
      this.#waiters.shift();
      head.granted();
    }
  }

  #take(buffer: PartBuffer, capacity: number): boolean {
    const more = capacity - buffer.bytes.length;
    if (more > this.#free) return false;
    this.#free -= more;
    this.#enlarge(buffer, capacity);
    return true;
  }

  #enlarge(buffer: PartBuffer, capacity: number): void {
    const spare = capacity === PART_BYTES ? this.#spare.pop() : undefined;
    // Not of Node's pool, and not zeroed: the system gives its memory when it is written to.
    const bytes = spare ?? Buffer.allocUnsafeSlow(capacity);
    buffer.bytes.copy(bytes, 0, 0, buffer.used);
    buffer.bytes = bytes;
    while (this.#spare.length > 0 && this.held + this.#spare.length * PART_BYTES > this.#bytesMax)
      this.#spare.pop();
  }
}

function nextStep({ bytes }: PartBuffer): number {
  return STEPS.find((step) => step > bytes.length) ?? PART_BYTES;
}
