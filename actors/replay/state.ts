/**
 * The states of a replay, and which may follow which. Every change of a row goes by this table: `UPDATE ... WHERE state = ANY (statesBefore(next))`.
 *
 * | state       | entered                                                     | left                                          |
 * |-------------|-------------------------------------------------------------|-----------------------------------------------|
 * | `waiting`   | when it is made, and by `resume`                            | when fewer than `RUNNING_MAX` others run      |
 * | `running`   | then                                                        | by its end, a failure, `pause` or `cancel`    |
 * | `paused`    | by `pause`                                                  | by `resume` or `cancel`                       |
 * | `done`      | when all of its selection was looked at                     | never                                         |
 * | `cancelled` | by `cancel`: what was told stays told                       | never                                         |
 * | `failed`    | by an error that lasts, such as an actor that is not there  | never                                         |
 */

export type ReplayState = 'waiting' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed';

/** What an operator asks for, and what it makes of a replay. */
export type ReplayCommand = 'pause' | 'resume' | 'cancel';

export const STATE_AFTER: Readonly<Record<ReplayCommand, ReplayState>> = {
  pause: 'paused',
  resume: 'waiting',
  cancel: 'cancelled',
};

const NEXT: Readonly<Record<ReplayState, readonly ReplayState[]>> = {
  waiting: ['running', 'paused', 'cancelled', 'failed'],
  running: ['done', 'paused', 'cancelled', 'failed'],
  paused: ['waiting', 'cancelled'],
  done: [],
  cancelled: [],
  failed: [],
};

export const REPLAY_STATES = Object.keys(NEXT) as readonly ReplayState[];

/** Those that may become `next`. */
export function statesBefore(next: ReplayState): readonly ReplayState[] {
  return REPLAY_STATES.filter((state) => NEXT[state].includes(next));
}

/** Whether it may still tell anybody anything without being asked to. */
export function goesOn(state: ReplayState): boolean {
  return state === 'waiting' || state === 'running';
}
