/**
 * One run of the Postgres server program, from its start to its end.
 *
 * | mode       | entered                    | left for                                          |
 * |------------|----------------------------|---------------------------------------------------|
 * | `running`  | at once                    | `stopping` by `stop()`, `exited` by its own end    |
 * | `stopping` | by `stop()`                | `stopped`, when the process has ended              |
 * | `stopped`  | it ended as it was told to | -                                                 |
 * | `exited`   | it ended by itself         | -                                                 |
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../runtime/logger.js';
import { postgresEnvironment } from './embedded-account.js';
import { EmbeddedPostgresExitedError, EmbeddedPostgresStartError } from './embedded-errors.js';
import { followLog, type PostgresLog } from './embedded-log.js';

type Mode = 'running' | 'stopping' | 'stopped' | 'exited';

const QUIT_MS_MAX = 5_000;
const LOG_END_MS_MAX = 500;

export class PostgresProcess {
  /** 0 when the program could not be started; `ready` tells. */
  readonly pid: number;
  /** Resolves at the end of the process: to undefined after `stop`, else to what happened. Never rejects. */
  readonly exited: Promise<EmbeddedPostgresExitedError | undefined>;
  readonly #child: ChildProcess;
  readonly #log: PostgresLog;
  readonly #accepting: Promise<'ready'>;
  readonly #stopMsMax: number;
  #mode: Mode = 'running';
  #stopping: Promise<void> | undefined;

  constructor(command: readonly [string, ...string[]], cwd: string, stopMsMax: number, logger: Logger) {
    const [program, ...args] = command;
    const child = spawn(program, args, {
      cwd,
      detached: true,
      env: postgresEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#stopMsMax = stopMsMax;
    this.pid = child.pid ?? 0;
    let accept: (value: 'ready') => void;
    this.#accepting = new Promise((resolve) => {
      accept = resolve;
    });
    this.#log = followLog(child.stderr, logger, () => accept('ready'));
    this.exited = this.#end();
  }

  /** Resolves when the server accepts connections. @throws EmbeddedPostgresStartError */
  async ready(msMax: number): Promise<void> {
    const outcome = await Promise.race([this.#accepting, this.exited, afterMs(msMax)]);
    if (outcome === 'ready') return;
    const lines = this.#log.lastLines();
    if (outcome instanceof Error)
      throw new EmbeddedPostgresStartError(outcome.reason, lines, { cause: outcome });
    throw new EmbeddedPostgresStartError(`Postgres did not start within ${Math.round(msMax)} ms`, lines);
  }

  /** Fast shutdown, then harder ones. Idempotent; resolves when the process has ended. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#mode === 'exited') return;
    this.#enter('stopping');
    const steps = [
      { signal: 'SIGINT', msMax: this.#stopMsMax },
      { signal: 'SIGQUIT', msMax: QUIT_MS_MAX },
      { signal: 'SIGKILL', msMax: QUIT_MS_MAX },
    ] as const;
    for (const { signal, msMax } of steps) {
      this.#child.kill(signal);
      if ((await Promise.race([this.exited, afterMs(msMax)])) !== 'late') return;
    }
    // In the kernel, beyond every signal: a dead disk. Nothing is left to be done but to say so.
    throw new EmbeddedPostgresStartError(
      `Postgres ${this.pid} does not end, even by SIGKILL`,
      this.#log.lastLines(),
    );
  }

  async #end(): Promise<EmbeddedPostgresExitedError | undefined> {
    const reason = await endOf(this.#child);
    if (this.#mode === 'stopping') {
      this.#enter('stopped');
      return undefined;
    }
    this.#enter('exited');
    return new EmbeddedPostgresExitedError(reason, this.#log.lastLines());
  }

  #enter(mode: Mode): void {
    const allowed: Readonly<Record<Mode, readonly Mode[]>> = {
      running: ['stopping', 'exited'],
      stopping: ['stopped'],
      stopped: [],
      exited: [],
    };
    if (!allowed[this.#mode].includes(mode)) {
      throw new Error(`a Postgres process cannot go from ${this.#mode} to ${mode}`);
    }
    this.#mode = mode;
  }
}

/** Resolves to what ended the child, after the last of its log was read. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`Postgres cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      const reason = `Postgres ended with ${signal ?? `exit code ${code}`}`;
      // Backends of a killed server may hold its stderr open for a while.
      const closed = new Promise<void>((done) => child.once('close', () => done()));
      void Promise.race([closed, afterMs(LOG_END_MS_MAX)]).then(() => resolve(reason));
    });
  });
}

function afterMs(ms: number): Promise<'late'> {
  // Unreferenced: a deadline that nobody waits for any more must not keep the process alive.
  return delay(Math.max(0, ms), 'late' as const, { ref: false });
}
