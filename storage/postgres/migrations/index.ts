import { deadLetters } from './0001-dead-letters.js';
import { payments } from './0002-payments.js';
import { stores } from './0003-stores.js';
import type { Migration } from './migration.js';

/** Every migration, in order. */
export const migrations: readonly Migration[] = [deadLetters, payments, stores];

export type { Migration } from './migration.js';
