/** What a dispatcher is given, and what it says of its load. */
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { LogPartition } from '../message-log.js';
import type { DeadLetterWriter } from '../stores/dead-letter-writer.js';
import type { Deliver } from '../worker-protocol.js';
import type { DeliveryGate } from './delivery-gate.js';
import type { Release } from './handover.js';
import type { Discard, OwnershipAtStart } from './ownership.js';

export interface DispatcherOptions {
  readonly actor: string;
  readonly partitions: readonly LogPartition[];
  /** Threads at the start, numbered from 0; partition `index` belongs to thread `index % threads`. */
  readonly threads: number;
  /** Sends to a ready thread; the body's buffer is transferred. */
  readonly post: (thread: number, delivery: Deliver, buffer: ArrayBuffer) => void;
  readonly deadLetters: DeadLetterWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: resolves at once. */
  readonly release?: Release;
  /** A partition has another owner, which has been sent nothing of it yet. */
  readonly onMoved?: (partition: number, from: number, to: number) => void;
  /** Default `all`. */
  readonly ownership?: OwnershipAtStart;
  /** For `drop`. Default: resolves at once. */
  readonly discard?: Discard;
  /** A partition was adopted and has this thread, or (undefined) is not this process's any more. */
  readonly onOwned?: (partition: number, thread: number | undefined, epoch: number | undefined) => void;
  /** There may be something to send to a thread that is not there. */
  readonly onAbsent?: () => void;
  /** Default: always open. */
  readonly gate?: DeliveryGate;
  /** Something that was in flight is so no more. */
  readonly onSettled?: () => void;
}

export interface DispatcherLoad {
  /** The longest that a message waited for its thread's credit since the last call, milliseconds. */
  readonly delayMs: number;
  /** Partitions that have messages in flight or waiting. */
  readonly busyPartitions: number;
}
