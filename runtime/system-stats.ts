/** What an actor system says of itself. */
import type { ActorStats } from './pool/actor-stats.js';

export type SystemMode = 'new' | 'running' | 'draining' | 'stopped';

export interface SystemStats {
  readonly mode: SystemMode;
  readonly actors: readonly ActorStats[];
  /** Types of which an activation rests, since it was restarted too often. */
  readonly resting: readonly string[];
  /** Asks by `ref` without an answer; of actors, see `actors`. */
  readonly asksPending: number;
  readonly deadLettersWritten: number;
  readonly deadLettersPending: number;
}
