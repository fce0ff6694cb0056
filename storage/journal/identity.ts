/**
 * The identity of a journal: a random name for its data, so that what was noted elsewhere about an offset of it (a snapshot
 * of an actor's state) is never taken for the same offset of another journal.
 *
 * It stands in the file `IDENTITY` of the directory, which is replaced as a whole, durably, before the first segment that
 * it is for. A journal whose number of partitions changes begins anew with offset 0, and so under a new name; the file
 * keeps the old one until that has happened:
 *
 * | segments on the disk               | the identity is                                                           |
 * |------------------------------------|---------------------------------------------------------------------------|
 * | none                               | a new one, written for the segment about to be made                       |
 * | some, no file (an earlier version) | a new one, written for the oldest of them                                 |
 * | some, none of the file's so late   | a new one: the segments were taken away and others put in their place     |
 * | some                               | the last of the file's whose first segment is not later than the last one |
 *
 * ```
 * file = 'TETHER-JOURNAL-IDENTITY 1\n', entry, ..., crc-32 of all before it as 8 hex digits, '\n'
 * entry = uuid, ' ', number of its first segment, '\n'       one, or two of which the second may have begun
 * ```
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { JournalDamagedError, JournalFormatError } from './errors.js';
import type { FileSystem } from './file-system.js';
import { hasCode } from './has-code.js';

export const IDENTITY_NAME = 'IDENTITY';
const TEMPORARY_NAME = 'IDENTITY.tmp';
const MAGIC = 'TETHER-JOURNAL-IDENTITY ';
const VERSION = '1';
const BYTES_MAX = 4096;

export interface Identity {
  readonly id: string;
  /** Number of the first segment that it is the name of. */
  readonly from: number;
}

/**
 * What the file says, oldest first; empty when there is none.
 * @throws JournalDamagedError, JournalFormatError
 */
export async function readIdentities(fs: FileSystem, directory: string): Promise<readonly Identity[]> {
  const path = join(directory, IDENTITY_NAME);
  let fd: number;
  try {
    fd = await fs.open(path, 'r+');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  try {
    const size = Math.min(await fs.size(fd), BYTES_MAX);
    const buffer = Buffer.alloc(size);
    const read = await fs.read(fd, buffer, 0, size, 0);
    return parse(path, buffer.subarray(0, read).toString('latin1'));
  } finally {
    await fs.close(fd);
  }
}

/** The one of `known` that segments up to number `last` have; see the table. */
export function identityAt(known: readonly Identity[], last: number): Identity | undefined {
  return known.findLast(({ from }) => from <= last);
}

/**
 * Adds a new identity for the segments from `from`, durable when it resolves.
 * @param kept the one that is in force until then
 */
export async function writeIdentity(
  fs: FileSystem,
  directory: string,
  from: number,
  kept: Identity | undefined,
): Promise<Identity> {
  const made = { id: randomUUID(), from };
  const entries = kept === undefined ? [made] : [kept, made];
  const head = `${MAGIC}${VERSION}\n${entries.map((entry) => `${entry.id} ${entry.from}\n`).join('')}`;
  const bytes = Buffer.from(`${head}${crcOf(head)}\n`, 'latin1');
  const temporary = join(directory, TEMPORARY_NAME);
  const fd = await fs.open(temporary, 'w+');
  try {
    await fs.write(fd, bytes, 0, bytes.length, 0);
    await fs.fsync(fd);
  } finally {
    await fs.close(fd);
  }
  await fs.rename(temporary, join(directory, IDENTITY_NAME));
  await fs.syncDirectory(directory);
  return made;
}

function parse(path: string, text: string): readonly Identity[] {
  const crcAt = text.length - 9;
  const head = text.slice(0, Math.max(0, crcAt));
  if (!text.startsWith(MAGIC) || text.slice(crcAt) !== `${crcOf(head)}\n`) {
    throw new JournalDamagedError(path, 0, 'the identity of the journal does not have its checksum');
  }
  const [first = '', ...lines] = head.trimEnd().split('\n');
  const version = first.slice(MAGIC.length);
  if (version !== VERSION) throw new JournalFormatError(`${path} has version ${version} of the format`);
  return lines.map((line) => {
    const [, id = '', from = ''] = /^([0-9a-f-]{36}) (\d{1,15})$/.exec(line) ?? [];
    if (id === '') throw new JournalDamagedError(path, 0, 'an identity of the journal is not one');
    return { id, from: Number(from) };
  });
}

function crcOf(text: string): string {
  return crc32(Buffer.from(text, 'latin1')).toString(16).padStart(8, '0');
}
