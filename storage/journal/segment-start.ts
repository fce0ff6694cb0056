/** The first bytes of a segment: its header and the checkpoint, the group that makes it stand alone. */
import type { ChannelTable } from './channel-table.js';
import { SEGMENT_HEADER_BYTES, writeSegmentHeader } from './format.js';
import { GroupWriter } from './group-writer.js';

export interface SegmentStart {
  readonly number: number;
  readonly bytes: number;
  readonly partitions: number;
  readonly salt: number;
  /** Of the checkpoint. */
  readonly sequence: number;
  readonly syncedThrough: number;
  readonly reset: boolean;
}

export function encodeSegmentStart(start: SegmentStart, channels: ChannelTable): Buffer {
  const buffer = Buffer.alloc(SEGMENT_HEADER_BYTES + channels.checkpointBytes);
  writeSegmentHeader(buffer, { ...start, firstSequence: start.sequence });
  const writer = new GroupWriter();
  writer.begin(buffer, SEGMENT_HEADER_BYTES);
  channels.writeCheckpoint(writer);
  const end = writer.end(start.sequence, start.syncedThrough, start.salt);
  if (end !== buffer.length) throw new Error(`a segment's start of ${buffer.length} bytes took ${end}`);
  return buffer;
}
