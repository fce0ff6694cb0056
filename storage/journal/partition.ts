/**
 * One partition of one actor type: what waits to be written, what is written, and how far its reader has come.
 *
 * committed <= end. [committed, end) is indexed on disk; its newest part, maybe all of it, is in memory as well.
 * An append is pending, then in flight (its group is being written), then below `end`; in that order, without overtaking.
 */
import type { LogClosedError, LogFullError } from '../../runtime/errors.js';
import { FRAME_ITEM_OVERHEAD, writeFrameItem } from '../../runtime/frame.js';
import type { AppendWaiter, Frame, LogPartition } from '../../runtime/message-log.js';
import { align, RECORD, RECORD_HEADER_BYTES } from './format.js';
import { FrameIndex, type IndexAccount } from './frame-index.js';
import { FrameQueue } from './frame-queue.js';
import type { FrameReader } from './frame-reader.js';
import type { GroupWriter } from './group-writer.js';
import type { MemoryTail, TailChunk, TailOwner } from './memory-tail.js';
import type { Segment } from './segment.js';

/** What the partitions share. */
export interface PartitionHost {
  readonly tail: MemoryTail;
  readonly reader: FrameReader;
  readonly account: IndexAccount;
  /** Asks for room in the pending buffer; an error when the append is refused. */
  admit(envelopeBytes: number): LogFullError | LogClosedError | undefined;
  /** The same for an append that passes on. */
  admitPassedOn(envelopeBytes: number): LogFullError | LogClosedError | undefined;
  /** The partition has pending appends and had none before. */
  touched(partition: JournalPartition): void;
  /** `count` more messages are committed. */
  committed(partition: JournalPartition, count: number): void;
  /** A callback of the journal's user threw. */
  callbackThrew(error: unknown): void;
}

class PendingAppend {
  readonly envelope: Uint8Array;
  readonly waiter: AppendWaiter;
  next: PendingAppend | undefined = undefined;

  constructor(envelope: Uint8Array, waiter: AppendWaiter) {
    this.envelope = envelope;
    this.waiter = waiter;
  }
}

export class JournalPartition implements LogPartition, TailOwner {
  readonly actor: string;
  readonly channel: number;
  readonly index: number;
  end: number;
  committed: number;
  onAppended: (() => void) | undefined = undefined;
  /** Committed offset not written down yet; kept by the group commit. */
  dirty = false;
  /** Of what is pending: a frame's body. */
  pendingBytes = 0;

  readonly #host: PartitionHost;
  readonly #memory = new FrameQueue();
  #indexes: FrameIndex[] = [];
  #pendingHead: PendingAppend | undefined = undefined;
  #pendingTail: PendingAppend | undefined = undefined;
  #pendingCount = 0;
  #flightHead: PendingAppend | undefined = undefined;
  #flightCount = 0;
  /** Of the frame in flight: where its record starts and its body ends in the group's buffer. */
  #flightStart = 0;
  #flightEnd = 0;

  constructor(
    host: PartitionHost,
    place: { actor: string; channel: number; index: number },
    offsets: { next: number; committed: number },
  ) {
    this.#host = host;
    this.actor = place.actor;
    this.channel = place.channel;
    this.index = place.index;
    this.end = offsets.next;
    this.committed = offsets.committed;
  }

  append(envelope: Uint8Array, waiter: AppendWaiter, passesOn = false): void {
    const { length } = envelope;
    const refusal = passesOn ? this.#host.admitPassedOn(length) : this.#host.admit(length);
    if (refusal !== undefined) {
      waiter.appendFailed(refusal);
      return;
    }
    const entry = new PendingAppend(envelope, waiter);
    if (this.#pendingTail === undefined) {
      this.#pendingHead = entry;
      this.#host.touched(this);
    } else {
      this.#pendingTail.next = entry;
    }
    this.#pendingTail = entry;
    this.#pendingCount++;
    this.pendingBytes += FRAME_ITEM_OVERHEAD + envelope.length;
  }

  read(offset: number, bytesMax: number): readonly Frame[] | Promise<readonly Frame[]> {
    if (!(offset >= this.committed && offset <= this.end)) {
      throw new RangeError(
        `${this.actor}/${this.index}: offset ${offset} is not within ${this.committed}..${this.end}`,
      );
    }
    if (offset === this.end) return [];
    const first = this.#memory.first;
    if (first !== undefined && offset >= first.offset) return this.#memory.from(offset, bytesMax);
    return this.#host.reader.read(this, offset, bytesMax);
  }

  commit(offset: number): void {
    if (!(offset <= this.end)) {
      throw new RangeError(`${this.actor}/${this.index}: commit of ${offset} is past the end, ${this.end}`);
    }
    if (offset <= this.committed) return;
    const count = offset - this.committed;
    this.committed = offset;
    for (let first = this.#memory.first; first !== undefined; first = this.#memory.first) {
      if (first.offset + first.count > offset) break;
      this.dropOldestFrame();
    }
    this.trimIndexes();
    this.#host.committed(this, count);
  }

  dropOldestFrame(): void {
    const chunk = this.#memory.shift();
    if (chunk !== undefined) this.#host.tail.release(chunk);
  }

  /** The index with the frame that holds `offset`, undefined when none does (any more). */
  indexOf(offset: number): FrameIndex | undefined {
    for (const index of this.#indexes) {
      if (offset < index.end) return index.length > 0 && index.first() <= offset ? index : undefined;
    }
    return undefined;
  }

  /** Drops what is committed: frames, and with them indexes, unless groups still go to their segment. */
  trimIndexes(): void {
    let index = this.#indexes[0];
    while (index !== undefined) {
      index.trim(this.committed);
      if (index.length > 0 || index.segment.state === 'active') return;
      index.drop();
      index.segment.live--;
      this.#indexes.shift();
      index = this.#indexes[0];
    }
  }

  /** Takes note of a frame that is on the disk. */
  addToIndex(segment: Segment, position: number, offset: number, count: number): void {
    let index = this.#indexes.at(-1);
    if (index?.segment !== segment) {
      index = new FrameIndex(segment, offset, this.#host.account);
      segment.live++;
      this.#indexes.push(index);
    }
    index.push(position, offset, count);
  }

  /**
   * Moves pending appends in flight whose frame's body fits in `bytesMax`. Returns the body's bytes, 0 when none fits.
   */
  take(bytesMax: number, countMax: number): number {
    this.#flightHead = this.#pendingHead;
    if (this.pendingBytes <= bytesMax && this.#pendingCount <= countMax) {
      const bytes = this.pendingBytes;
      this.#flightCount = this.#pendingCount;
      this.#pendingHead = undefined;
      this.#pendingTail = undefined;
      this.#pendingCount = 0;
      this.pendingBytes = 0;
      return bytes;
    }
    let bytes = 0;
    let count = 0;
    let entry = this.#pendingHead;
    while (entry !== undefined && count < countMax) {
      const item = FRAME_ITEM_OVERHEAD + entry.envelope.length;
      if (bytes + item > bytesMax) break;
      bytes += item;
      count++;
      entry = entry.next;
    }
    this.#flightCount = count;
    this.#pendingHead = entry;
    if (entry === undefined) this.#pendingTail = undefined;
    this.#pendingCount -= count;
    this.pendingBytes -= bytes;
    return bytes;
  }

  /** Bytes of the oldest pending append in a frame's body. */
  get firstPendingBytes(): number {
    return FRAME_ITEM_OVERHEAD + (this.#pendingHead?.envelope.length ?? 0);
  }

  writeFrame(writer: GroupWriter, buffer: Buffer): void {
    let position = writer.record(RECORD.frame, this.channel, this.index, this.end, this.#flightCount);
    this.#flightStart = position - RECORD_HEADER_BYTES;
    let entry = this.#flightHead;
    for (let i = this.#flightCount; i > 0 && entry !== undefined; i--) {
      position = writeFrameItem(buffer, position, entry.envelope);
      entry = entry.next;
    }
    this.#flightEnd = position;
    writer.endRecord(position);
  }

  /** The frame in flight is on the log: makes it readable. `settle` follows. */
  land(segment: Segment, groupPosition: number, buffer: Buffer, chunk: TailChunk | undefined): number {
    const offset = this.end;
    const count = this.#flightCount;
    this.addToIndex(segment, groupPosition + this.#flightStart, offset, count);
    if (chunk === undefined) {
      // Too long to be kept: what is older goes too, for the frames in memory have no gap.
      while (this.#memory.first !== undefined) this.dropOldestFrame();
    } else {
      const body = buffer.subarray(this.#flightStart + RECORD_HEADER_BYTES, this.#flightEnd);
      this.#memory.push({ offset, count, body }, chunk);
    }
    this.end = offset + count;
    return count;
  }

  /** Tells the waiters of the frame that landed, or of the one that failed. */
  settle(failure: LogClosedError | undefined): void {
    let entry = this.#flightHead;
    const count = this.#flightCount;
    this.#flightHead = undefined;
    this.#flightCount = 0;
    let offset = this.end - count;
    for (let i = 0; i < count && entry !== undefined; i++) {
      try {
        if (failure === undefined) entry.waiter.appended(offset++);
        else entry.waiter.appendFailed(failure);
      } catch (error) {
        this.#host.callbackThrew(error);
      }
      entry = entry.next;
    }
  }

  announce(): void {
    try {
      this.onAppended?.();
    } catch (error) {
      this.#host.callbackThrew(error);
    }
  }

  /** Fails what is pending. Returns its bytes. */
  failPending(failure: LogFullError | LogClosedError): number {
    let entry = this.#pendingHead;
    const bytes = this.pendingBytes;
    this.#pendingHead = undefined;
    this.#pendingTail = undefined;
    this.#pendingCount = 0;
    this.pendingBytes = 0;
    for (; entry !== undefined; entry = entry.next) {
      try {
        entry.waiter.appendFailed(failure);
      } catch (error) {
        this.#host.callbackThrew(error);
      }
    }
    return bytes;
  }

  /** What a frame of everything pending takes in a group. */
  get pendingRecordBytes(): number {
    return RECORD_HEADER_BYTES + align(this.pendingBytes);
  }
}
