/**
 * A program as a part of the cluster: its output goes to a file, its process id to another, and when it ends unasked, that is told and it is
 * started again.
 *
 * | mode       | entered                             | left for                                                        |
 * |------------|-------------------------------------|-----------------------------------------------------------------|
 * | `new`      | at once                             | `starting` by `start()`, `stopped` by `stop()`                  |
 * | `starting` | its process is there                | `up` when it serves, `waiting` or `stopped` when it ends        |
 * | `up`       | it serves                           | `waiting` when it ends unasked, `stopping`                      |
 * | `waiting`  | it ended unasked                    | `starting` after two seconds, `stopped` by `stop()`             |
 * | `stopping` | `stop()`                            | `stopped` when it has ended                                     |
 * | `stopped`  | it has ended and stays so           | -                                                               |
 *
 * A Ctrl-C of the terminal does not reach it: it has a session of its own. It does not outlive us where the kernel can see to that.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram } from '../../storage/find-program.js';
import { LocalClusterError } from './errors.js';
import { type Part, RESTART_MS, START_MS_MAX, type Tell } from './part.js';

export interface ProgramOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** All of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly address: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** What makes it end in an orderly way, and how long that may take. */
  readonly stopSignal: NodeJS.Signals;
  readonly stopMsMax: number;
  /** Whether it serves. */
  readonly isUp: () => Promise<boolean>;
  readonly tell: Tell;
  /** Default: two seconds. */
  readonly restartMs?: number;
}

type Mode = 'new' | 'starting' | 'up' | 'waiting' | 'stopping' | 'stopped';

const NEXT: Readonly<Record<Mode, readonly Mode[]>> = {
  new: ['starting', 'stopped'],
  starting: ['up', 'waiting', 'stopping', 'stopped'],
  up: ['waiting', 'stopping'],
  waiting: ['starting', 'stopped'],
  stopping: ['stopped'],
  stopped: [],
};
const POLL_MS = 50;
const LAST_LINES = 8;

export class Supervised implements Part {
  readonly name: string;
  readonly address: string;
  readonly logFile: string;
  readonly #options: ProgramOptions;
  #mode: Mode = 'new';
  #child: ChildProcess | undefined;
  /** Of the child there is or was. */
  #ended: Promise<string> = Promise.resolve('');
  #restart: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.address = options.address;
    this.logFile = options.logFile;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    // Each life of the cluster has logs of its own; its programs' restarts go on in them.
    writeFileSync(this.logFile, '', { mode: 0o600 });
    const why = await this.#run();
    if (why === undefined) return;
    await this.stop();
    throw new LocalClusterError(`${this.name} ${why}. ${this.#lastLines()}`);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) {
      if (this.#mode !== 'stopped') this.#enter('stopped');
      return;
    }
    this.#enter('stopping');
    child.kill(this.#options.stopSignal);
    const gaveUp = new AbortController();
    const late = delay(this.#options.stopMsMax, 'late', { signal: gaveUp.signal }).catch(() => 'ended');
    if ((await Promise.race([this.#ended, late])) === 'late') {
      this.#options.tell(
        `${this.name} did not end within ${this.#options.stopMsMax / 1000} s and is killed; its log is ${this.logFile}`,
      );
      child.kill('SIGKILL');
    }
    gaveUp.abort();
    await this.#ended;
  }

  /** Undefined when it serves, else what is wrong. */
  async #run(): Promise<string | undefined> {
    if (this.#mode !== 'new' && this.#mode !== 'waiting') return 'was stopped before it was started';
    this.#enter('starting');
    const { command, env, logFile, pidFile } = this.#options;
    const log = openSync(logFile, 'a', 0o600);
    const [program, ...args] = endingWithUs(command);
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    if (child.pid !== undefined) writeFileSync(pidFile, `${child.pid}\n`);
    let why: string | undefined;
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
      child.once('exit', (code, signal) => {
        resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
      });
    });
    void this.#ended.then((reason) => {
      why = reason;
      this.#child = undefined;
      rmSync(pidFile, { force: true });
      this.#after(reason, child.pid);
    });
    const end = performance.now() + START_MS_MAX;
    while (why === undefined && this.#is('starting')) {
      if (await this.#options.isUp()) {
        if (this.#is('starting') && why === undefined) this.#enter('up');
        break;
      }
      if (performance.now() > end) return `does not serve after ${START_MS_MAX / 1000} s`;
      await delay(POLL_MS);
    }
    return why ?? (this.#is('up') ? undefined : 'was stopped while it started');
  }

  /** Its process has ended. */
  #after(reason: string, pid: number | undefined): void {
    const { tell, restartMs = RESTART_MS } = this.#options;
    if (this.#mode === 'stopping') {
      this.#enter('stopped');
      return;
    }
    // A first start that fails is told by what it throws.
    if (this.#mode === 'starting' && this.#restart === undefined) {
      this.#enter('stopped');
      return;
    }
    this.#enter('waiting');
    tell(`${this.name} (pid ${pid}) ${reason}; it is started again in ${restartMs / 1000} s`);
    this.#restart = setTimeout(() => void this.#again(), restartMs);
  }

  async #again(): Promise<void> {
    const why = await this.#run();
    if (why === undefined) this.#options.tell(`${this.name} is up again, pid ${this.pid}`);
    // It may not have ended and not serve either: then its end starts it again.
    else if (this.#is('starting')) this.#child?.kill('SIGKILL');
  }

  #lastLines(): string {
    const lines = readFileSync(this.logFile, 'utf8').trim().split('\n').slice(-LAST_LINES);
    return lines.join('') === ''
      ? `It wrote nothing to ${this.logFile}`
      : `Its last lines in ${this.logFile}:\n${lines.map((line) => `  ${line.slice(0, 500)}`).join('\n')}`;
  }

  /** A mode that may have changed during an await. */
  #is(mode: Mode): boolean {
    return this.#mode === mode;
  }

  #enter(mode: Mode): void {
    if (!NEXT[this.#mode].includes(mode)) {
      throw new Error(`${this.name} cannot go from ${this.#mode} to ${mode}`);
    }
    this.#mode = mode;
  }
}

function endingWithUs(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined;
  return setpriv === undefined ? command : [setpriv, '--pdeathsig', 'KILL', '--', ...command];
}
