/**
 * The journal as its users see it: the message log of one node, on its disk. What it is made of is wired together here.
 */
import type { HistogramCounts } from '../../runtime/measure/histogram.js';
import type { LogPartition, LogState, MessageLog } from '../../runtime/message-log.js';
import { BlockCache } from './block-cache.js';
import type { ChannelTable } from './channel-table.js';
import type { IndexAccount } from './frame-index.js';
import { FrameReader } from './frame-reader.js';
import { FullnessLog } from './fullness-log.js';
import { GroupCommit } from './group-commit.js';
import { JournalState, type StateListener } from './journal-state.js';
import type { DirectoryLock } from './lock.js';
import { MemoryTail } from './memory-tail.js';
import type { FilledOptions } from './options.js';
import type { JournalPartition, PartitionHost } from './partition.js';
import type { Segment } from './segment.js';
import { SegmentChain } from './segment-chain.js';
import type { SegmentPreparer } from './segment-preparer.js';
import { SyncPolicy } from './sync-policy.js';
import { Syncer } from './syncer.js';

/** A snapshot; counts are since the journal was opened. */
export interface JournalStats {
  readonly state: LogState;
  /** Group commits, and what was in them. */
  readonly commits: number;
  readonly appended: number;
  readonly bytes: number;
  readonly syncLastUs: number;
  /** Moving average. */
  readonly syncEwmaUs: number;
  /** Where syncs wait now. */
  readonly syncMode: 'inline' | 'pool';
  /** With messages in them, the active one included. */
  readonly segments: number;
  /** Of the segment files, the prepared one included. */
  readonly diskBytes: number;
  readonly indexBytes: number;
  readonly tailBytes: number;
  readonly pendingBytes: number;
  readonly cacheBytes: number;
  /** Blocks read from the disk for readers that lag. */
  readonly blockReads: number;
  /** Messages appended and not committed. */
  readonly lag: number;
}

export interface Journal extends MessageLog {
  stats(): JournalStats;
  /** How long group commits with messages took, since the journal was opened. */
  commitTimes(): HistogramCounts;
  /** Called after each change of state; `cause` with `full` and `failed`. */
  onStateChange: StateListener | undefined;
}

export interface JournalParts {
  readonly id: string;
  readonly options: FilledOptions;
  readonly lock: DirectoryLock;
  readonly preparer: SegmentPreparer;
  readonly channels: ChannelTable;
  readonly host: JournalHost;
  readonly sealed: readonly Segment[];
  readonly active: Segment;
  readonly preparedBytes: number;
  readonly sequence: number;
}

/** What the partitions share; made before them, joined with the group commit after. */
export class JournalHost implements PartitionHost {
  readonly account: IndexAccount = { bytes: 0 };
  readonly tail: MemoryTail;
  readonly cache: BlockCache;
  readonly reader: FrameReader;
  lag = 0;
  commit: GroupCommit | undefined;

  constructor(options: FilledOptions) {
    this.tail = new MemoryTail(options.memoryTailBytesMax);
    this.cache = new BlockCache(options.fs, { blockBytes: 256 * 1024, bytesMax: options.blockCacheBytesMax });
    this.reader = new FrameReader(this.cache);
  }

  get #commit(): GroupCommit {
    if (this.commit === undefined) throw new Error('the journal is not assembled yet');
    return this.commit;
  }

  admit(envelopeBytes: number) {
    return this.#commit.admit(envelopeBytes);
  }

  admitPassedOn(envelopeBytes: number) {
    return this.#commit.admitPassedOn(envelopeBytes);
  }

  touched(partition: JournalPartition): void {
    this.#commit.touched(partition);
  }

  committed(partition: JournalPartition, count: number): void {
    this.lag -= count;
    this.#commit.committed(partition);
  }

  /** A programmer's error: it ends the process, but not before every other waiter of the group was told. */
  callbackThrew(error: unknown): void {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export class DiskJournal implements Journal {
  readonly #parts: JournalParts;
  readonly #state: JournalState;
  readonly #policy: SyncPolicy;
  readonly #chain: SegmentChain;
  readonly #commit: GroupCommit;
  #closing: Promise<void> | undefined;

  constructor(parts: JournalParts) {
    const { options, host, preparer, channels, lock } = parts;
    const { fs, clock, logger, directory, segmentBytes, bytesMax } = options;
    this.#parts = parts;
    this.#state = new JournalState(new FullnessLog({ logger, clock, bytesMax }));
    this.#policy = new SyncPolicy(options.syncPolicy);
    this.#chain = new SegmentChain({
      fs,
      directory,
      logger,
      cache: host.cache,
      preparer,
      segmentBytes,
      bytesMax,
      segments: parts.sealed,
      active: parts.active,
      preparedBytes: parts.preparedBytes,
    });
    this.#commit = new GroupCommit({
      fs,
      clock,
      logger,
      state: this.#state,
      syncer: new Syncer(fs, clock, this.#policy),
      durability: options.durability,
      partitions: options.partitions,
      pendingBytesMax: options.pendingBytesMax,
      envelopeBytesMax: segmentBytes / 2,
      randomU32: options.randomU32,
      channels,
      chain: this.#chain,
      tail: host.tail,
      sequence: parts.sequence,
    });
    host.commit = this.#commit;
    this.#commit.onLanded = (count) => {
      host.lag += count;
    };
    preparer.onChange = () => this.#commit.nextChanged();
    this.#chain.onDeleted = () => this.#commit.roomChanged();
    lock.onLost = (reason) => this.#commit.fail(new Error(`the directory is not ours any more: ${reason}`));
    this.#chain.retire(this.#chain.reclaimable);
    this.#chain.prepareNext();
    if (this.#chain.isOver) this.#state.to('full');
  }

  get id(): string {
    return this.#parts.id;
  }

  get state(): LogState {
    return this.#state.current;
  }

  get partitions(): number {
    return this.#parts.options.partitions;
  }

  get actors(): readonly string[] {
    return this.#parts.channels.all
      .filter(({ partitions }) => partitions.some(({ end, committed }) => end > committed))
      .map(({ name }) => name);
  }

  get onStateChange(): StateListener | undefined {
    return this.#state.onChange;
  }

  set onStateChange(listener: StateListener | undefined) {
    this.#state.onChange = listener;
  }

  open(actor: string): readonly LogPartition[] {
    const { channels } = this.#parts;
    return (channels.get(actor) ?? channels.open(actor)).partitions;
  }

  lag(): number {
    return this.#parts.host.lag;
  }

  commitTimes(): HistogramCounts {
    return this.#commit.times.counts();
  }

  stats(): JournalStats {
    const { host } = this.#parts;
    return {
      state: this.state,
      ...this.#commit.counters,
      syncLastUs: this.#policy.lastUs,
      syncEwmaUs: this.#policy.ewmaUs,
      syncMode: this.#policy.mode,
      segments: this.#chain.length,
      diskBytes: this.#chain.bytes,
      indexBytes: host.account.bytes,
      tailBytes: host.tail.bytes,
      pendingBytes: this.#commit.pendingBytes,
      cacheBytes: host.cache.bytes,
      blockReads: host.cache.reads,
      lag: host.lag,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state.writable) this.#state.to('closing');
    await this.#commit.drain();
    await this.#parts.preparer.stop();
    await this.#chain.close();
    await this.#parts.lock.release();
    this.#state.to('closed');
  }
}
