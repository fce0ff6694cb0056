/**
 * The calls to the operating system that the journal makes, and no others: a test injects faults here, and what the
 * journal depends on can be read off one page. Positions and lengths are bytes, `fd` is a file descriptor.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { makeDirectory } from '../make-directory.js';

export interface FileSystem {
  /** The one write of the hot path: into the page cache of a preallocated file. Returns bytes written. */
  writeSync(fd: number, buffer: Buffer, offset: number, length: number, position: number): number;
  fdatasyncSync(fd: number): void;
  fdatasync(fd: number, done: (error: Error | null) => void): void;

  open(path: string, flags: 'r+' | 'wx+' | 'w+'): Promise<number>;
  close(fd: number): Promise<void>;
  size(fd: number): Promise<number>;
  /** Bytes read; fewer than asked for only at the end of the file. */
  read(fd: number, buffer: Buffer, offset: number, length: number, position: number): Promise<number>;
  write(fd: number, buffer: Buffer, offset: number, length: number, position: number): Promise<void>;
  fsync(fd: number): Promise<void>;
  readdir(path: string): Promise<string[]>;
  mkdir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes renames and unlinks in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

const open = promisify(fs.open);
const close = promisify(fs.close);
const fsync = promisify(fs.fsync);
const fstat = promisify(fs.fstat);
const read = promisify(fs.read);
const write = promisify(fs.write);

export const realFileSystem: FileSystem = {
  writeSync: fs.writeSync,
  fdatasyncSync: fs.fdatasyncSync,
  fdatasync: fs.fdatasync,
  open: (path, flags) => open(path, flags, 0o640),
  close,
  size: async (fd) => (await fstat(fd)).size,
  read: async (fd, buffer, offset, length, position) => {
    let done = 0;
    while (done < length) {
      const { bytesRead } = await read(fd, buffer, offset + done, length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  },
  write: async (fd, buffer, offset, length, position) => {
    let done = 0;
    while (done < length) {
      const { bytesWritten } = await write(fd, buffer, offset + done, length - done, position + done);
      if (bytesWritten <= 0) throw new Error(`write of ${length - done} bytes wrote nothing`);
      done += bytesWritten;
    }
  },
  fsync,
  readdir: (path) => fs.promises.readdir(path),
  mkdir: async (path) => {
    await makeDirectory(path, 0o750);
  },
  rename: (from, to) => fs.promises.rename(from, to),
  unlink: (path) => fs.promises.unlink(path),
  syncDirectory: async (path) => {
    const fd = await open(path, 'r');
    try {
      await fsync(fd);
    } finally {
      await close(fd);
    }
  },
};
