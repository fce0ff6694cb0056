/** The folder: snapshots, reminders and dead letters on the local disk, without a server. */
import type { StoreModule } from '../../runtime/store-module.js';

export {
  FolderClosedError,
  FolderDamagedError,
  FolderFormatError,
  FolderLockedError,
  FolderUnavailableError,
} from './errors.js';
export { type Folder, type FolderOptions, openFolder } from './open.js';

/** For the worker threads of the process that has opened the folder. `directory`: an absolute path, or from its working directory. */
export function folderSnapshots(settings: { readonly directory: string }): StoreModule {
  return { module: new URL('./snapshots-module.js', import.meta.url).href, settings };
}
