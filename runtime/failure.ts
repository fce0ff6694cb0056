/**
 * What an error that an actor threw means for its message. By properties, not by `instanceof`: a user's module may carry
 * a copy of these classes of its own.
 */
import type { DeadLetterCause } from './stores/dead-letter.js';

export type Failure = 'outage' | 'retryable' | 'final';

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return 'retryable';
  if ('outage' in error && error.outage === true) return 'outage';
  if ('retryable' in error && error.retryable === false) return 'final';
  return 'retryable';
}

/** Whether it is about a message whose needs are on their way: `PendingError`. */
export function isPending(error: unknown): boolean {
  return error instanceof Error && 'pending' in error && error.pending === true;
}

/** The partitions that a `FencedError` names; none of any other. */
export function fencedPartitionsOf(error: unknown): readonly number[] {
  if (!(error instanceof Error && 'code' in error && error.code === 'TETHER_FENCED')) return [];
  return 'partitions' in error && Array.isArray(error.partitions) ? error.partitions : [];
}

/** An error as a dead letter carries it: plain data, of any thrown value. */
export function causeOf(error: unknown): DeadLetterCause {
  if (!(error instanceof Error)) return { code: 'THROWN', message: String(error), stack: '' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { code, message: error.message, stack: error.stack ?? '' };
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
