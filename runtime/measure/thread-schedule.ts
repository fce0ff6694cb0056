/**
 * What Linux notes of how a thread gets its core: how long it was on one, and how long it could have run and had none. From
 * `/proc/thread-self/schedstat` ("Scheduler Statistics" in the documentation of the kernel).
 */
import { closeSync, openSync, readSync } from 'node:fs';

export interface ScheduleTimes {
  /** On a core, milliseconds since the thread began. */
  readonly ranMs: number;
  /** Ready to run and without a core, milliseconds. */
  readonly waitedMs: number;
}

const FILE = '/proc/thread-self/schedstat';
const LINE_BYTES_MAX = 128;
const NS_PER_MS = 1e6;

export class ThreadSchedule {
  readonly #fd: number;
  readonly #line = Buffer.alloc(LINE_BYTES_MAX);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Of the thread that calls it; undefined where nobody takes note. */
  static open(): ThreadSchedule | undefined {
    try {
      // The name leads to whichever thread opens it, and a synchronous call runs in the calling one.
      const schedule = new ThreadSchedule(openSync(FILE, 'r'));
      if (schedule.read().ranMs > 0) return schedule;
      schedule.close();
      return undefined;
    } catch {
      return undefined;
    }
  }

  /** Takes some microseconds. */
  read(): ScheduleTimes {
    const bytes = readSync(this.#fd, this.#line, 0, LINE_BYTES_MAX, 0);
    const [ran, waited] = this.#line.toString('latin1', 0, bytes).split(' ').map(Number);
    return { ranMs: (ran ?? 0) / NS_PER_MS, waitedMs: (waited ?? 0) / NS_PER_MS };
  }

  close(): void {
    closeSync(this.#fd);
  }
}
