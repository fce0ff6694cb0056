import type { Migration } from './migration.js';

/** The place of the archive of bodies; its tables come with it. */
export const archive: Migration = {
  version: 12,
  name: 'archive',
  sql: 'SELECT 1',
};
