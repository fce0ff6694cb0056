/**
 * How long the disk takes to make a small write durable: what each acknowledgement of the journal waits for, as often as a group of
 * messages is committed.
 *
 * As the journal does it: into a file whose blocks are there and written, so that a sync has data to write and nothing else. By way of Node's
 * thread pool, so that a disk that hangs does not hang the doctor; that adds some 0.05 ms.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckContext } from './check.js';

interface SyncTimes {
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const FILE_BYTES = 1024 * 1024;
const WRITE_BYTES = 4096;
const COUNT_MAX = 400;
const RUN_MS_MAX = 1_500;

/**
 * Of a file of its own in `directory`, which is gone afterwards; its name begins with `.tether-doctor-`.
 * @throws what the system says
 */
async function measureSync(directory: string, { undo, signal }: CheckContext): Promise<SyncTimes> {
  const path = join(directory, `.tether-doctor-${process.pid}-${randomBytes(4).toString('hex')}`);
  const remove = () => rmSync(path, { force: true });
  // Also when a second signal ends the process at once.
  process.once('exit', remove);
  undo(async () => {
    await rm(path, { force: true });
    process.off('exit', remove);
  });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.write(Buffer.alloc(FILE_BYTES), 0, FILE_BYTES, 0);
    await file.sync();
    const bytes = randomBytes(WRITE_BYTES);
    const times: number[] = [];
    const end = performance.now() + RUN_MS_MAX;
    while (times.length < COUNT_MAX && !signal.aborted && (times.length < 2 || performance.now() < end)) {
      const began = performance.now();
      await file.write(bytes, 0, WRITE_BYTES, (times.length * WRITE_BYTES) % FILE_BYTES);
      await file.datasync();
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
    return { count: times.length, medianMs: at(0.5), p99Ms: at(0.99) };
  } finally {
    await file.close();
  }
}

export { measureSync, type SyncTimes };
