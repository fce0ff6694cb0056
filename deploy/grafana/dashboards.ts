/**
 * The three dashboards: what is seen first, what actors and threads do, and what the node stands on.
 *
 * The first row of the first one answers whether somebody has to act; every further row says more about one of its numbers.
 */
import { ACTORS_AND_THREADS } from './actors.js';
import type { Dashboard } from './dashboard.js';
import { DEPENDENCIES } from './dependencies.js';
import { OVERVIEW } from './overview.js';

/** By the name of the file. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  'overview.json': OVERVIEW,
  'actors.json': ACTORS_AND_THREADS,
  'dependencies.json': DEPENDENCIES,
};
