/**
 * The journal's state, and what it means for an append.
 *
 * ```
 * open    -> full      the active segment is used up and there may be, or can be, no next one; at the start: there are more
 *                      segments than there may be
 * full    -> open      a next segment is ready, and there are no more than there may be
 * open, full, closing -> failed    a write or sync of the active segment failed, or the lock was lost; final
 * open, full -> closing            `close` was called
 * closing, failed -> closed        everything is released
 * ```
 */
import { LogClosedError, LogFullError } from '../../runtime/errors.js';
import type { LogState } from '../../runtime/message-log.js';
import type { FullnessLog } from './fullness-log.js';

/** A disk is never `away`: what it does not do is a failure. */
export type JournalMode = Exclude<LogState, 'away'>;

const TRANSITIONS: Readonly<Record<JournalMode, readonly JournalMode[]>> = {
  open: ['full', 'failed', 'closing'],
  full: ['open', 'failed', 'closing'],
  failed: ['closed'],
  closing: ['failed', 'closed'],
  closed: [],
};

export type StateListener = (state: JournalMode, previous: JournalMode, cause: Error | undefined) => void;

export class JournalState {
  onChange: StateListener | undefined;
  /** What a sender's append is answered with; undefined when it is taken. */
  refusal: LogFullError | LogClosedError | undefined;
  readonly #fullness: FullnessLog;
  #state: JournalMode = 'open';

  constructor(fullness: FullnessLog) {
    this.#fullness = fullness;
  }

  get current(): JournalMode {
    return this.#state;
  }

  /** Whether groups are still written. */
  get writable(): boolean {
    return this.#state !== 'failed' && this.#state !== 'closed';
  }

  /** The same for one that passes on: whether there is room for it shows when its segment is looked for. */
  get refusalOfPassedOn(): LogFullError | LogClosedError | undefined {
    return this.#state === 'full' ? undefined : this.refusal;
  }

  to(state: JournalMode, cause?: Error): void {
    const previous = this.#state;
    if (!TRANSITIONS[previous].includes(state)) {
      throw new Error(`a journal cannot go from ${previous} to ${state}`);
    }
    this.#state = state;
    this.refusal = refusalIn(state, cause);
    this.#fullness.changed(state, cause);
    this.onChange?.(state, previous, cause);
  }
}

function refusalIn(state: JournalMode, cause: Error | undefined): LogFullError | LogClosedError | undefined {
  switch (state) {
    case 'open':
      return undefined;
    case 'full':
      return new LogFullError('the journal is full', { cause });
    case 'failed':
      return new LogClosedError('the journal failed and takes nothing more until it is restarted', { cause });
    default:
      return new LogClosedError(`the journal is ${state}`);
  }
}
