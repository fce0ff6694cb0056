/**
 * The level of a system's log lines, which may change while it runs: one number that all its threads share.
 *
 * Threads look at it with each line, so that no message has to reach them, a busy one and one that starts later among them.
 */
import type { LogLevel } from './logger.js';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export class SharedLogLevel {
  /** Survives a structured clone, and is the same number on both sides. */
  readonly cell: Int32Array;

  /** @param of a level, or the cell of one in another thread */
  constructor(of: LogLevel | Int32Array) {
    this.cell = typeof of === 'string' ? new Int32Array(new SharedArrayBuffer(4)) : of;
    if (typeof of === 'string') this.set(of);
  }

  get(): LogLevel {
    return LEVELS[Atomics.load(this.cell, 0)] ?? 'error';
  }

  set(level: LogLevel): void {
    Atomics.store(this.cell, 0, LEVELS.indexOf(level));
  }

  /** Whether a line of `level` is written. */
  takes(level: LogLevel): boolean {
    return LEVELS.indexOf(level) >= Atomics.load(this.cell, 0);
  }
}
