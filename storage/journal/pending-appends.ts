/**
 * The appends that wait for their group: how much there may be, and what goes into the next one.
 */
import { type LogClosedError, LogFullError } from '../../runtime/errors.js';
import { FRAME_ITEM_OVERHEAD } from '../../runtime/frame.js';
import { align, RECORD_HEADER_BYTES } from './format.js';
import type { JournalPartition } from './partition.js';

/** A larger backlog is split, so that no acknowledgement waits for all of it. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024;

export class PendingAppends {
  readonly #bytesMax: number;
  readonly #envelopeBytesMax: number;
  /** Made once: under pressure each refusal would cost a stack trace. */
  readonly #full: LogFullError;
  readonly #tooLong: LogFullError;
  #bytes = 0;
  #passedOn = false;
  /** Partitions with pending appends, in the order of the first of each. */
  #touched: JournalPartition[] = [];

  constructor(bytesMax: number, envelopeBytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#envelopeBytesMax = envelopeBytesMax;
    this.#full = new LogFullError(`${bytesMax} bytes wait for the disk, no more are taken`);
    this.#tooLong = new LogFullError(`an envelope is longer than ${envelopeBytesMax} bytes, half a segment`);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#touched.length === 0;
  }

  /** Whether there is one among them that passes on, or was since there were none at all. */
  get passedOn(): boolean {
    return this.#passedOn;
  }

  /** Counts an append in, or says why not. */
  admit(envelopeBytes: number): LogFullError | undefined {
    if (envelopeBytes > this.#envelopeBytesMax) return this.#tooLong;
    const bytes = this.#bytes + envelopeBytes + FRAME_ITEM_OVERHEAD;
    if (bytes > this.#bytesMax) return this.#full;
    this.#bytes = bytes;
    return undefined;
  }

  admitPassedOn(envelopeBytes: number): LogFullError | undefined {
    const refusal = this.admit(envelopeBytes);
    if (refusal === undefined) this.#passedOn = true;
    return refusal;
  }

  touched(partition: JournalPartition): void {
    this.#touched.push(partition);
  }

  /** Takes pending appends into the empty `group`. Returns the bytes of their records, 0 when not even one fits. */
  take(room: number, group: JournalPartition[]): number {
    const bytesMax = Math.min(room, GROUP_BYTES_MAX);
    const touched = this.#touched;
    let bytes = 0;
    let whole = 0;
    for (; whole < touched.length; whole++) {
      const partition = touched[whole];
      if (partition === undefined || bytes + partition.pendingRecordBytes > bytesMax) break;
      const body = partition.take(partition.pendingBytes, Infinity);
      this.#bytes -= body;
      bytes += RECORD_HEADER_BYTES + align(body);
    }
    group.push(...touched.splice(0, whole));
    const partition = touched[0];
    if (partition === undefined) {
      this.#passedOn = false;
      return bytes;
    }
    // The most that fits of the next partition; a lone message may be longer than the usual group.
    const alone = group.length === 0 && partition.firstPendingBytes > bytesMax - RECORD_HEADER_BYTES - 8;
    const body = partition.take(
      (alone ? room : bytesMax - bytes) - RECORD_HEADER_BYTES - 8,
      alone ? 1 : Infinity,
    );
    if (body === 0) return bytes;
    this.#bytes -= body;
    group.push(partition);
    if (partition.pendingBytes === 0) touched.shift();
    if (touched.length === 0) this.#passedOn = false;
    return bytes + RECORD_HEADER_BYTES + align(body);
  }

  fail(failure: LogFullError | LogClosedError): void {
    const touched = this.#touched;
    this.#touched = [];
    this.#passedOn = false;
    for (const partition of touched) this.#bytes -= partition.failPending(failure);
  }
}
