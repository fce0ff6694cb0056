/** How many units of a quota a node could use: a pure function of how they were used. */
import type { Quota } from './share-store.js';

/** So much more than what was used, so that a little more does not wait. */
const ROOM = 1.25;

export interface Use {
  /** Permits: the most that were in use at once; tokens: those taken. */
  readonly used: number;
  /** In which they were. */
  readonly ms: number;
  /** Whether a thread had to wait. How much it waits for is not known: it may be anything. */
  readonly lacked: boolean;
}

export function neededUnits({ kind, units, fillMs }: Quota, { used, ms, lacked }: Use): number {
  if (lacked) return units;
  const inUse = kind === 'permits' ? used : (used * fillMs) / Math.max(1, ms);
  return Math.min(units, Math.ceil(inUse * ROOM));
}
