/**
 * A feed: one partition of the log on its way to the thread that owns it. It knows what was sent, what is done, and what
 * to send next; and whether the partition is this process's at all.
 *
 * Modes:
 *   idle ----onAppended----> ready      nothing to read --> something to read
 *   ready ---read from disk--> reading ---> ready
 *   ready ---read to the end--> idle
 *   idle, ready, reading ---hold---> held ---unhold---> idle     its partition moves to another thread
 *   any -----read failed-----> broken   the log is damaged; an operator is needed
 *   any ----a thread cannot read it----> unreadable      a later release wrote it; it waits for a process that can
 *   these, its `ours`:
 *     ---leave---> absent               nothing of it is in flight; another process reads on
 *     ---drop----> dropped              a thread may still have what it was sent; nothing that is said of it counts
 *   absent ---adopt---> idle
 *   dropped ---let go---> absent        the thread has nothing of it any more, or is lost
 *   dropped ---adopt---> awaited ---let go---> idle    ours again, as soon as the thread has nothing old of it (P2)
 *   awaited ---drop---> dropped
 *
 * Nothing that was sent is kept: after the loss of a thread the feed goes back to its watermark and reads the log again,
 * leaving out what was finished above it.
 */

import { FRAME_ITEM_OVERHEAD } from '../frame.js';
import type { Frame, LogPartition } from '../message-log.js';
import { DelayProbe } from './delay-probe.js';
import { Watermark } from './watermark.js';

export type FeedMode =
  | 'idle'
  | 'ready'
  | 'reading'
  | 'held'
  | 'broken'
  | 'unreadable'
  | 'absent'
  | 'dropped'
  | 'awaited';

/** A run of messages with consecutive offsets. */
export interface Slice {
  readonly offset: number;
  readonly count: number;
  /** Frame items. */
  readonly body: Uint8Array;
}

export class Feed {
  readonly partition: LogPartition;
  watermark: Watermark;
  /** How long messages wait until they are sent. */
  readonly delay = new DelayProbe();
  /** Offset of the next message to send. */
  next: number;
  /** After a thread was lost: messages below it were in flight then. */
  suspectEnd = 0;
  /** Messages that the owner has and that are not done, nor their dead letters stored. */
  inFlight = 0;
  /** Of this ownership, where the log is shared with other processes. It goes along with what is sent. */
  epoch: number | undefined = undefined;
  /** Counts ownerships: what began in an earlier one must not end in this one. */
  term = 0;
  #mode: FeedMode;
  #read = 0;
  /** Offsets whose dead letters are being stored: not done yet, and not to be sent again. */
  readonly #dying = new Set<number>();

  constructor(partition: LogPartition, mode: 'idle' | 'absent' = 'idle') {
    this.partition = partition;
    this.#mode = mode;
    this.watermark = new Watermark(partition.committed);
    this.next = partition.committed;
  }

  get mode(): FeedMode {
    return this.#mode;
  }

  /** Whether this process reads the partition, and what threads say of it counts. */
  get ours(): boolean {
    return this.#mode !== 'absent' && this.#mode !== 'dropped' && this.#mode !== 'awaited';
  }

  /** Messages that are not done: in flight, or dead letters that are not stored. */
  get unfinished(): number {
    return Math.max(this.inFlight, this.#dying.size);
  }

  get unread(): boolean {
    return this.next < this.partition.end;
  }

  /** Stands in line of its owner. */
  lineUp(): void {
    this.#enter('ready', 'idle');
  }

  /** Its turn is over. */
  rest(): void {
    this.#enter('idle', 'ready', 'reading');
  }

  /** A read of the disk begins. Returns its ticket: what comes of a read is of use only while `reads(ticket)`. */
  startRead(): number {
    this.#enter('reading', 'ready');
    return ++this.#read;
  }

  reads(ticket: number): boolean {
    return this.#mode === 'reading' && this.#read === ticket;
  }

  /** Nothing is sent until `unhold`. A read under way is of no use any more. */
  hold(): void {
    if (!this.#stuck) this.#enter('held', 'idle', 'ready', 'reading');
  }

  unhold(): void {
    if (!this.#stuck) this.#enter('idle', 'held');
  }

  /** It stands still for as long as it is ours. */
  get #stuck(): boolean {
    return this.#mode === 'broken' || this.#mode === 'unreadable';
  }

  break(): void {
    if (this.ours) this.#mode = 'broken';
  }

  /** A thread has sent back, unread, `count` messages from `offset` on: it does not know the form of the first. */
  refuse(offset: number, count: number): void {
    this.next = Math.min(this.next, offset);
    this.settle(count);
    this.delay.forget();
    if (this.#mode !== 'broken') this.#mode = 'unreadable';
  }

  /** Another process may read on from what is committed. */
  leave(): void {
    if (this.unfinished > 0) throw new Error(`${this.unfinished} messages of the partition are not done`);
    this.#enter('absent', 'held', 'broken', 'unreadable');
    this.#forget();
  }

  /** Another process reads it, perhaps since a while: what is in flight counts no more. */
  drop(): void {
    this.#enter('dropped', 'idle', 'ready', 'reading', 'held', 'broken', 'unreadable', 'awaited');
    this.#forget();
  }

  /** It is ours, from what is committed. */
  adopt(epoch: number | undefined): void {
    this.#enter(this.#mode === 'dropped' ? 'awaited' : 'idle', 'absent', 'dropped');
    this.epoch = epoch;
    if (this.#mode === 'idle') this.#begin();
  }

  /** No thread has anything of before `drop` any more. */
  letGo(): void {
    this.#enter(this.#mode === 'awaited' ? 'idle' : 'absent', 'awaited', 'dropped');
    if (this.#mode === 'idle') this.#begin();
  }

  #begin(): void {
    this.watermark = new Watermark(this.partition.committed);
    this.next = this.partition.committed;
  }

  #forget(): void {
    this.term++;
    this.epoch = undefined;
    this.suspectEnd = 0;
    this.inFlight = 0;
    this.#dying.clear();
    this.delay.forget();
  }

  #enter(mode: FeedMode, ...from: readonly FeedMode[]): void {
    if (!from.includes(this.#mode)) throw new Error(`a feed that is ${this.#mode} cannot become ${mode}`);
    this.#mode = mode;
  }

  /** Whether suspects of the last loss are still to be sent or to be finished. One that is given up, or never sent again, is none any more. */
  get suspicious(): boolean {
    if (this.#stuck) return false;
    for (let offset = this.watermark.low; offset < this.suspectEnd; offset++) {
      if (!this.#settled(offset)) return true;
    }
    return false;
  }

  /**
   * The owner is lost: goes back to what is not done. `suspect`: what was in flight may be to blame; else earlier suspects
   * stay as they are.
   */
  rewind(suspect: boolean): void {
    if (suspect) this.suspectEnd = this.next;
    this.next = this.watermark.low;
    this.inFlight = 0;
    this.delay.forget();
    if (this.#mode === 'ready' || this.#mode === 'reading') this.#mode = 'idle';
  }

  /** The message at `offset` was given up; it is done once its dead letter is stored (`complete`). */
  giveUp(offset: number): void {
    this.#dying.add(offset);
  }

  /** The lowest offset that was sent, is not done and not given up. */
  firstInFlight(): number | undefined {
    for (let offset = this.watermark.low; offset < this.next; offset++) {
      if (!this.#settled(offset)) return offset;
    }
    return undefined;
  }

  #settled(offset: number): boolean {
    return this.watermark.has(offset) || this.#dying.has(offset);
  }

  /** Messages that were in flight are done. */
  settle(count: number): void {
    this.inFlight = Math.max(0, this.inFlight - count);
  }

  /** Takes note of finished offsets; commits the watermark to the log when it moved. */
  complete(from: number, to: number): void {
    if (this.#dying.size > 0) this.#dying.delete(from);
    if (!this.watermark.complete(from, to)) return;
    // After a loss `next` went back; what was finished above may join what is finished now, and must not be read again.
    this.next = Math.max(this.next, this.watermark.low);
    this.partition.commit(this.watermark.low);
  }

  /**
   * Takes the next messages out of `frame`: those from `next` to before `end` that are not settled, at most `countMax`.
   * Moves `next` past what it took and what was done; what it took is in flight.
   */
  take(frame: Frame, countMax: number, end: number): Slice[] {
    const slices = this.#take(frame, countMax, end);
    for (const { count } of slices) this.inFlight += count;
    return slices;
  }

  #take(frame: Frame, countMax: number, end: number): Slice[] {
    const whole =
      frame.offset === this.next &&
      frame.count <= countMax &&
      frame.offset + frame.count <= end &&
      this.watermark.ranges === 0 &&
      this.#dying.size === 0;
    if (whole) {
      this.next += frame.count;
      return [frame];
    }
    return this.#takePart(frame, countMax, end);
  }

  #takePart({ offset: first, count, body }: Frame, countMax: number, end: number): Slice[] {
    const slices: Slice[] = [];
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    let position = 0;
    let taken = 0;
    let start = 0;
    let run = 0;
    const flush = (offset: number) => {
      if (run > 0) slices.push({ offset: offset - run, count: run, body: body.subarray(start, position) });
      run = 0;
    };
    for (let offset = first; offset < first + count; offset++) {
      if (offset >= this.next) {
        if (offset >= end || taken === countMax) {
          flush(offset);
          return slices;
        }
        this.next = offset + 1;
        if (this.#settled(offset)) {
          flush(offset);
        } else {
          if (run === 0) start = position;
          run++;
          taken++;
        }
      }
      position += FRAME_ITEM_OVERHEAD + view.getUint32(position, true);
    }
    flush(first + count);
    return slices;
  }
}
