/**
 * Opens an object store by its settings, in any thread. Nothing is asked of it before the first call.
 *
 * The client of S3 is loaded where there is an S3: it takes a fifth of a second of a core, in each of a node's three threads that have a store.
 */
import { resolve } from 'node:path';
import type { Logger } from '../../runtime/logger.js';
import { ObjectStoreSettingsError } from './errors.js';
import { FolderObjectStore } from './folder/folder-store.js';
import type { ObjectStore, ObjectStoreSettings } from './object-store.js';
import { isS3Encryption } from './s3/encryption.js';
import { parseS3Url } from './s3/url.js';

/** @throws ObjectStoreSettingsError */
export async function openObjectStore(settings: ObjectStoreSettings, logger?: Logger): Promise<ObjectStore> {
  if (settings.driver === 'folder') {
    if (settings.directory === '') throw new ObjectStoreSettingsError('the folder of objects has no name');
    return new FolderObjectStore(resolve(settings.directory));
  }
  const { location, problem } = parseS3Url(settings.url);
  if (location === undefined)
    throw new ObjectStoreSettingsError(`the URL of the S3 store is wrong: ${problem}`);
  const { encryption } = settings;
  if (encryption !== undefined && !isS3Encryption(encryption))
    throw new ObjectStoreSettingsError('the encryption of the S3 store is none that it knows');
  const { S3ObjectStore } = await import('./s3/s3-store.js');
  return new S3ObjectStore(location, {
    ...(logger === undefined ? {} : { logger }),
    ...(encryption === undefined ? {} : { encryption }),
  });
}
