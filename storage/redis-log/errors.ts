/** What can be wrong with a log in Redis, beside what the runtime has a name for. */
import { LogUnavailableError, TetherError } from '../../runtime/errors.js';

/** The log in Redis is not one that this process can use: another number of partitions, a wrong type, a setting that loses messages. */
export class RedisLogError extends TetherError {
  readonly code = 'TETHER_REDIS_LOG';
  readonly retryable = false;
}

/** An error's text for people. Errors of ioredis carry the command with its arguments: those are never shown. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an error of the client means: Redis refused a command (no right, a wrong type), or did not answer. */
export function toLogError(error: unknown): Error {
  if (error instanceof TetherError) return error;
  const isRefusal = error instanceof Error && error.name === 'ReplyError';
  return isRefusal
    ? new RedisLogError(`Redis refuses: ${describe(error)}`)
    : new LogUnavailableError(`Redis does not answer: ${describe(error)}`);
}
