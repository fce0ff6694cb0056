/**
 * What a node needs for uploads, put together: the object store, the threads that take files in, the tables, the sweeper.
 *
 * ```
 * preparing --the store can be used--> ready --stop--> stopped
 *     `--------------stop----------------------------------^
 * ```
 * Neither Postgres nor the object store has to be there at the start: a node takes webhooks without them. While one is away, uploads
 * are answered with 503.
 */
import { Uploads } from '../actors/upload/uploads.js';
import {
  type IntakePool,
  startIntake,
  TokenAuthenticator,
  type UploadParts,
  UploadSweeper,
} from '../gateway/index.js';
import { systemClock } from '../runtime/clock.js';
import { SystemModeError } from '../runtime/errors.js';
import type { Logger } from '../runtime/logger.js';
import { MessageIdSource } from '../runtime/message-id.js';
import { backoffMs, type RetryPolicy } from '../runtime/retry.js';
import { within } from '../runtime/within.js';
import type { ObjectStore, ObjectStoreSettings } from '../storage/objects/object-store.js';
import { openObjectStore } from '../storage/objects/open.js';
import { createPool, type Pool, Tokens } from '../storage/postgres/index.js';
import type { Config } from './config.js';
import { objectsDir } from './data-dir.js';

type UploadsMode = 'preparing' | 'ready' | 'stopped';

interface NodeUploadsOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  /** Puts a message for the upload actor on the log, once the actors have started. */
  tell(uploadId: string, type: 'process' | 'cancel'): Promise<void>;
  readonly logger: Logger;
}

/** Of the main thread: requests of clients, the sweeper. */
const CONNECTIONS_MAX = 4;
const INTAKE_THREADS = 1;
/** A file that came in between Postgres and the actors waits for them, instead of being sent again. They take tenths of a second. */
const BEGIN_MS_MAX = 10_000;
/** Uploads wait for it, when the bucket is not there yet: of an outage at the start they notice seconds, not its doubled length. */
const RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 500, delayMsMax: 5_000 };

/** Where the files and archived payloads of a node are kept. Holds a secret. */
function objectSettings(config: Config): ObjectStoreSettings {
  const { s3Url, s3Encryption: encryption } = config.uploads;
  return s3Url === undefined
    ? { driver: 'folder', directory: objectsDir(config.dataDir) }
    : { driver: 's3', url: s3Url, ...(encryption === undefined ? {} : { encryption }) };
}

class NodeUploads {
  readonly parts: UploadParts;
  readonly tokens: Tokens;
  readonly #logger: Logger;
  readonly #pool: Pool;
  readonly #objects: ObjectStore;
  readonly #intake: IntakePool;
  readonly #sweeper: UploadSweeper;
  /** Whether the actors have started; false: they will not any more. */
  readonly #begun: Promise<boolean>;
  #settleBegun: (hasBegun: boolean) => void = () => {};
  #mode: UploadsMode = 'preparing';
  #retry: NodeJS.Timeout | undefined;
  #preparing: Promise<void>;

  /** @throws ObjectStoreSettingsError */
  static async open(options: NodeUploadsOptions): Promise<NodeUploads> {
    return new NodeUploads(options, await openObjectStore(objectSettings(options.config), options.logger));
  }

  private constructor({ config, databaseUrl, tell, logger }: NodeUploadsOptions, objects: ObjectStore) {
    this.#logger = logger;
    this.#pool = createPool({
      url: databaseUrl,
      connectionsMax: CONNECTIONS_MAX,
      applicationName: 'tether-uploads',
      logger,
    });
    const { textBytesMax, xlsxBytesMax, activeMax, expiryMs } = config.uploads;
    this.#objects = objects;
    this.#intake = startIntake({
      threads: INTAKE_THREADS,
      activeMax,
      objects: objectSettings(config),
      logger,
    });
    this.tokens = new Tokens(this.#pool);
    const uploads = new Uploads(this.#pool);
    this.#begun = new Promise((resolve) => {
      this.#settleBegun = resolve;
    });
    const ids = new MessageIdSource();
    this.parts = {
      authenticator: new TokenAuthenticator({
        bootstrapToken: config.apiToken,
        tokens: this.tokens,
        logger,
        now: Date.now,
      }),
      uploads,
      pool: this.#pool,
      objects: this.#objects,
      intake: this.#intake,
      limits: { textBytesMax, xlsxBytesMax },
      expiryMs,
      enqueue: async (id, type) => {
        if ((await within(systemClock, BEGIN_MS_MAX, this.#begun)) !== true)
          throw new SystemModeError('the actors have not started');
        await tell(id, type);
        // It is on the log: should this fail, the sweeper puts it there once more, which does nothing twice.
        await uploads.enqueued(id).catch((error: unknown) => {
          logger.warn({ err: error, upload: id }, 'an upload on the log is not marked as such');
        });
      },
      nextId: () => ids.next(Date.now()),
      logger,
      now: Date.now,
    };
    this.#sweeper = new UploadSweeper({ parts: this.parts });
    this.#preparing = this.#prepare(1);
  }

  get mode(): UploadsMode {
    return this.#mode;
  }

  /** Coming in. */
  get active(): number {
    return this.#intake.active;
  }

  /** From when the schema is there, and the actors have started. */
  begin(): void {
    if (this.#mode === 'stopped') return;
    this.#settleBegun(true);
    this.#sweeper.start();
  }

  /** The node drains: unless it has begun, it does not any more, and what waits for that fails now. */
  beginNoMore(): void {
    this.#settleBegun(false);
  }

  /** Waits for what comes in, for `deadlineMs` at most. The gateway has drained before. */
  async stop(deadlineMs: number): Promise<void> {
    this.#mode = 'stopped';
    this.beginNoMore();
    clearTimeout(this.#retry);
    await this.#sweeper.stop();
    await this.#preparing;
    await this.#intake.close(deadlineMs);
    await this.#objects.close();
    await this.#pool.end();
  }

  async #prepare(attempt: number): Promise<void> {
    try {
      await this.#objects.prepare();
      if (this.#mode === 'preparing') this.#mode = 'ready';
    } catch (error) {
      if (this.#mode !== 'preparing') return;
      this.#logger.warn({ err: error, attempt }, 'the object store cannot be used yet');
      this.#retry = setTimeout(
        () => {
          this.#preparing = this.#prepare(attempt + 1);
        },
        backoffMs(attempt, RETRY, Math.random),
      );
    }
  }
}

export { NodeUploads, objectSettings };
