/** What a type's host is made of, and how it sees the kernel around it. */
import type { ActorDefinition } from '../actor.js';
import type { Batching } from '../batching.js';
import type { ActorEvent } from '../events.js';
import type { Logger } from '../logger.js';
import type { ThreadMeter } from '../measure/thread-meter.js';
import type { ThreadLimits } from '../pool/shared-limits.js';
import type { RetryPolicy } from '../retry.js';
import type { SnapshotStore } from '../stores/snapshot.js';
import type { Tracing } from '../tracing.js';
import type { Activation } from './activation.js';
import type { ActivationHost } from './activation-host.js';
import type { Codec } from './codec.js';
import type { Outcome } from './entry.js';
import type { Scheduler } from './scheduler.js';

export interface TypeHostOptions {
  readonly definition: ActorDefinition;
  readonly resources: unknown;
  readonly logger: Logger;
  readonly outcome: Outcome;
  /** Default: what the definition says. */
  readonly batching?: Batching;
  /** Where snapshots are kept, and the identity of the log that they are of. */
  readonly snapshots?: { readonly store: SnapshotStore; readonly log: string } | undefined;
  /** Limits of the type that it shares with other threads; without them its limits are its own. */
  readonly limits?: ThreadLimits | undefined;
  /** Without one nothing is measured. */
  readonly meter?: ThreadMeter | undefined;
}

/** The kernel, as the types in it see it. */
export type HostKernel = ActivationHost<Activation>['kernel'] & {
  readonly retry: RetryPolicy;
  readonly scheduler: Scheduler;
  readonly codec: Codec;
  readonly onEvent: (event: ActorEvent) => void;
  /** While calls have spans. */
  readonly tracing: Tracing | undefined;
  partitionOf(type: string, key: string): number;
  /** Sends on what came for an activation that has moved. */
  forward(type: string, key: string, mail: unknown): Promise<void> | undefined;
};
