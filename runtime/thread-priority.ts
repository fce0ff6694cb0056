/**
 * Lets a thread stand back behind the others of its process.
 *
 * Linux schedules threads, and `setpriority` takes a thread's id as well as a process's; which one is ours is told by
 * `/proc/thread-self`, read by the thread itself. Elsewhere nothing happens: priority is a matter of speed only. It cannot be raised
 * again, and V8's helper threads keep theirs.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Logger } from './logger.js';

/** Ten steps of nice: about a tenth of the weight of a thread that does not stand back. */
const NICE = 10;

/** Of the thread that calls it. */
export function standBack(logger?: Logger): void {
  try {
    // Synchronous calls run in the calling thread.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, NICE);
  } catch (error) {
    logger?.debug({ err: error }, 'this thread cannot stand back behind others');
  }
}
