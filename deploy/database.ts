/**
 * The node's Postgres: one of its own (embedded), or the one whose URL is configured.
 *
 * Webhooks are acknowledged whether or not Postgres is there, so opening it does not wait for it: `ready` resolves when the
 * schema is up to date, however long that takes, and rejects when it never will be (a migration that was changed, say).
 *
 * Modes:
 *   starting --schema up to date--> ready
 *   ready --own server ended unasked--> down --started again--> ready
 *   any --stop--> stopped
 */
import { join } from 'node:path';
import { failureOf } from '../runtime/failure.js';
import type { Logger } from '../runtime/logger.js';
import { backoffMs, type RetryPolicy } from '../runtime/retry.js';
import {
  createPool,
  type EmbeddedPostgres,
  migrate,
  type Pool,
  startEmbeddedPostgres,
} from '../storage/postgres/index.js';

export type DatabaseMode = 'starting' | 'ready' | 'down' | 'stopped';

export interface DatabaseOptions {
  /** Undefined: an embedded server under `dataDir`. */
  readonly url: string | undefined;
  readonly dataDir: string;
  readonly logger: Logger;
}

const RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 250, delayMsMax: 10_000 };
/** The main thread's own: dead letters and the operators' questions. */
const CONNECTIONS_MAX = 2;

export class Database {
  readonly url: string;
  readonly pool: Pool;
  readonly ready: Promise<void>;
  readonly #options: DatabaseOptions;
  #server: EmbeddedPostgres | undefined;
  #mode: DatabaseMode = 'starting';
  /** Ends the pauses between tries. */
  readonly #endPauses = new Set<() => void>();
  /** Settles when no server is being started again. */
  #watching: Promise<void> = Promise.resolve();

  private constructor(url: string, server: EmbeddedPostgres | undefined, options: DatabaseOptions) {
    this.url = url;
    this.#server = server;
    this.#options = options;
    const { logger } = options;
    this.pool = createPool({ url, connectionsMax: CONNECTIONS_MAX, applicationName: 'tether', logger });
    this.ready = this.#migrate();
    // Whoever awaits it sees the failure; nobody may.
    this.ready.catch(() => undefined);
    if (server !== undefined) this.#watch(server);
  }

  /** Starts the embedded server, or only takes note of the configured one. */
  static async open(options: DatabaseOptions): Promise<Database> {
    if (options.url !== undefined) return new Database(options.url, undefined, options);
    const server = await startEmbeddedPostgres({
      dataDir: join(options.dataDir, 'postgres'),
      logger: options.logger,
    });
    return new Database(server.url, server, options);
  }

  get mode(): DatabaseMode {
    return this.#mode;
  }

  /** Ends the pool, and the server if it is ours. */
  async stop(): Promise<void> {
    this.#mode = 'stopped';
    for (const end of this.#endPauses) end();
    await this.pool.end();
    await this.#server?.stop();
    await this.#watching;
  }

  async #migrate(): Promise<void> {
    const { logger } = this.#options;
    for (let failures = 1; this.#mode !== 'stopped'; failures++) {
      try {
        await migrate(this.pool, { logger });
        if (this.#mode === 'starting') this.#mode = 'ready';
        return;
      } catch (error) {
        if (failureOf(error) !== 'outage') throw error;
        // Its pool was ended under it.
        if ((this.#mode as DatabaseMode) === 'stopped') break;
        logger.warn({ err: error, failures }, 'the schema cannot be brought up to date yet');
        await this.#pause(backoffMs(failures, RETRY, Math.random));
      }
    }
    throw new Error('stopped before the schema was up to date');
  }

  /** Starts our own server again when it ends unasked. Its address stays: every pool knows it. */
  #watch(server: EmbeddedPostgres): void {
    this.#watching = server.exited.then(async (error) => {
      if (error === undefined || this.#mode === 'stopped') return;
      const { logger, dataDir } = this.#options;
      this.#mode = 'down';
      logger.error({ err: error }, 'the embedded Postgres ended and is started again');
      const port = Number(new URL(this.url).port);
      for (let failures = 1; this.#mode === 'down'; failures++) {
        await this.#pause(backoffMs(failures, RETRY, Math.random));
        if (this.#mode !== 'down') return;
        try {
          const next = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), port, logger });
          this.#server = next;
          // Told to stop while it started: then nobody else stops this one.
          if ((this.#mode as DatabaseMode) === 'stopped') {
            await next.stop();
            return;
          }
          this.#mode = 'ready';
          this.#watch(next);
        } catch (error) {
          logger.error({ err: error, failures }, 'the embedded Postgres does not start');
        }
      }
    });
  }

  #pause(ms: number): Promise<void> {
    if (this.#mode === 'stopped') return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endPauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#endPauses.add(end);
    });
  }
}
