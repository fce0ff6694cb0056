/** The limit of a single durable answer: 4 KiB written and synced in a preallocated, zeroed file. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { spread } from '../harness/table.js';

const BLOCK = 4_096;

/** Median microseconds of `writes` write-and-sync pairs in `directory`, inline on this thread. */
export function bareSyncUs(directory: string, writes: number): number {
  const file = join(directory, `bare-sync-${process.pid}`);
  const fd = openSync(file, 'w');
  try {
    writeSync(fd, Buffer.alloc(BLOCK * writes));
    fsyncSync(fd);
    const block = Buffer.alloc(BLOCK, 1);
    const times: number[] = [];
    for (let at = 0; at < writes; at++) {
      const start = performance.now();
      writeSync(fd, block, 0, BLOCK, at * BLOCK);
      fdatasyncSync(fd);
      times.push((performance.now() - start) * 1_000);
    }
    return spread(times).median;
  } finally {
    closeSync(fd);
    rmSync(file);
  }
}
