/**
 * Makes the disk agree with what recovery found, before the first append. Every step may be cut off by a crash and done
 * again: what is zeroed was never valid, what is written again is what stands there.
 */
import type { Logger } from '../../runtime/logger.js';
import type { FileSystem } from './file-system.js';
import type { Recovery } from './recovery.js';
import { fillWithZeros } from './segment-preparer.js';

const COPY_BYTES = 1024 * 1024;

/** Returns with everything synced. */
export async function repair(
  fs: FileSystem,
  directory: string,
  recovery: Recovery,
  logger: Logger,
): Promise<void> {
  for (const path of recovery.temporary) await fs.unlink(path);
  const { torn } = recovery;
  if (torn !== undefined) {
    logger.warn(
      { path: torn.path, position: torn.from, bytes: torn.to - torn.from },
      'cutting off the torn tail of the journal: a group that was never acknowledged',
    );
    await withFile(fs, torn.path, (fd) => zero(fs, fd, torn.from, torn.to));
  }
  for (const segment of recovery.segments) {
    const last = segment === recovery.segments.at(-1);
    await withFile(fs, segment.path, async (fd) => {
      if (last) {
        // After a failed sync the page cache may hold as clean what the disk never got: make it dirty again.
        await rewrite(fs, fd, recovery.unprovenFrom, segment.end);
      }
      await fs.fsync(fd);
    });
  }
  await fs.syncDirectory(directory);
}

async function rewrite(fs: FileSystem, fd: number, from: number, to: number): Promise<void> {
  const buffer = Buffer.alloc(Math.min(COPY_BYTES, Math.max(0, to - from)));
  for (let position = from; position < to; position += buffer.length) {
    const length = Math.min(buffer.length, to - position);
    const read = await fs.read(fd, buffer, 0, length, position);
    if (read !== length) throw new Error(`read ${read} of ${length} bytes at ${position}`);
    await fs.write(fd, buffer, 0, length, position);
  }
}

async function zero(fs: FileSystem, fd: number, from: number, to: number): Promise<void> {
  if (to > from) await fillWithZeros(fs, fd, from, to, () => false);
}

async function withFile(fs: FileSystem, path: string, use: (fd: number) => Promise<void>): Promise<void> {
  const fd = await fs.open(path, 'r+');
  try {
    await use(fd);
  } finally {
    await fs.close(fd);
  }
}
