/** What the journal does with envelopes, but for the disk: a group is packed, and a frame is read. */
import { load } from '../side.js';
import { expectEqual, type HotFunction } from './hot-function.js';

const ENVELOPE_BYTES = 500;
/** In a group of so many partitions, and in a frame. */
const PARTITIONS = 8;
const PER_FRAME = 4;
const PER_GROUP = PARTITIONS * PER_FRAME;
const GROUP_BYTES_MAX = 2 * PER_GROUP * ENVELOPE_BYTES;

const envelope = Buffer.alloc(ENVELOPE_BYTES, 0x61);

const pack: HotFunction = {
  name: `journal: pack a message, ${PER_GROUP} in a group`,
  calls: 300 * PER_GROUP,
  async prepare(side) {
    const { GroupWriter } = (await load(
      side,
      'storage/journal/group-writer.js',
    )) as typeof import('../../../storage/journal/group-writer.js');
    const { RECORD } = (await load(
      side,
      'storage/journal/format.js',
    )) as typeof import('../../../storage/journal/format.js');
    const { writeFrameItem } = (await load(
      side,
      'runtime/frame.js',
    )) as typeof import('../../../runtime/frame.js');
    const writer = new GroupWriter();
    const buffer = Buffer.alloc(GROUP_BYTES_MAX);
    const packGroup = (sequence: number): number => {
      writer.begin(buffer, 0);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        let position = writer.record(RECORD.frame, 1, partition, PER_FRAME * sequence, PER_FRAME);
        for (let item = 0; item < PER_FRAME; item++) position = writeFrameItem(buffer, position, envelope);
        writer.endRecord(position);
      }
      return writer.end(sequence, sequence - 1, 1);
    };
    const groupBytes = packGroup(1);
    return {
      run(calls) {
        let bytes = 0;
        const groups = Math.ceil(calls / PER_GROUP);
        for (let at = 1; at <= groups; at++) bytes += packGroup(at);
        expectEqual('the bytes of all groups', bytes, groups * groupBytes);
      },
    };
  },
};

const read: HotFunction = {
  name: `frame: read a message, ${PER_GROUP} in a frame`,
  calls: 200 * PER_GROUP,
  async prepare(side) {
    const { frameItems, writeFrameItem } = (await load(
      side,
      'runtime/frame.js',
    )) as typeof import('../../../runtime/frame.js');
    const target = Buffer.alloc(GROUP_BYTES_MAX);
    let end = 0;
    for (let item = 0; item < PER_GROUP; item++) end = writeFrameItem(target, end, envelope);
    const body = target.subarray(0, end);
    return {
      run(calls) {
        let bytes = 0;
        const frames = Math.ceil(calls / PER_GROUP);
        for (let at = 0; at < frames; at++) for (const item of frameItems(body)) bytes += item.length;
        expectEqual('the bytes of all envelopes', bytes, frames * PER_GROUP * ENVELOPE_BYTES);
      },
    };
  },
};

export const JOURNAL_FUNCTIONS: readonly HotFunction[] = [pack, read];
