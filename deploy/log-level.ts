/**
 * The level of a node's log while it runs: of the lines of the main thread and of those that worker threads send to it.
 *
 * Modes: as configured -> changed, for a time or until the next start -> as configured again. A new change takes the place of the one before,
 * with its time.
 */
import type { LogLevelState, LogLevels, RunningLevel } from '../gateway/index.js';
import type { Clock } from '../runtime/clock.js';
import { SharedLogLevel } from '../runtime/log-level.js';
import type { Logger, LogLevel as ThreadLevel } from '../runtime/logger.js';
import type { LogLevel } from './settings.js';

/** What writes the lines: pino. */
type LeveledLogger = Logger & { level: string };

class LogLevelControl implements LogLevels {
  /** For the system of actors. */
  readonly threads: SharedLogLevel;
  readonly #logger: LeveledLogger;
  readonly #configured: LogLevel;
  readonly #clock: Clock;
  #level: LogLevel;
  #until: number | null = null;
  #cancel: () => void = () => {};

  constructor(logger: LeveledLogger, configured: LogLevel, clock: Clock) {
    this.threads = new SharedLogLevel(levelOfThreads(configured));
    this.#logger = logger;
    this.#configured = configured;
    this.#level = configured;
    this.#clock = clock;
  }

  state(): LogLevelState {
    return { level: this.#level, configured: this.#configured, until: this.#until };
  }

  set(level: RunningLevel, forMs: number | undefined): void {
    this.stop();
    this.#to(level);
    if (forMs === undefined) return;
    this.#until = this.#clock.now() + forMs;
    this.#cancel = this.#clock.after(forMs, () => {
      this.stop();
      const fields = { from: this.#level, to: this.#configured };
      this.#logger.info(fields, 'the level of the log goes back to what is configured');
      this.#to(this.#configured);
    });
  }

  /** Nothing goes back any more. */
  stop(): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#until = null;
  }

  #to(level: LogLevel): void {
    this.#level = level;
    this.#logger.level = level;
    this.threads.set(levelOfThreads(level));
  }
}

/** Threads have four levels; the logger itself leaves out what is below its own. */
function levelOfThreads(level: LogLevel): ThreadLevel {
  if (level === 'trace') return 'debug';
  return level === 'silent' || level === 'fatal' ? 'error' : level;
}

export { type LeveledLogger, LogLevelControl };
