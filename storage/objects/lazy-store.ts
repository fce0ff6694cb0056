/**
 * An object store that is opened when it is first asked for: for who rarely needs one. The client of S3 alone takes a fifth of a second of a core.
 */
import type { Logger } from '../../runtime/logger.js';
import type { ObjectStore, ObjectStoreSettings } from './object-store.js';
import { openObjectStore } from './open.js';

export class LazyObjectStore {
  readonly #settings: ObjectStoreSettings;
  readonly #logger: Logger;
  #opened: Promise<ObjectStore> | undefined;

  constructor(settings: ObjectStoreSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
  }

  /** The same each time. @throws ObjectStoreSettingsError */
  open(): Promise<ObjectStore> {
    this.#opened ??= openObjectStore(this.#settings, this.#logger);
    return this.#opened;
  }

  /** Ends it, if it was opened. Idempotent. */
  async close(): Promise<void> {
    const store = await this.#opened?.catch(() => undefined);
    await store?.close();
  }
}
