/** What a journal is told when it is opened, and the defaults. */
import { randomInt } from 'node:crypto';
import { type Logger, silentLogger } from '../../runtime/logger.js';
import { type JournalClock, realClock } from './clock.js';
import { type FileSystem, realFileSystem } from './file-system.js';
import { SEGMENT_BYTES_MAX } from './format.js';
import { DEFAULT_SYNC_POLICY, type SyncPolicyOptions } from './sync-policy.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export interface JournalOptions {
  /** Made when it does not exist. One journal to a directory. */
  readonly directory: string;
  /** Of each actor type. 1 to 16,384; default 64. Changed later only when everything is committed. */
  readonly partitions?: number;
  /** Size of a segment file, a multiple of 4 KiB up to 1 GiB; default 64 MiB. */
  readonly segmentBytes?: number;
  /**
   * Of all segment files, at least two segments; default 4 GiB. Above it the journal is `full`: it takes only what passes on, up to
   * `PASSED_ON_TIMES` that much.
   */
  readonly bytesMax?: number;
  /** Newest messages kept in memory for readers; default 16 MiB. */
  readonly memoryTailBytesMax?: number;
  /** Messages that wait for the disk; above it appends fail with `LogFullError`. Default 8 MiB. */
  readonly pendingBytesMax?: number;
  /** Blocks of segments kept for readers that lag; default 16 MiB. */
  readonly blockCacheBytesMax?: number;
  /** `commit`: acknowledged means synced. `memory`: acknowledged survives this process, not the machine. Default `commit`. */
  readonly durability?: 'commit' | 'memory';
  /** How long to wait for an owner of the directory that is dying, or silent and perhaps dead; default 35,000. */
  readonly lockWaitMsMax?: number;
  readonly syncPolicy?: SyncPolicyOptions;
  readonly logger?: Logger;
  readonly fs?: FileSystem;
  readonly clock?: JournalClock;
  /** Uniform in [0, 2^32); salts the segments. */
  readonly randomU32?: () => number;
}

export type FilledOptions = Required<JournalOptions>;

/** @throws RangeError that names the option, what was given and what is allowed */
export function fillOptions(options: JournalOptions): FilledOptions {
  const filled: FilledOptions = {
    directory: options.directory,
    partitions: options.partitions ?? 64,
    segmentBytes: options.segmentBytes ?? 64 * MIB,
    bytesMax: options.bytesMax ?? 4 * GIB,
    memoryTailBytesMax: options.memoryTailBytesMax ?? 16 * MIB,
    pendingBytesMax: options.pendingBytesMax ?? 8 * MIB,
    blockCacheBytesMax: options.blockCacheBytesMax ?? 16 * MIB,
    durability: options.durability ?? 'commit',
    lockWaitMsMax: options.lockWaitMsMax ?? 35_000,
    syncPolicy: options.syncPolicy ?? DEFAULT_SYNC_POLICY,
    logger: options.logger ?? silentLogger,
    fs: options.fs ?? realFileSystem,
    clock: options.clock ?? realClock,
    randomU32: options.randomU32 ?? (() => randomInt(0x1_0000_0000)),
  };
  if (typeof filled.directory !== 'string' || filled.directory === '')
    throw new RangeError('directory is no path: the journal needs one');
  check('partitions', filled.partitions, 1, 16_384);
  check('segmentBytes', filled.segmentBytes, 16 * KIB, SEGMENT_BYTES_MAX);
  if (filled.segmentBytes % 4096 !== 0) throw new RangeError('segmentBytes is not a multiple of 4096');
  check('bytesMax', filled.bytesMax, 2 * filled.segmentBytes, Number.MAX_SAFE_INTEGER);
  check('memoryTailBytesMax', filled.memoryTailBytesMax, 0, 4 * GIB);
  check('pendingBytesMax', filled.pendingBytesMax, 4 * KIB, 4 * GIB);
  check('blockCacheBytesMax', filled.blockCacheBytesMax, 0, 4 * GIB);
  check('lockWaitMsMax', filled.lockWaitMsMax, 0, 600_000);
  return filled;
}

function check(name: string, value: number, min: number, max: number): void {
  if (!(Number.isSafeInteger(value) && value >= min && value <= max)) {
    throw new RangeError(`${name} is ${value}, allowed is ${min} to ${max}`);
  }
}
