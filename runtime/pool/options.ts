/** What a pool is made of, and how it looks after itself. */
import type { Transferable } from 'node:worker_threads';
import type { Clock } from '../clock.js';
import type { DeliveryGate } from '../dispatch/delivery-gate.js';
import type { Release } from '../dispatch/handover.js';
import type { Discard, OwnershipAtStart } from '../dispatch/ownership.js';
import type { ActorEvent } from '../events.js';
import type { Logger } from '../logger.js';
import type { PoolMeter } from '../measure/pool-meter.js';
import type { MeshToMain, MeshToWorker } from '../mesh/protocol.js';
import type { LogPartition } from '../message-log.js';
import type { DeadLetterWriter } from '../stores/dead-letter-writer.js';
import type { AutoscalePolicy } from './autoscale.js';
import type { LossLimit } from './loss-window.js';
import type { PoolSize } from './pool-size.js';
import type { ResizeLimits } from './resizer.js';
import type { PoolTask } from './thread-pool.js';

/** How a pool looks after itself. */
export interface PoolPolicy {
  readonly autoscale: AutoscalePolicy;
  readonly losses: LossLimit;
  readonly resize: ResizeLimits;
}

export interface ActorPoolOptions {
  readonly actor: string;
  readonly partitions: readonly LogPartition[];
  readonly size: PoolSize;
  readonly task: PoolTask;
  /** Heap limit of a thread in MiB. */
  readonly heapMibMax: number;
  /** Of that which is young, beside the limit. */
  readonly youngHeapMib: number;
  /** Its threads start when there is something for them. */
  readonly lazy?: boolean;
  /** Whether the actor takes other settings while it is open. */
  readonly configures?: boolean;
  readonly policy: PoolPolicy;
  readonly deadLetters: DeadLetterWriter;
  readonly release?: Release;
  readonly onMoved?: (partition: number, from: number, to: number) => void;
  readonly ownership?: OwnershipAtStart;
  readonly discard?: Discard;
  readonly onOwned?: (partition: number, thread: number | undefined, epoch: number | undefined) => void;
  /** What the threads are to one another. */
  readonly mesh: PoolMesh;
  readonly onEvent: (event: ActorEvent) => void;
  readonly gate: DeliveryGate;
  readonly meter: PoolMeter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export interface PoolMesh {
  joined(thread: number, post: (message: MeshToWorker, transfer?: readonly Transferable[]) => void): void;
  left(thread: number): void;
  received(thread: number, message: MeshToMain): void;
}
