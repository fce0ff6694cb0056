/** The folder: snapshots, reminders and dead letters on the local disk, without a server. */
export {
  FolderClosedError,
  FolderDamagedError,
  FolderFormatError,
  FolderLockedError,
  FolderUnavailableError,
} from './errors.js';
export { type Folder, type FolderOptions, folderSnapshots, openFolder } from './open.js';
