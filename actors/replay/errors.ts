/** The errors of replays. None quotes a body. */
import { TetherError } from '../../runtime/errors.js';

/** What was asked for is no replay; the message says what is wrong. */
export class ReplayRefusedError extends TetherError {
  readonly code = 'TETHER_REPLAY_REFUSED';
  readonly retryable = false;
}

/** The replay is in a state that does not allow it. */
export class ReplayStateError extends TetherError {
  readonly code = 'TETHER_REPLAY_STATE';
  readonly retryable = false;
}

/** As many replays wait, run or are paused as there may be. */
export class ReplaysFullError extends TetherError {
  readonly code = 'TETHER_REPLAYS_FULL';
  readonly retryable = false;
}
