/**
 * The embedded Postgres as a part of the cluster: started again when it ends unasked, on the same port, since pgBouncer knows it by that.
 *
 * Modes: new -> up; up --ended unasked--> waiting --started again--> up; any --stop()--> stopped.
 */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { stderrLogger } from '../../runtime/logger.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../storage/postgres/index.js';
import { type Part, RESTART_MS, type Tell } from './part.js';

export interface PostgresPartOptions {
  readonly dataDir: string;
  readonly logFile: string;
  readonly pidFile: string;
  readonly tell: Tell;
}

export class PostgresPart implements Part {
  readonly name = 'postgres';
  readonly logFile: string;
  readonly #options: PostgresPartOptions;
  #mode: 'new' | 'up' | 'waiting' | 'stopped' = 'new';
  #server: EmbeddedPostgres | undefined;
  #url: string | undefined;
  /** Settles when it is not being started again. */
  #again: Promise<void> = Promise.resolve();
  #endPause: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: PostgresPartOptions) {
    this.#options = options;
    this.logFile = options.logFile;
  }

  /** With its password: never for a log. */
  get url(): string {
    if (this.#url === undefined) throw new Error('Postgres was not started');
    return this.#url;
  }

  get address(): string {
    return this.#url === undefined ? '' : new URL(this.#url).host;
  }

  get pid(): number | undefined {
    return this.#mode === 'up' ? this.#server?.pid : undefined;
  }

  async start(): Promise<void> {
    writeFileSync(this.logFile, '', { mode: 0o600 });
    await this.#run();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  kill(): void {
    if (this.#mode === 'up' && this.#server !== undefined) process.kill(this.#server.pid, 'SIGQUIT');
  }

  async #stop(): Promise<void> {
    this.#mode = 'stopped';
    this.#endPause();
    await this.#again;
    await this.#server?.stop();
    rmSync(this.#options.pidFile, { force: true });
  }

  async #run(): Promise<void> {
    const { dataDir, logFile, pidFile } = this.#options;
    const port = this.#url === undefined ? undefined : Number(new URL(this.#url).port);
    const server = await startEmbeddedPostgres({
      dataDir,
      logger: stderrLogger('info', (line) => appendFileSync(logFile, line)),
      ...(port === undefined ? {} : { port }),
    });
    this.#server = server;
    this.#url = server.url;
    // Told to stop meanwhile: `#stop` waits for this, and stops it.
    if (this.#mode === 'stopped') return server.stop();
    this.#mode = 'up';
    writeFileSync(pidFile, `${server.pid}\n`);
    void server.exited.then((error) => {
      if (error !== undefined && this.#mode === 'up') this.#again = this.#restart(server.pid, error.reason);
    });
  }

  async #restart(pid: number, reason: string): Promise<void> {
    const { tell, pidFile } = this.#options;
    this.#mode = 'waiting';
    rmSync(pidFile, { force: true });
    tell(`postgres (pid ${pid}): ${reason}; it is started again in ${RESTART_MS / 1000} s`);
    while (this.#mode === 'waiting') {
      await this.#pause();
      if (this.#mode !== 'waiting') return;
      try {
        await this.#run();
        if (this.#mode !== 'waiting') tell(`postgres is up again, pid ${this.#server?.pid}`);
      } catch (error) {
        tell(`postgres does not start: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RESTART_MS);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
