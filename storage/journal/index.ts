/** The journal: the embedded driver of the message log. */
export {
  JournalDamagedError,
  JournalDirectoryError,
  JournalFormatError,
  JournalLockedError,
  JournalPartitionsError,
} from './errors.js';
export type { FileSystem } from './file-system.js';
export type { Journal, JournalStats } from './journal.js';
export { openJournal } from './open.js';
export type { JournalOptions } from './options.js';
