/**
 * The group commit: one write and one sync for all that arrived while the last one was under way.
 *
 * ```
 * idle -> scheduled      the first append of a turn of the event loop; setImmediate, so that the whole turn is in it
 * scheduled -> writing   the group is packed, written, synced
 * writing -> idle        settled, and nothing new
 * writing -> scheduled   settled, and more arrived meanwhile
 * scheduled, writing -> waiting    the active segment is used up, the next one not ready
 * waiting -> scheduled   it is
 * ```
 * A journal at its limit gets another segment only for appends that pass on, and for what gives room back (`segment-chain.ts`).
 * No acknowledgement leaves before the sync returned (P1). A failed write or sync is final: after one, what the page
 * cache says is not what the disk holds, and only recovery finds out.
 */
import { LogClosedError, LogFullError } from '../../runtime/errors.js';
import { asError } from '../../runtime/failure.js';
import type { Logger } from '../../runtime/logger.js';
import { Histogram } from '../../runtime/measure/histogram.js';
import type { ChannelTable } from './channel-table.js';
import type { JournalClock } from './clock.js';
import { CommitsLedger } from './commits-ledger.js';
import type { FileSystem } from './file-system.js';
import { GROUP_HEADER_BYTES, recordBytes } from './format.js';
import { GroupWriter } from './group-writer.js';
import type { JournalState } from './journal-state.js';
import { MemorySync } from './memory-sync.js';
import { type MemoryTail, TailChunk } from './memory-tail.js';
import type { JournalPartition } from './partition.js';
import { PendingAppends } from './pending-appends.js';
import { Segment } from './segment.js';
import type { SegmentChain } from './segment-chain.js';
import type { PreparedSegment } from './segment-preparer.js';
import { encodeSegmentStart } from './segment-start.js';
import type { Syncer } from './syncer.js';

type Phase = 'idle' | 'scheduled' | 'writing' | 'waiting';

/** Committed offsets are written down no later than this. */
export const COMMITS_DELAY_MS = 500;

export interface GroupCommitParts {
  readonly fs: FileSystem;
  readonly clock: JournalClock;
  readonly logger: Logger;
  readonly state: JournalState;
  readonly syncer: Syncer;
  readonly randomU32: () => number;
  readonly durability: 'commit' | 'memory';
  readonly partitions: number;
  readonly pendingBytesMax: number;
  readonly envelopeBytesMax: number;
  readonly channels: ChannelTable;
  readonly chain: SegmentChain;
  readonly tail: MemoryTail;
  /** Of the last group on the log; all of them are on the disk. */
  readonly sequence: number;
}

export class GroupCommit {
  readonly counters = { commits: 0, appended: 0, bytes: 0 };
  /** Of groups with messages, from their write until they are on the log. */
  readonly times = new Histogram();
  #begunAt = 0;
  readonly #parts: GroupCommitParts;
  readonly #writer = new GroupWriter();
  readonly #pending: PendingAppends;
  #phase: Phase = 'idle';
  #group: JournalPartition[] = [];
  readonly #commits = new CommitsLedger();
  readonly #memorySync: MemorySync;
  #cancelTimer: (() => void) | undefined;
  #sequence: number;
  #syncedThrough: number;
  /** Bytes of the commits at the tail that the next group overwrites. */
  #scratchBytes = 0;
  #scratch = Buffer.alloc(4096);
  #onDrained: (() => void) | undefined;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
    this.#sequence = parts.sequence;
    this.#syncedThrough = parts.sequence;
    this.#memorySync = new MemorySync(parts.fs, (error) => this.#failGroup(error));
    this.#pending = new PendingAppends(parts.pendingBytesMax, parts.envelopeBytesMax);
  }

  get pendingBytes(): number {
    return this.#pending.bytes;
  }

  admit(envelopeBytes: number): LogFullError | LogClosedError | undefined {
    return this.#parts.state.refusal ?? this.#pending.admit(envelopeBytes);
  }

  admitPassedOn(envelopeBytes: number): LogFullError | LogClosedError | undefined {
    return this.#parts.state.refusalOfPassedOn ?? this.#pending.admitPassedOn(envelopeBytes);
  }

  touched(partition: JournalPartition): void {
    this.#pending.touched(partition);
    if (this.#phase === 'idle') this.#schedule();
  }

  committed(partition: JournalPartition): void {
    if (!this.#parts.state.writable) return;
    this.#commits.note(partition);
    if (this.#phase === 'idle' && this.#parts.chain.reclaimable > 0) this.#schedule();
    else this.#cancelTimer ??= this.#parts.clock.after(COMMITS_DELAY_MS, this.#onTimer);
  }

  /** A segment is gone, or the next one is ready. */
  roomChanged(): void {
    const { state, chain } = this.#parts;
    if (state.current === 'full' && chain.hasRoom) state.to('open');
  }

  /** The next segment is ready, or cannot be had for now. */
  nextChanged(): void {
    this.roomChanged();
    if (this.#phase === 'waiting') this.#schedule();
    else if (this.#phase === 'idle' && this.#parts.chain.reclaimable > 0) this.#schedule();
  }

  /** Resolves when all that is pending is settled and the committed offsets are on the disk. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      if (this.#phase === 'idle') this.#schedule();
    });
  }

  /** Final: nothing is written after it. */
  fail(cause: Error): void {
    const { state, logger } = this.#parts;
    if (!state.writable) return;
    logger.error({ err: cause }, 'the journal failed');
    state.to('failed', cause);
    this.#pending.fail(state.refusal ?? new LogClosedError('the journal failed', { cause }));
    this.#cancelTimer?.();
    // A sync that is under way settles its own group.
    if (this.#phase !== 'writing') this.#rest();
  }

  #schedule(): void {
    this.#phase = 'scheduled';
    setImmediate(this.#flush);
  }

  readonly #onTimer = (): void => {
    this.#cancelTimer = undefined;
    if (!this.#commits.news || !this.#parts.state.writable) return;
    if (this.#phase === 'idle') this.#flush();
    else this.#cancelTimer = this.#parts.clock.after(COMMITS_DELAY_MS, this.#onTimer);
  };

  readonly #flush = (): void => {
    const { state, channels, chain } = this.#parts;
    if (!state.writable) {
      this.#rest();
      return;
    }
    this.#phase = 'writing';
    let overhead = GROUP_HEADER_BYTES;
    for (const { name } of channels.unrecorded) overhead += recordBytes(Buffer.byteLength(name));
    overhead += this.#commits.recordBytes;
    const room = chain.active.bytes - chain.active.end - overhead;
    if (!this.#pending.isEmpty) {
      const bytes = this.#pending.take(room - channels.reserveBytes, this.#group);
      if (bytes === 0) this.#roll();
      else this.#write(overhead + bytes);
    } else if (!this.#hasDuties()) {
      this.#rest();
    } else if (room < 0) {
      this.#roll();
    } else {
      this.#write(overhead);
    }
  };

  /** Whether there is a reason for a group without messages. */
  #hasDuties(): boolean {
    const closing = this.#parts.state.current === 'closing';
    const unsynced = this.#scratchBytes > 0 || this.#syncedThrough < this.#sequence;
    return this.#commits.news || (closing && unsynced);
  }

  #write(length: number): void {
    const { syncer, channels, chain, tail, state, durability } = this.#parts;
    this.#begunAt = performance.now();
    const segment = chain.active;
    const group = this.#group;
    const reclaimable = chain.reclaimable;
    const firm =
      group.length > 0 || reclaimable > 0 || channels.unrecorded.length > 0 || state.current === 'closing';
    const bytes = Math.max(length, this.#scratchBytes);
    const kept = group.length > 0 && bytes <= tail.bytesMax;
    const buffer = kept ? Buffer.allocUnsafeSlow(bytes) : this.#scratchOf(bytes);
    const writer = this.#writer;
    writer.begin(buffer, 0);
    for (const { number, name } of channels.unrecorded) writer.channel(number, name);
    this.#commits.write(writer);
    for (const partition of group) partition.writeFrame(writer, buffer);
    const end = writer.end(this.#sequence + 1, this.#syncedThrough, segment.salt);
    if (end !== length) throw new Error(`a group of ${length} bytes took ${end}`);
    buffer.fill(0, length, bytes);
    this.#commits.written();
    try {
      syncer.write(segment.fd, buffer, bytes, segment.end);
    } catch (error) {
      this.#failGroup(asError(error));
      return;
    }
    if (!firm) {
      this.#scratchBytes = length;
      this.#rest();
      return;
    }
    channels.recorded();
    this.#commits.recorded();
    const landed = (synced: boolean) => this.#land(segment, buffer, length, kept, synced ? reclaimable : 0);
    if (durability === 'commit' || reclaimable > 0 || state.current === 'closing') {
      this.#sync(segment.fd, () => {
        this.#syncedThrough = this.#sequence + 1;
        landed(true);
      });
    } else {
      landed(false);
      this.#memorySync.wrote(segment, length);
    }
  }

  /** The group is on the log: its messages become readable, then their waiters are told, then the readers. */
  #land(segment: Segment, buffer: Buffer, length: number, kept: boolean, reclaimable: number): void {
    const { chain, tail } = this.#parts;
    const group = this.#group;
    const position = segment.end;
    segment.end += length;
    this.#sequence++;
    this.#scratchBytes = 0;
    // The chunk keeps the list; without one the list is used again.
    const chunk = kept ? new TailChunk(buffer.length, group) : undefined;
    this.#group = [];
    let count = 0;
    for (const partition of group) count += partition.land(segment, position, buffer, chunk);
    if (chunk !== undefined) tail.add(chunk);
    if (count > 0) this.times.observe(performance.now() - this.#begunAt);
    this.counters.commits++;
    this.counters.appended += count;
    this.counters.bytes += length;
    this.onLanded?.(count);
    if (reclaimable > 0) chain.retire(reclaimable);
    for (const partition of group) partition.settle(undefined);
    for (const partition of group) partition.announce();
    this.#rest();
  }

  /** Called with the number of messages that became readable. */
  onLanded: ((count: number) => void) | undefined;

  /** What comes after a group, or instead of one. */
  #rest(): void {
    const { state, chain } = this.#parts;
    const closing = state.current === 'closing';
    if (state.writable && (!this.#pending.isEmpty || (closing && this.#hasDuties()))) {
      this.#schedule();
      return;
    }
    this.#phase = 'idle';
    if (state.writable && this.#commits.news) {
      if (chain.reclaimable > 0) this.#schedule();
      else this.#cancelTimer ??= this.#parts.clock.after(COMMITS_DELAY_MS, this.#onTimer);
    }
    if (closing || !state.writable) this.#drained();
  }

  #drained(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#onDrained?.();
    this.#onDrained = undefined;
  }

  /** Goes on to the next segment: first what the active one leaves to sync, then its header and checkpoint. */
  #roll(): void {
    const { chain, durability } = this.#parts;
    const next = chain.takeNext();
    if (next === undefined) {
      this.#noNext();
      return;
    }
    const synced = () => {
      // Commits at the tail of a segment that gets sealed are part of it, so they must be on the disk.
      if (this.#scratchBytes > 0) this.#sequence++;
      chain.active.end += this.#scratchBytes;
      this.#scratchBytes = 0;
      this.#syncedThrough = this.#sequence;
      this.#activate(next);
    };
    if (durability === 'memory') this.#memorySync.sync(chain.active, this.#unlessFailed(synced));
    else if (this.#scratchBytes > 0) this.#sync(chain.active.fd, synced);
    else this.#activate(next);
  }

  #activate(next: PreparedSegment): void {
    const { chain, channels, durability, syncer } = this.#parts;
    const reclaimable = chain.reclaimable;
    const salt = this.#parts.randomU32();
    const { number, bytes, path, fd } = next;
    const start = encodeSegmentStart(
      {
        number,
        bytes,
        partitions: this.#parts.partitions,
        salt,
        sequence: this.#sequence + 1,
        syncedThrough: this.#syncedThrough,
        reset: false,
      },
      channels,
    );
    try {
      syncer.write(fd, start, start.length, 0);
    } catch (error) {
      this.#failGroup(asError(error));
      return;
    }
    const activated = () => {
      this.#sequence++;
      chain.activate(new Segment({ number, path, fd, bytes, salt, end: start.length }));
      for (const partition of channels.everyPartition()) partition.trimIndexes();
      chain.prepareNext();
      this.#flush();
    };
    channels.recorded();
    this.#commits.recorded();
    if (durability === 'memory') {
      activated();
    } else {
      this.#sync(fd, () => {
        this.#syncedThrough = this.#sequence + 1;
        // The checkpoint says what is committed, so what was before it may go.
        chain.retire(reclaimable);
        activated();
      });
    }
  }

  #noNext(): void {
    const { chain, state } = this.#parts;
    if (chain.preparing) {
      this.#phase = 'waiting';
      return;
    }
    if (state.current === 'open') state.to('full', chain.failure);
    // What senders have pending goes along: no more of it comes.
    const forCommits = this.#pending.isEmpty && chain.reclaimable > 0;
    if ((this.#pending.passedOn || forCommits) && chain.prepareBeyond()) {
      this.#phase = 'waiting';
      return;
    }
    this.#phase = 'idle';
    this.#pending.fail(new LogFullError('the journal is full', { cause: chain.failure }));
    if (state.current === 'closing') this.#drained();
  }

  #sync(fd: number, done: () => void): void {
    const unlessFailed = this.#unlessFailed(done);
    this.#parts.syncer.sync(fd, (error) => {
      if (error !== undefined) this.#failGroup(error);
      else unlessFailed();
    });
  }

  /** The journal may have failed while a sync was under way: then nobody is told of a success either. */
  #unlessFailed(done: () => void): () => void {
    return () => {
      if (this.#parts.state.writable) done();
      else this.#failGroup(new Error('the journal failed meanwhile'));
    };
  }

  #failGroup(cause: Error): void {
    this.fail(cause);
    const failure = new LogClosedError('a write to the journal failed', { cause });
    const group = this.#group;
    this.#group = [];
    for (const partition of group) partition.settle(failure);
    this.#rest();
  }

  #scratchOf(bytes: number): Buffer {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafeSlow(2 * bytes);
    return this.#scratch;
  }
}
