/**
 * Opens a journal: lock, recovery, repair, then the segment to write on.
 */
import type { ChannelTable as Channels } from './channel-table.js';
import { ChannelTable } from './channel-table.js';
import { JournalDamagedError, JournalDirectoryError, JournalPartitionsError } from './errors.js';
import { hasCode } from './has-code.js';
import { identityAt, readIdentities, writeIdentity } from './identity.js';
import { DiskJournal, type Journal, JournalHost } from './journal.js';
import { type DirectoryLock, lockDirectory } from './lock.js';
import { type FilledOptions, fillOptions, type JournalOptions } from './options.js';
import { type RecoveredSegment, type Recovery, recoverDirectory } from './recovery.js';
import { repair } from './repair.js';
import { Segment } from './segment.js';
import { type PreparedSegment, prepareSegment, SegmentPreparer } from './segment-preparer.js';
import { encodeSegmentStart } from './segment-start.js';

/**
 * Opens the journal in a directory, and makes it if there is none.
 * @throws JournalLockedError another live process has it open
 * @throws JournalDamagedError what is there is not what was written; nothing is changed
 * @throws JournalFormatError it was written by another version of the format
 * @throws JournalPartitionsError it holds uncommitted messages under another number of partitions
 * @throws JournalDirectoryError the directory or its disk cannot be used
 * @throws RangeError an option is out of its range
 */
export async function openJournal(given: JournalOptions): Promise<Journal> {
  const options = fillOptions(given);
  const { fs, directory } = options;
  let lock: DirectoryLock | undefined;
  const opened: number[] = [];
  try {
    await fs.mkdir(directory);
    lock = await lockDirectory(directory, { waitMsMax: options.lockWaitMsMax, logger: options.logger });
    return await openLocked(options, lock, opened);
  } catch (error) {
    for (const fd of opened) await fs.close(fd);
    await lock?.release();
    throw hasCode(error, ...DIRECTORY_CODES)
      ? new JournalDirectoryError(`the journal cannot use ${directory}: ${String(error)}`, { cause: error })
      : error;
  }
}

/** What the operating system says of a directory or disk that cannot be used. */
const DIRECTORY_CODES = [
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'EEXIST',
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EMFILE',
];

async function openLocked(options: FilledOptions, lock: DirectoryLock, opened: number[]): Promise<Journal> {
  const { fs, directory, logger, clock } = options;
  const identities = await readIdentities(fs, directory);
  const recovery = await recoverDirectory(fs, directory);
  const reset = needsReset(options, recovery);
  await repair(fs, directory, recovery, logger);

  const host = new JournalHost(options);
  const channels = new ChannelTable(host, options.partitions, options.segmentBytes);
  const old: Segment[] = [];
  for (const found of recovery.segments) {
    const { number, path, bytes, salt, end } = found;
    const fd = await fs.open(path, 'r+');
    opened.push(fd);
    old.push(new Segment({ number, path, fd, bytes, salt, end }));
  }
  if (!reset) restore(channels, host, recovery, old);

  const preparer = new SegmentPreparer({ fs, clock, directory, logger });
  const lastNumber = recovery.segments.at(-1)?.number ?? 0;
  let identity = identityAt(identities, lastNumber);
  if (reset || identity === undefined) {
    const from = reset ? lastNumber + 1 : (recovery.segments[0]?.number ?? 1);
    identity = await writeIdentity(fs, directory, from, identity);
  }
  let prepared = await adoptPrepared(options, recovery, opened);
  let active = old.at(-1);
  let sequence = recovery.sequence;
  if (reset || active === undefined) {
    prepared ??= await prepareSegment(fs, directory, lastNumber + 1, options.segmentBytes, () => false);
    if (prepared === undefined) throw new Error('the preparation of a segment was stopped');
    if (!opened.includes(prepared.fd)) opened.push(prepared.fd);
    active?.seal();
    active = await startSegment(options, prepared, channels, sequence, reset);
    sequence++;
    prepared = undefined;
  } else {
    old.pop();
  }
  for (const segment of old) if (segment.state === 'active') segment.seal();
  for (const partition of channels.everyPartition()) partition.trimIndexes();
  if (prepared !== undefined) preparer.adopt(prepared);
  logger.info(
    { directory, segments: old.length + 1, lag: host.lag, durability: options.durability },
    'journal opened',
  );
  const preparedBytes = prepared?.bytes ?? 0;
  return new DiskJournal({
    id: identity.id,
    options,
    lock,
    preparer,
    channels,
    host,
    sealed: old,
    active,
    preparedBytes,
    sequence,
  });
}

/** @throws JournalPartitionsError when the number of partitions changed and something is uncommitted */
function needsReset(options: FilledOptions, recovery: Recovery): boolean {
  if (recovery.segments.length === 0 || recovery.partitions === options.partitions) return false;
  let uncommitted = 0;
  for (const { partitions } of recovery.channels) {
    for (const { next, committed } of partitions) uncommitted += next - committed;
  }
  if (uncommitted > 0) {
    throw new JournalPartitionsError(
      `${options.directory} holds ${uncommitted} uncommitted messages in ${recovery.partitions} partitions; ` +
        `run with ${recovery.partitions} until they are handled, then with ${options.partitions}`,
    );
  }
  return true;
}

/** Puts the recovered offsets and frames in place. */
function restore(
  channels: Channels,
  host: JournalHost,
  recovery: Recovery,
  segments: readonly Segment[],
): void {
  for (const { name, partitions } of recovery.channels) {
    channels.add(name, (index) => partitions[index] ?? { next: 0, committed: 0 });
  }
  for (const { end, committed } of channels.everyPartition()) host.lag += end - committed;
  for (const [i, segment] of segments.entries()) {
    const found = recovery.segments[i];
    if (found !== undefined) restoreFrames(channels, found, segment);
  }
}

function restoreFrames(channels: Channels, found: RecoveredSegment, segment: Segment): void {
  for (const { channel, partition, base, end, entries } of found.frames) {
    const target = channels.all[channel]?.partitions[partition];
    if (target === undefined) throw new JournalDamagedError(found.path, 0, `unknown channel ${channel}`);
    for (let i = 0; i < entries.length; i += 2) {
      const offset = base + (entries[i + 1] ?? 0);
      const next = i + 3 < entries.length ? base + (entries[i + 3] ?? 0) : end;
      if (next > target.committed) target.addToIndex(segment, entries[i] ?? 0, offset, next - offset);
    }
  }
}

/** The prepared segment to go on with; others (another size, left over) are deleted. */
async function adoptPrepared(
  options: FilledOptions,
  recovery: Recovery,
  opened: number[],
): Promise<PreparedSegment | undefined> {
  const { fs, directory } = options;
  let adopted: PreparedSegment | undefined;
  for (const { number, path, bytes } of recovery.prepared.toReversed()) {
    const next = number === (recovery.segments.at(-1)?.number ?? 0) + 1;
    if (next && bytes === options.segmentBytes) {
      const fd = await fs.open(path, 'r+');
      opened.push(fd);
      adopted = { number, path, fd, bytes };
    } else {
      await fs.unlink(path);
      await fs.syncDirectory(directory);
    }
  }
  return adopted;
}

async function startSegment(
  options: FilledOptions,
  prepared: PreparedSegment,
  channels: Channels,
  sequence: number,
  reset: boolean,
): Promise<Segment> {
  const { number, path, fd, bytes } = prepared;
  const salt = options.randomU32();
  const { partitions } = options;
  const start = encodeSegmentStart(
    { number, bytes, partitions, salt, sequence: sequence + 1, syncedThrough: sequence, reset },
    channels,
  );
  await options.fs.write(fd, start, 0, start.length, 0);
  await options.fs.fsync(fd);
  return new Segment({ number, path, fd, bytes, salt, end: start.length });
}
