/**
 * What a journal's groups add up to: channels, offsets, and where the frames lie. Pure; fed with valid groups in order.
 */
import { ENTRY_BYTES, RECORD, RECORD_HEADER_BYTES, readU64, type SegmentHeader } from './format.js';
import { groupRecords, type JournalRecord } from './group-reader.js';

export interface ReplayedPartition {
  next: number;
  committed: number;
  /** Of the segment that is being replayed: position, first offset, count; flat, three numbers a frame. */
  frames: number[];
}

export interface ReplayedChannel {
  readonly name: string;
  readonly partitions: ReplayedPartition[];
}

export class Replay {
  partitions = 0;
  channels: ReplayedChannel[] = [];
  /** Of the last group. */
  sequence = 0;
  /** The highest that any group said to be synced. */
  syncedThrough = 0;
  #started = false;

  get started(): boolean {
    return this.#started;
  }

  /**
   * Takes a group in. Returns what is impossible about it, undefined when nothing is; then the replay is of no use any more.
   * @param header of the segment, when this is its checkpoint
   */
  group(
    buffer: Buffer,
    position: number,
    group: { sequence: number; syncedThrough: number },
    header: SegmentHeader | undefined,
  ): string | undefined {
    if (this.#started && group.sequence !== this.sequence + 1) {
      return `group ${group.sequence} stands where group ${this.sequence + 1} should`;
    }
    if (header !== undefined && group.sequence !== header.firstSequence) {
      return `the first group is ${group.sequence}, the header says ${header.firstSequence}`;
    }
    if (group.syncedThrough >= group.sequence)
      return `group ${group.sequence} says that it was synced before`;
    const fault =
      header === undefined ? this.#messages(buffer, position) : this.#checkpoint(buffer, position, header);
    this.#started = true;
    this.sequence = group.sequence;
    this.syncedThrough = Math.max(this.syncedThrough, group.syncedThrough);
    return fault;
  }

  #checkpoint(buffer: Buffer, position: number, header: SegmentHeader): string | undefined {
    const before = this.#started && !header.reset ? this.channels : undefined;
    if (before !== undefined && header.partitions !== this.partitions) {
      return `${header.partitions} partitions, ${this.partitions} in the segment before`;
    }
    this.partitions = header.partitions;
    this.channels = [];
    for (const record of groupRecords(buffer, position)) {
      if (record.type === RECORD.channel) {
        const fault = this.#channel(buffer, record);
        if (fault !== undefined) return fault;
        continue;
      }
      const channel = this.channels[record.channel];
      if (record.type !== RECORD.checkpoint || channel === undefined) return 'not a checkpoint';
      if (record.count !== header.partitions || bodyLength(record) !== ENTRY_BYTES * record.count) {
        return `a checkpoint of ${record.count} partitions`;
      }
      for (let i = 0; i < record.count; i++) {
        const at = record.position + RECORD_HEADER_BYTES + ENTRY_BYTES * i;
        const partition = channel.partitions[i];
        if (partition === undefined) return 'a checkpoint without its channel';
        partition.next = readU64(buffer, at);
        partition.committed = readU64(buffer, at + 8);
        if (partition.committed > partition.next) return `${channel.name}/${i} is committed past its end`;
        const next =
          before?.[record.channel]?.partitions[i]?.next ?? (before === undefined ? partition.next : 0);
        if (partition.next !== next) {
          return `${channel.name}/${i} goes on at offset ${partition.next}, it had come to ${next}`;
        }
      }
    }
    for (const [number, channel] of (before ?? []).entries()) {
      if (this.channels[number]?.name !== channel.name) return `channel ${channel.name} is gone`;
    }
    return undefined;
  }

  #messages(buffer: Buffer, position: number): string | undefined {
    for (const record of groupRecords(buffer, position)) {
      const fault =
        record.type === RECORD.frame
          ? this.#frame(record)
          : record.type === RECORD.commits
            ? this.#commits(buffer, record)
            : record.type === RECORD.channel
              ? this.#channel(buffer, record)
              : `a record of type ${record.type}`;
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #channel(buffer: Buffer, record: JournalRecord): string | undefined {
    if (record.channel !== this.channels.length) return `channel ${record.channel} out of order`;
    const start = record.position + RECORD_HEADER_BYTES;
    const name = buffer.toString('utf8', start, record.position + record.length);
    if (this.channels.some((channel) => channel.name === name)) return `a second channel ${name}`;
    const partitions = Array.from({ length: this.partitions }, () => ({ next: 0, committed: 0, frames: [] }));
    this.channels.push({ name, partitions });
    return undefined;
  }

  #frame(record: JournalRecord): string | undefined {
    const channel = this.channels[record.channel];
    const partition = channel?.partitions[record.partition];
    if (channel === undefined || partition === undefined) return 'a frame of an unknown partition';
    if (record.offset !== partition.next || record.count === 0) {
      return `${channel.name}/${record.partition}: ${record.count} messages from offset ${record.offset}, expected ${partition.next}`;
    }
    partition.frames.push(record.position, record.offset, record.count);
    partition.next = record.offset + record.count;
    return undefined;
  }

  #commits(buffer: Buffer, record: JournalRecord): string | undefined {
    if (bodyLength(record) !== ENTRY_BYTES * record.count) return 'commits of a wrong length';
    for (let i = 0; i < record.count; i++) {
      const at = record.position + RECORD_HEADER_BYTES + ENTRY_BYTES * i;
      const index = buffer.readUInt16LE(at + 2);
      const channel = this.channels[buffer.readUInt16LE(at)];
      const partition = channel?.partitions[index];
      const committed = readU64(buffer, at + 8);
      if (channel === undefined || partition === undefined) return 'a commit of an unknown partition';
      // A group's commits stand before its frames, and only what was readable can be committed.
      if (committed > partition.next) return `${channel.name}/${index} is committed past its end`;
      partition.committed = Math.max(partition.committed, committed);
    }
    return undefined;
  }
}

function bodyLength(record: JournalRecord): number {
  return record.length - RECORD_HEADER_BYTES;
}
