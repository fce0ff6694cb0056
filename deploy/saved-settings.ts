/** What of the settings that were saved for a pool this node can follow: another release may have saved what this one refuses. */
import type { ActorSystem } from '../runtime/actor-system.js';
import { PoolRequestError } from '../runtime/errors.js';
import type { PoolChange, PoolSettings } from '../runtime/pool/pool-settings.js';
import type { SavedPool } from '../storage/postgres/index.js';

interface Fitting {
  /** In the place of the file's. */
  readonly change: PoolChange;
  /** Why others are left out. */
  readonly refused: readonly string[];
}

/** `min` and `max` go together: one alone may be no size. */
function fittingSettings(
  system: Pick<ActorSystem, 'poolSettings'>,
  actor: string,
  file: PoolSettings,
  saved: SavedPool['settings'],
): Fitting {
  const { min, max, ...others } = saved;
  const size = Object.fromEntries(Object.entries({ min, max }).filter(([, value]) => value !== undefined));
  const parts = [size, ...Object.entries(others).map(([name, value]) => ({ [name]: value }))];
  const refused: string[] = [];
  let change: PoolChange = {};
  for (const part of parts) {
    const more = { ...change, ...part };
    try {
      system.poolSettings(actor, { ...file, ...more });
      change = more;
    } catch (error) {
      if (!(error instanceof PoolRequestError)) throw error;
      refused.push(error.message);
    }
  }
  return { change, refused };
}

export { type Fitting, fittingSettings };
