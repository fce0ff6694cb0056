/**
 * A handover: one partition on its way from the thread that owns it to another one.
 *
 * Modes:
 *   waiting ---nothing of it is in flight---> releasing ---the hook resolves---> moved
 *   waiting, releasing ---the old thread is lost, or was not there---> moved
 *   waiting, releasing ---deadline, `cancel`, the hook fails---> cancelled
 * The deadline is for a thread that does not let go: while messages of the partition finish it is prolonged, `PROLONGED_MAX` times,
 * and the release has as long again.
 *
 * Its feed is held from before `waiting`, so nothing is sent meanwhile; what is appended waits on the log. P2 holds because the
 * new owner gets the first message only when the old one has none: what waits there behind a poison counts as in flight.
 */
import type { Clock } from '../clock.js';
import { MoveCancelledError, MoveTimeoutError, type TetherError } from '../errors.js';
import { asError } from '../failure.js';

export type HandoverMode = 'waiting' | 'releasing' | 'moved' | 'cancelled';

/**
 * Called when no message of the log that belongs to `partition` is in flight in thread `from`, and before `to` gets any: here
 * leaves what else the thread has of it: volatile messages, and activations, which must not stay. The partition may come back, and
 * would find them with a state of long ago. Nothing of the partition is sent while it runs.
 *
 * When it rejects, the partition stays where it is. `signal` aborts when the handover ends without it: on the deadline or when
 * the dispatcher stops, with the error of the move as the reason, and the partition stays with `from`; or because `from` is
 * lost, and it goes to `to`. Not called for a thread that is not there.
 */
export type Release = (
  partition: number,
  from: number,
  to: number | undefined,
  signal: AbortSignal,
) => Promise<void>;

/** So long may a slow actor take for what it has. Meanwhile new messages of the partition wait. */
const PROLONGED_MAX = 9;

export interface HandoverOptions {
  readonly partition: number;
  readonly from: number;
  /** Undefined: to another process. */
  readonly to: number | undefined;
  /** Without any progress. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly release: Release;
  /** Messages of the partition in flight in the old thread. */
  readonly inFlight: () => number;
  /** Called once, with what ended it: undefined when the partition may go. */
  readonly onEnd: (error: TetherError | undefined) => void;
}

export class Handover {
  readonly #options: HandoverOptions;
  readonly #abort = new AbortController();
  #cancelDeadline = () => {};
  #mode: HandoverMode = 'waiting';
  #prolonged = 0;
  /** Messages in flight when the deadline was set. */
  #left: number;

  constructor(options: HandoverOptions) {
    this.#options = options;
    this.#left = options.inFlight();
    this.#setDeadline();
  }

  #setDeadline(): void {
    const { clock, deadlineMs } = this.#options;
    this.#cancelDeadline = clock.after(deadlineMs, () => this.#late());
  }

  get from(): number {
    return this.#options.from;
  }

  get to(): number | undefined {
    return this.#options.to;
  }

  get mode(): HandoverMode {
    return this.#mode;
  }

  /** Something of the partition may have finished. */
  progress(): void {
    const { partition, from, to, release, inFlight } = this.#options;
    if (this.#mode !== 'waiting' || inFlight() > 0) return;
    this.#mode = 'releasing';
    this.#cancelDeadline();
    this.#setDeadline();
    const released = async () => release(partition, from, to, this.#abort.signal);
    released().then(
      () => this.#end('moved', undefined),
      (thrown: unknown) => {
        const cause = asError(thrown);
        this.cancel(`thread ${from} did not let go of it: ${cause.message}`, cause);
      },
    );
  }

  /** The old thread is lost or not there, and with it whatever it had. */
  lose(): void {
    this.#end('moved', undefined);
  }

  cancel(reason: string, cause?: Error): void {
    const { partition } = this.#options;
    this.#end(
      'cancelled',
      new MoveCancelledError(`partition ${partition} was not moved: ${reason}`, { cause }),
    );
  }

  #late(): void {
    const { partition, from, deadlineMs, inFlight } = this.#options;
    if (this.#mode === 'waiting' && inFlight() < this.#left && this.#prolonged < PROLONGED_MAX) {
      this.#prolonged++;
      this.#left = inFlight();
      this.#setDeadline();
      return;
    }
    const left = this.#mode === 'waiting' ? `${inFlight()} messages are in flight` : 'its release hangs';
    this.#end(
      'cancelled',
      new MoveTimeoutError(
        `partition ${partition} stays with thread ${from}: ${left}, and nothing went on for ${deadlineMs} ms`,
      ),
    );
  }

  #end(mode: 'moved' | 'cancelled', error: TetherError | undefined): void {
    if (this.#mode === 'moved' || this.#mode === 'cancelled') return;
    const releasing = this.#mode === 'releasing';
    this.#mode = mode;
    this.#cancelDeadline();
    if (releasing) this.#abort.abort(error);
    this.#options.onEnd(error);
  }
}
