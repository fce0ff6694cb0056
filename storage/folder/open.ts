/**
 * Opens a folder: snapshots, reminders and dead letters of one process as files on its disk, without a server.
 *
 * ```
 * directory/LOCK             who owns it (journal/lock.ts): one process, until it closes the folder or dies
 * directory/snapshots/       one file to an actor's key
 * directory/reminders/       one file to a reminder
 * directory/dead-letters/    one file to a dead letter
 * ```
 *
 * The owner's worker threads open the snapshots for themselves (`snapshots-module.ts`), since files are all that these are.
 * Reminders and dead letters have an index in the owner's memory and are read as a whole at the start: damage to one
 * of them is reported then, damage to a snapshot when it is loaded.
 */
import { dirname, join, resolve } from 'node:path';
import { type Logger, silentLogger } from '../../runtime/logger.js';
import type { DeadLetterStore } from '../../runtime/stores/dead-letter.js';
import type { ReminderStore } from '../../runtime/stores/reminder.js';
import type { SnapshotStore } from '../../runtime/stores/snapshot.js';
import type { StoreModule } from '../../runtime/stores/store-module.js';
import { JournalLockedError } from '../journal/errors.js';
import { type FileSystem, realFileSystem } from '../journal/file-system.js';
import { hasCode } from '../journal/has-code.js';
import { type DirectoryLock, HEARTBEAT_MS, lockDirectory } from '../journal/lock.js';
import { FolderDeadLetters } from './dead-letters.js';
import { FolderLockedError, toFolderError } from './errors.js';
import { FolderReminders } from './reminders.js';
import { FolderSnapshots, SNAPSHOTS } from './snapshots.js';

/** For the worker threads of the process that has opened the folder. `directory`: an absolute path, or from its working directory. */
export function folderSnapshots(settings: { readonly directory: string }): StoreModule {
  return { module: new URL('./snapshots-module.js', import.meta.url).href, settings };
}

export interface FolderOptions {
  /** Made when it does not exist; on a local disk. */
  readonly directory: string;
  /** How long to wait for an owner that is dying, or silent and perhaps dead; default 35,000. */
  readonly lockWaitMsMax?: number;
  /** How often the lock is renewed and looked after; default 5,000. */
  readonly lockHeartbeatMs?: number;
  readonly logger?: Logger;
  readonly fs?: FileSystem;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface Folder {
  readonly deadLetters: DeadLetterStore;
  readonly snapshots: SnapshotStore;
  readonly reminders: ReminderStore;
  /** All of them as an actor system takes them: `ActorSystem.start({ ...folder.stores, log, actors })`. */
  readonly stores: {
    readonly deadLetters: DeadLetterStore;
    readonly reminders: ReminderStore;
    readonly snapshots: StoreModule;
  };
  /** Waits for what is under way, then lets go of the directory. Close the worker threads' stores before. Idempotent. */
  close(): Promise<void>;
}

const LOCK_WAIT_MS_MAX = 35_000;

/**
 * @throws FolderLockedError another live process owns it
 * @throws FolderDamagedError, FolderFormatError a file is not what was written, or by another version; nothing is changed
 * @throws FolderUnavailableError the directory or its disk cannot be used
 * @throws RangeError no directory is given
 */
export async function openFolder(options: FolderOptions): Promise<Folder> {
  const { directory, fs = realFileSystem, logger = silentLogger, now = Date.now } = options;
  if (typeof directory !== 'string' || directory === '')
    throw new RangeError('directory is no path: the folder needs one');
  const snapshots = new FolderSnapshots(fs, join(directory, SNAPSHOTS));
  const reminders = new FolderReminders(fs, join(directory, 'reminders'));
  const deadLetters = new FolderDeadLetters(fs, join(directory, 'dead-letters'), now);
  const stores = [snapshots, reminders, deadLetters];
  let lock: DirectoryLock | undefined;
  try {
    await fs.mkdir(directory);
    lock = await lockDirectory(directory, {
      waitMsMax: options.lockWaitMsMax ?? LOCK_WAIT_MS_MAX,
      heartbeatMs: options.lockHeartbeatMs ?? HEARTBEAT_MS,
      logger,
    });
    for (const store of stores) await store.prepare();
    await fs.syncDirectory(directory);
    await syncParent(fs, directory);
  } catch (error) {
    await lock?.release();
    throw error instanceof JournalLockedError
      ? new FolderLockedError(`folder ${directory} is in use by process ${error.pid}: ${error.why}`)
      : toFolderError(error, directory);
  }
  const held = lock;
  const closeAll = async (reason: string): Promise<void> => {
    await Promise.all(stores.map((store) => store.close(reason)));
  };
  held.onLost = (reason) => {
    logger.error({ directory, reason }, 'the folder is not ours any more: nothing more is written');
    void closeAll(`the folder ${directory} is not ours any more: ${reason}`);
  };
  let closing: Promise<void> | undefined;
  return {
    deadLetters,
    snapshots,
    reminders,
    stores: { deadLetters, reminders, snapshots: folderSnapshots({ directory: resolve(directory) }) },
    close: () => {
      closing ??= closeAll(`the folder ${directory} is closed`).then(() => held.release());
      return closing;
    },
  };
}

/** So that the folder itself is there after a crash. Some may write below a directory that they must not read. */
async function syncParent(fs: FileSystem, directory: string): Promise<void> {
  try {
    await fs.syncDirectory(dirname(directory));
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
  }
}
