import { deadLetters } from './0001-dead-letters.js';
import type { Migration } from './migration.js';

/** Every migration, in order. */
export const migrations: readonly Migration[] = [deadLetters];

export type { Migration } from './migration.js';
