/**
 * The snapshots of a folder for a worker thread of the process that owns it: a module for `loadSnapshotStore`, with the
 * settings `{ directory }`. Open the folder first.
 */
import { join } from 'node:path';
import type { SnapshotStore } from '../../runtime/stores/snapshot.js';
import { realFileSystem } from '../journal/file-system.js';
import { isLockedHere } from '../journal/lock.js';
import { FolderLockedError } from './errors.js';
import { FolderSnapshots, SNAPSHOTS } from './snapshots.js';

/**
 * @throws FolderLockedError this process has not opened the folder: two processes would write over each other's state
 * @throws TypeError the settings are none
 */
export default async function openSnapshots(settings: unknown): Promise<SnapshotStore> {
  const { directory } = Object(settings) as { readonly directory?: unknown };
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError('the settings of the snapshots of a folder are { directory }');
  }
  if (!(await isLockedHere(directory))) {
    throw new FolderLockedError(`this process has not opened the folder ${directory}`);
  }
  return new FolderSnapshots(realFileSystem, join(directory, SNAPSHOTS));
}
