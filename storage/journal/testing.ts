/** Helpers of the journal's tests: a directory, options with small segments, and a file system that fails on demand. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asError } from '../../runtime/failure.js';
import { until } from '../../runtime/testing/until.js';
import { appendText, type ContractTest, part } from '../log-contract.js';
import type { JournalClock } from './clock.js';
import { type FileSystem, realFileSystem } from './file-system.js';
import { SEGMENT_HEADER_BYTES, segmentName } from './format.js';
import { readGroup } from './group-reader.js';
import { hasCode } from './has-code.js';
import type { Journal } from './journal.js';
import { openJournal } from './open.js';
import type { JournalOptions } from './options.js';

export const KIB = 1024;

/** A directory that goes with the test. */
export function temporaryDirectory(t: Pick<ContractTest, 'teardown'>): string {
  const directory = fs.mkdtempSync(join(tmpdir(), 'tether-journal-'));
  t.teardown(async () => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function smallOptions(directory: string, more: Partial<JournalOptions> = {}): JournalOptions {
  return {
    directory,
    partitions: 4,
    segmentBytes: 64 * KIB,
    bytesMax: 64 * 64 * KIB,
    lockWaitMsMax: 0,
    ...more,
  };
}

/** A journal that is closed at the end of the test if it still is open. */
export async function openSmall(
  t: Pick<ContractTest, 'teardown'>,
  directory: string,
  more: Partial<JournalOptions> = {},
): Promise<Journal> {
  const journal = await openJournal(smallOptions(directory, more));
  t.teardown(() => journal.close());
  return journal;
}

/** The real file system, each call of which a test may replace; one that is set to an error code fails with it. */
export class FaultyFileSystem {
  readonly fs: FileSystem;
  /** Calls that fail, by name, with their code. */
  readonly faults = new Map<keyof FileSystem, string>();
  readonly calls = new Map<keyof FileSystem, number>();

  constructor() {
    const { faults, calls } = this;
    const check = (name: keyof FileSystem): void => {
      calls.set(name, (calls.get(name) ?? 0) + 1);
      const code = faults.get(name);
      if (code !== undefined) throw Object.assign(new Error(`${code}: injected into ${name}`), { code });
    };
    this.fs = {
      writeSync: (...args) => {
        check('writeSync');
        return realFileSystem.writeSync(...args);
      },
      fdatasyncSync: (fd) => {
        check('fdatasyncSync');
        realFileSystem.fdatasyncSync(fd);
      },
      fdatasync: (fd, done) => {
        try {
          check('fdatasync');
        } catch (error) {
          setImmediate(() => done(asError(error)));
          return;
        }
        realFileSystem.fdatasync(fd, done);
      },
      open: async (path, flags) => {
        check('open');
        return realFileSystem.open(path, flags);
      },
      close: async (fd) => {
        check('close');
        return realFileSystem.close(fd);
      },
      size: (fd) => realFileSystem.size(fd),
      read: async (...args) => {
        check('read');
        return realFileSystem.read(...args);
      },
      write: async (...args) => {
        check('write');
        return realFileSystem.write(...args);
      },
      fsync: async (fd) => {
        check('fsync');
        return realFileSystem.fsync(fd);
      },
      readdir: (path) => realFileSystem.readdir(path),
      mkdir: async (path) => {
        check('mkdir');
        return realFileSystem.mkdir(path);
      },
      rename: async (from, to) => {
        check('rename');
        return realFileSystem.rename(from, to);
      },
      unlink: async (path) => {
        check('unlink');
        return realFileSystem.unlink(path);
      },
      syncDirectory: async (path) => {
        check('syncDirectory');
        return realFileSystem.syncDirectory(path);
      },
    };
  }
}

/** A clock whose timers run when the test says so. */
export class ManualClock implements JournalClock {
  readonly #timers = new Map<() => void, number>();

  nowUs(): number {
    return performance.now() * 1000;
  }

  after(delayMs: number, callback: () => void): () => void {
    this.#timers.set(callback, delayMs);
    return () => void this.#timers.delete(callback);
  }

  /** Runs the timers that wait `delayMs`; how many there were. */
  elapse(delayMs: number): number {
    const due = [...this.#timers].filter(([, ms]) => ms === delayMs);
    for (const [callback] of due) {
      this.#timers.delete(callback);
      callback();
    }
    return due.length;
  }
}

/** A generator of uniform numbers in [0, 1), the same for the same seed (mulberry32, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** The seed of a random test, from TEST_SEED or drawn. */
export function testSeed(): number {
  const given = process.env.TEST_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}

/** Every segment file of a directory, the temporary ones too, with its bytes. */
export function snapshotOf(directory: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of fs.readdirSync(directory).sort()) {
    if (!name.startsWith('journal-')) continue;
    try {
      files.set(name, fs.readFileSync(join(directory, name)));
    } catch (error) {
      // Deleted or renamed by a thread of the pool since the directory was listed.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  return files;
}

export function restoreSnapshot(directory: string, files: ReadonlyMap<string, Buffer>): void {
  fs.rmSync(directory, { recursive: true, force: true });
  fs.mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of files) fs.writeFileSync(join(directory, name), bytes);
}

export const FIRST = segmentName(1);
/** Small, for tests that open it hundreds of times. */
export const SMALL = { segmentBytes: 16 * KIB, bytesMax: 32 * 16 * KIB, partitions: 4 };

/** Positions of the groups of a segment. */
export function groupsOf(bytes: Buffer): { position: number; length: number }[] {
  const groups = [];
  let position = SEGMENT_HEADER_BYTES;
  for (;;) {
    const group = readGroup(bytes, position, undefined);
    if (group === undefined) return groups;
    groups.push({ position, length: group.length });
    position += group.length;
  }
}

/** A journal with some groups, closed without a last group of commits; `m<n>` of partition n % 4, `last-<n>` in the last group. */
export async function writeGroups(t: Pick<ContractTest, 'teardown'>, directory: string, groups: number) {
  const journal = await openSmall(t, directory, SMALL);
  for (let i = 0; i < groups; i++) await appendText(part(journal, 'a', i % 4), `m${i}`);
  await Promise.all([0, 1, 2, 3].map((i) => appendText(part(journal, 'a', i), `last-${i}`.padEnd(200, 'z'))));
  await untilPrepared(directory, 2);
  await journal.close();
  return snapshotOf(directory);
}

/** The files with one of them changed. */
export function changed(
  files: ReadonlyMap<string, Buffer>,
  name: string,
  change: (bytes: Buffer) => Buffer | undefined,
) {
  const copy = new Map(files);
  const bytes = Buffer.from(files.get(name) ?? []);
  copy.set(name, change(bytes) ?? bytes);
  return copy;
}

/** A journal of several segments. */
export async function writeSegments(t: Pick<ContractTest, 'teardown'>, commitAll = false) {
  const directory = temporaryDirectory(t);
  const journal = await openSmall(t, directory, SMALL);
  for (let i = 0; journal.stats().segments < 4; i++)
    await appendText(part(journal, 'a', i % 4), `m${i}`.padEnd(500, 'x'));
  await appendText(part(journal, 'a', 0), 'tail');
  if (commitAll) for (const partition of journal.open('a')) partition.commit(partition.end);
  await until('the next segment is ready', () => snapshotOf(directory).size >= 2 && !hasTemporary(directory));
  await journal.close();
  return { directory, files: snapshotOf(directory) };
}

/** Of the files of the journal there are `count`, and none that is still being made. */
export async function untilPrepared(directory: string, count: number): Promise<void> {
  await until(
    'the next segment is ready',
    () => snapshotOf(directory).size === count && !hasTemporary(directory),
  );
}

export function hasTemporary(directory: string): boolean {
  return [...snapshotOf(directory).keys()].some((name) => name.endsWith('.tmp'));
}
