/**
 * One partition of one actor type, as one process sees it: what waits to be put on it, and how far its reader has come.
 *
 * Other processes append as well: `end` is what this one knows of, and grows when the watcher hears of more. An append is pending, then in
 * flight (its frame is on its way), then below `end`, in that order.
 */
import type { LogClosedError, LogFullError, LogUnavailableError } from '../../runtime/errors.js';
import { FRAME_ITEM_OVERHEAD, writeFrameItem } from '../../runtime/frame.js';
import type { AppendWaiter, Frame, LogPartition } from '../../runtime/message-log.js';
import type { PartitionKeys } from './keys.js';

export type AppendFailure = LogFullError | LogClosedError | LogUnavailableError;

/** What the partitions share. */
export interface PartitionHost {
  /** Asks for room; an error when the append is refused. */
  admit(envelopeBytes: number): AppendFailure | undefined;
  /** The same for an append that passes on. */
  admitPassedOn(envelopeBytes: number): AppendFailure | undefined;
  /** The partition has pending appends and had none before. */
  touched(partition: RedisPartition): void;
  /** Its committed offset is to be written down. */
  committed(partition: RedisPartition): void;
  read(partition: RedisPartition, offset: number, bytesMax: number): Promise<readonly Frame[]>;
}

interface PendingAppend {
  readonly envelope: Uint8Array;
  readonly waiter: AppendWaiter;
}

/** A frame on its way. */
export interface FrameInFlight {
  readonly partition: RedisPartition;
  readonly count: number;
  readonly body: Buffer;
  readonly waiters: readonly AppendWaiter[];
  /** What was known when it was taken: the log cannot end before it. */
  readonly endBefore: number;
}

export class RedisPartition implements LogPartition {
  readonly actor: string;
  readonly index: number;
  readonly keys: PartitionKeys;
  end: number;
  committed: number;
  /** Under which commits are written down; 0 until the partition is claimed. */
  epoch = 0;
  onAppended: (() => void) | undefined = undefined;
  /** Another process claimed the partition, or Redis has lost messages that this one knows of: what was read counts no more. */
  onLost: ((why: 'claimed' | 'went-back') => void) | undefined = undefined;
  /** Moving average, for how many frames to ask for at once. */
  frameBytes = 512;
  readonly #host: PartitionHost;
  #pending: PendingAppend[] = [];
  #pendingBytes = 0;

  constructor(
    host: PartitionHost,
    place: { readonly actor: string; readonly index: number; readonly keys: PartitionKeys },
    offsets: { readonly end: number; readonly committed: number },
  ) {
    this.#host = host;
    this.actor = place.actor;
    this.index = place.index;
    this.keys = place.keys;
    this.end = offsets.end;
    this.committed = offsets.committed;
  }

  append(envelope: Uint8Array, waiter: AppendWaiter, passesOn = false): void {
    const { length } = envelope;
    const refusal = passesOn ? this.#host.admitPassedOn(length) : this.#host.admit(length);
    if (refusal !== undefined) {
      waiter.appendFailed(refusal);
      return;
    }
    this.#pendingBytes += FRAME_ITEM_OVERHEAD + envelope.length;
    if (this.#pending.push({ envelope, waiter }) === 1) this.#host.touched(this);
  }

  read(offset: number, bytesMax: number): readonly Frame[] | Promise<readonly Frame[]> {
    if (!(offset >= this.committed && offset <= this.end)) {
      throw new RangeError(
        `${this.actor}/${this.index}: offset ${offset} is not within ${this.committed}..${this.end}`,
      );
    }
    return offset === this.end ? [] : this.#host.read(this, offset, bytesMax);
  }

  commit(offset: number): void {
    if (!(offset <= this.end)) {
      throw new RangeError(`${this.actor}/${this.index}: commit of ${offset} is past the end, ${this.end}`);
    }
    if (offset <= this.committed) return;
    this.committed = offset;
    this.#host.committed(this);
  }

  /** Redis does not have the offset that was committed last. */
  commitAgain(): void {
    this.#host.committed(this);
  }

  /** Everything pending, as one frame. The envelopes are copied: they may be views of memory that is used again. */
  take(): FrameInFlight {
    const pending = this.#pending;
    const body = Buffer.allocUnsafe(this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    let position = 0;
    for (const { envelope } of pending) position = writeFrameItem(body, position, envelope);
    return {
      partition: this,
      count: pending.length,
      body,
      waiters: pending.map(({ waiter }) => waiter),
      endBefore: this.end,
    };
  }

  /** The log ends at `end` or behind it. Nobody is called. */
  reached(end: number): void {
    this.end = Math.max(this.end, end);
  }

  /** The log ends at `end`, before what this process knew of: messages are lost that Redis had taken. */
  wentBack(end: number): void {
    this.end = end;
    this.committed = Math.min(this.committed, end);
    this.onLost?.('went-back');
  }

  /** Somebody appended up to `end`. */
  grewTo(end: number): void {
    if (end <= this.end) return;
    this.end = end;
    this.onAppended?.();
  }
}
