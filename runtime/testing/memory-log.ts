/**
 * A message log in memory, for tests of what stands on a log: it keeps the contract of `message-log.ts` but for durability
 * and bounds. A group commit is a `setImmediate`.
 */
import { randomUUID } from 'node:crypto';
import { LogClosedError } from '../errors.js';
import { FRAME_ITEM_OVERHEAD, writeFrameItem } from '../frame.js';
import type { AppendWaiter, Frame, LogPartition, LogState, MessageLog } from '../message-log.js';

export class MemoryLog implements MessageLog {
  readonly id: string = randomUUID();
  readonly partitions: number;
  readonly #byActor = new Map<string, MemoryPartition[]>();
  #state: LogState = 'open';

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  get state(): LogState {
    return this.#state;
  }

  get actors(): readonly string[] {
    return [...this.#byActor.keys()];
  }

  open(actor: string): readonly MemoryPartition[] {
    let partitions = this.#byActor.get(actor);
    if (partitions === undefined) {
      const isOpen = () => this.#state === 'open';
      partitions = Array.from(
        { length: this.partitions },
        (_, index) => new MemoryPartition(actor, index, isOpen),
      );
      this.#byActor.set(actor, partitions);
    }
    return partitions;
  }

  lag(): number {
    let lag = 0;
    for (const partitions of this.#byActor.values()) {
      for (const { end, committed } of partitions) lag += end - committed;
    }
    return lag;
  }

  async close(): Promise<void> {
    this.#state = 'closed';
  }
}

export class MemoryPartition implements LogPartition {
  readonly actor: string;
  readonly index: number;
  end = 0;
  committed = 0;
  onAppended: (() => void) | undefined;
  /** Every n-th read goes by a promise, as one from a disk does; 0 for none. */
  promiseEvery = 0;
  readonly #isOpen: () => boolean;
  #frames: Frame[] = [];
  #pending: { readonly envelope: Uint8Array; readonly waiter: AppendWaiter }[] = [];
  #reads = 0;

  constructor(actor: string, index: number, isOpen: () => boolean) {
    this.actor = actor;
    this.index = index;
    this.#isOpen = isOpen;
  }

  append(envelope: Uint8Array, waiter: AppendWaiter): void {
    if (!this.#isOpen()) {
      waiter.appendFailed(new LogClosedError('the log is closed'));
      return;
    }
    if (this.#pending.push({ envelope, waiter }) === 1) setImmediate(() => this.#groupCommit());
  }

  read(offset: number, bytesMax: number): readonly Frame[] | Promise<readonly Frame[]> {
    if (offset < this.committed || offset > this.end) {
      throw new RangeError(`read of ${offset}, with ${this.committed} committed and the end at ${this.end}`);
    }
    const frames: Frame[] = [];
    let bytes = 0;
    for (const frame of this.#frames) {
      if (frame.offset + frame.count <= offset) continue;
      if (frames.length > 0 && bytes + frame.body.length > bytesMax) break;
      frames.push(frame);
      bytes += frame.body.length;
    }
    this.#reads++;
    return this.promiseEvery > 0 && this.#reads % this.promiseEvery === 0 ? Promise.resolve(frames) : frames;
  }

  commit(offset: number): void {
    if (offset < this.committed || offset > this.end) {
      throw new RangeError(
        `commit of ${offset}, with ${this.committed} committed and the end at ${this.end}`,
      );
    }
    this.committed = offset;
    this.#frames = this.#frames.filter((frame) => frame.offset + frame.count > offset);
  }

  #groupCommit(): void {
    const taken = this.#pending;
    this.#pending = [];
    const body = Buffer.alloc(
      taken.reduce((sum, { envelope }) => sum + envelope.length + FRAME_ITEM_OVERHEAD, 0),
    );
    let position = 0;
    for (const { envelope } of taken) position = writeFrameItem(body, position, envelope);
    const offset = this.end;
    this.end += taken.length;
    this.#frames.push({ offset, count: taken.length, body });
    for (const [index, { waiter }] of taken.entries()) waiter.appended(offset + index);
    this.onAppended?.();
  }
}
