/** What others need of replays: what operators do with them, and the settings of the actor. */
export { ReplayRefusedError, ReplayStateError, ReplaysFullError } from './errors.js';
export {
  EventReplays,
  RATE_DEFAULT,
  RATE_MAX,
  type ReplayPreview,
  type ReplayRequest,
} from './replays.js';
export { IDS_MAX, type ReplaySelection } from './selection.js';
export type { ReplaySettings } from './settings.js';
export { REPLAY_STATES, type ReplayCommand, type ReplayState } from './state.js';
export type { Replay } from './store.js';
