/**
 * The actor types of a journal, each with a number (its channel) and the same number of partitions.
 *
 * A channel is written down with the first group after it was opened, and in each segment's checkpoint.
 */
import { ENTRY_BYTES, GROUP_HEADER_BYTES, recordBytes, SEGMENT_HEADER_BYTES } from './format.js';
import type { GroupWriter } from './group-writer.js';
import { JournalPartition, type PartitionHost } from './partition.js';

/** Groups of committed offsets that a full segment still takes: what makes room again is itself written down. */
const RESERVED_GROUPS = 4;
/** Of a segment, what checkpoint and reserve may take: an envelope of half a segment always fits. */
const OVERHEAD_SHARE = 1 / 4;

export interface Channel {
  readonly name: string;
  readonly number: number;
  readonly partitions: readonly JournalPartition[];
}

export class ChannelTable {
  readonly #host: PartitionHost;
  readonly #partitions: number;
  readonly #segmentBytes: number;
  readonly #channels: Channel[] = [];
  readonly #byName = new Map<string, Channel>();
  #unrecorded: Channel[] = [];
  #checkpointBytes = GROUP_HEADER_BYTES;
  #reserveBytes = 0;

  constructor(host: PartitionHost, partitions: number, segmentBytes: number) {
    this.#host = host;
    this.#partitions = partitions;
    this.#segmentBytes = segmentBytes;
  }

  get all(): readonly Channel[] {
    return this.#channels;
  }

  /** Opened, and not written down yet. */
  get unrecorded(): readonly Channel[] {
    return this.#unrecorded;
  }

  /** Of a group that holds the checkpoint of all channels. */
  get checkpointBytes(): number {
    return this.#checkpointBytes;
  }

  /** What messages leave free at the end of a segment. */
  get reserveBytes(): number {
    return this.#reserveBytes;
  }

  get(name: string): Channel | undefined {
    return this.#byName.get(name);
  }

  /** @throws RangeError when the segments are too small for one more */
  open(name: string): Channel {
    const channel = this.add(name, () => ({ next: 0, committed: 0 }));
    this.#unrecorded.push(channel);
    return channel;
  }

  /** A channel as it was recovered; they come in the order of their numbers. */
  add(name: string, offsets: (partition: number) => { next: number; committed: number }): Channel {
    const number = this.#channels.length;
    const checkpoint =
      this.#checkpointBytes +
      recordBytes(Buffer.byteLength(name)) +
      recordBytes(this.#partitions * ENTRY_BYTES);
    const reserve =
      RESERVED_GROUPS *
      (GROUP_HEADER_BYTES + recordBytes((number + 1) * this.#partitions * ENTRY_BYTES) + checkpoint);
    if (SEGMENT_HEADER_BYTES + checkpoint + reserve > this.#segmentBytes * OVERHEAD_SHARE) {
      throw new RangeError(
        `segments of ${this.#segmentBytes} bytes are too small for ${number + 1} actor types of ${this.#partitions} partitions`,
      );
    }
    this.#checkpointBytes = checkpoint;
    this.#reserveBytes = reserve;
    const partitions: JournalPartition[] = [];
    for (let index = 0; index < this.#partitions; index++) {
      partitions.push(
        new JournalPartition(this.#host, { actor: name, channel: number, index }, offsets(index)),
      );
    }
    const channel: Channel = { name, number, partitions };
    this.#channels.push(channel);
    this.#byName.set(name, channel);
    return channel;
  }

  /** The unrecorded channels are in a group that is being written. */
  recorded(): void {
    this.#unrecorded = [];
  }

  writeCheckpoint(writer: GroupWriter): void {
    for (const { number, name, partitions } of this.#channels) {
      writer.channel(number, name);
      writer.checkpoint(
        number,
        partitions.map(({ end, committed }) => ({ next: end, committed })),
      );
    }
  }

  *everyPartition(): Generator<JournalPartition> {
    for (const channel of this.#channels) yield* channel.partitions;
  }
}
