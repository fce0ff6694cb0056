/**
 * What becomes of an activation when one of its volatile messages fails. (A durable message that fails is tried again, and
 * the activation's state made anew, whatever stands here.)
 *
 * The message itself is not tried again: its asker is told, a tell is dropped and counted.
 */

/**
 * - `restart`: the state is made anew; messages that wait are kept, and handled after a backoff
 * - `resume`: nothing; the state is as the failure left it
 * - `stop`: the activation ends, volatile messages that wait are refused; the next message activates it anew
 */
export type Directive = 'restart' | 'resume' | 'stop';

export interface Supervision {
  /** Default `restart`. */
  readonly onFailure?: Directive;
  /**
   * Restarts of one activation within `withinMs` that are borne; one more and the failure escalates: the activation refuses
   * volatile messages for `withinMs`, and the node is not ready meanwhile. Default 10.
   */
  readonly restartsMax?: number;
  /** Default 60,000. */
  readonly withinMs?: number;
  /** Ceiling of the backoff before the first restart within `withinMs`, milliseconds; doubled each time. Default 20. */
  readonly delayMs?: number;
  /** Ceiling of any backoff. Default 10,000. */
  readonly delayMsMax?: number;
}

export type FilledSupervision = Required<Supervision>;

export function fillSupervision(supervision: Supervision = {}): FilledSupervision {
  return Object.freeze({
    onFailure: 'restart',
    restartsMax: 10,
    withinMs: 60_000,
    delayMs: 20,
    delayMsMax: 10_000,
    ...supervision,
  });
}
