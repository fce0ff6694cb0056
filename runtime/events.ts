/**
 * What happens in an actor system, as one stream of typed events. Metrics and alarms are fed from it; nothing else counts.
 *
 * Activations come and go by the thousand: their events carry counts, and keys only when a listener asks for `details`.
 */
import type { DeadLetterCause } from './stores/dead-letter.js';

interface Counted {
  readonly actor: string;
  /** How many since the last such event of a thread. */
  readonly count: number;
}

interface OfActivation {
  readonly actor: string;
  readonly key: string;
}

/** Why a volatile message was not delivered. */
export type DropReason = 'mailbox-full' | 'stopped' | 'unreachable';

export type ActorEvent =
  | ({ readonly kind: 'activated' | 'passivated' } & Counted)
  | ({ readonly kind: 'dropped'; readonly reason: DropReason } & Counted)
  /** A volatile message failed. */
  | ({ readonly kind: 'failed'; readonly cause: DeadLetterCause } & OfActivation)
  | ({
      readonly kind: 'restarted';
      readonly cause: DeadLetterCause;
      /** Within the window of its supervision. */
      readonly restarts: number;
    } & OfActivation)
  | ({ readonly kind: 'stopped'; readonly cause: DeadLetterCause } & OfActivation)
  /** Restarted too often: it rests, and the node is not ready meanwhile. */
  | ({ readonly kind: 'escalated'; readonly cause: DeadLetterCause; readonly restMs: number } & OfActivation)
  | ({
      readonly kind: 'dead-letter';
      readonly id: string;
      readonly cause: DeadLetterCause;
      readonly attempts: number;
    } & OfActivation)
  | { readonly kind: 'thread-started'; readonly actor: string; readonly thread: number }
  | {
      readonly kind: 'thread-lost';
      readonly actor: string;
      readonly thread: number;
      readonly cause: DeadLetterCause;
    }
  | {
      readonly kind: 'rebalanced';
      readonly actor: string;
      readonly partition: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: 'resized'; readonly actor: string; readonly threads: number }
  /**
   * Another process reads these partitions by now, and what this one would have done for their messages was refused. Said again with each try,
   * until they are dropped.
   */
  | { readonly kind: 'fenced'; readonly actor: string; readonly partitions: readonly number[] }
  /** What an actor depends on went away (its code), or is back (undefined). */
  | {
      readonly kind: 'outage';
      readonly actor: string;
      readonly thread: number;
      readonly code: string | undefined;
    };

/** An event of an activation's own type, before the host says which. */
export type OwnEvent = ActorEvent extends infer Event
  ? Event extends { readonly actor: string }
    ? Omit<Event, 'actor'>
    : never
  : never;
