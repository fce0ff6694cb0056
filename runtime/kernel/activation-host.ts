/** What an activation needs of the type that it is of. */
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { ThreadMeter } from '../measure/thread-meter.js';
import type { ActivationContext, ContextKernel } from './context.js';
import type { DurableQueue } from './durable-queue.js';
import type { Entry } from './entry.js';
import type { VolatileMessage } from './letter.js';
import type { Limiter } from './limiter.js';
import type { MailboxHost } from './mailbox.js';
import type { Scheduler } from './scheduler.js';
import type { Supervisor } from './supervisor.js';

/** See `activation.ts`. */
export type ActivationMode =
  | 'idle'
  | 'queued'
  | 'running'
  | 'suspended'
  | 'waiting'
  | 'passivating'
  | 'stopped';

/** What one that is `waiting` waits for. */
export type Wait = 'linger' | 'limit' | 'backoff';

/** What `receive` threw. */
export interface Failed {
  readonly error: unknown;
}

/** An activation that may be without its state. */
export interface Loadable {
  readonly key: string;
  state: unknown;
  loaded: boolean;
  /** Its state is there now. */
  opened(): void;
}

/** The type that an activation is of, in its thread. */
export interface ActivationHost<Activation extends Loadable> extends MailboxHost {
  readonly scheduler: Scheduler;
  /** Whether it is an activation for each key. */
  readonly keyed: boolean;
  readonly resources: unknown;
  readonly logger: Logger;
  readonly lingerMs: number;
  /** The most messages in one batch of durable messages, and of volatile ones. */
  readonly batchMax: number;
  readonly volatileMax: number;
  /** Whether its states are kept in snapshots. */
  readonly saves: boolean;
  readonly reentrant: boolean;
  /** Calls under way in one reentrant activation. */
  readonly callsMax: number;
  readonly limiter: Limiter | undefined;
  readonly supervisor: Supervisor;
  readonly meter: ThreadMeter | undefined;
  readonly kernel: MailboxHost['kernel'] &
    ContextKernel & { readonly clock: Clock; readonly random: () => number; readonly draining: boolean } & {
      /** Of the call of `receive` that runs this very moment. */
      running: ActivationContext | undefined;
    };
  mail(key: string, body: unknown): unknown;
  receive(messages: readonly VolatileMessage[], context: ActivationContext): Promise<void> | void;
  /** As `receive`, of an activation without a state. */
  loadAndReceive(
    messages: readonly VolatileMessage[],
    context: ActivationContext,
    activation: Activation,
  ): Promise<void> | void;
  receiveDurable(
    batch: readonly Entry[],
    context: ActivationContext,
    activation: Activation,
  ): Promise<void> | void;
  durableQueue(activation: Activation): DurableQueue;
  /** It was just used. */
  touch(activation: Activation): void;
}
