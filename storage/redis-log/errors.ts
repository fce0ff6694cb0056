/** What can be wrong with a log in Redis, beside what the runtime has a name for. */
import { TetherError } from '../../runtime/errors.js';

/** The log in Redis is not one that this process can use: another number of partitions, a wrong type, a setting that loses messages. */
export class RedisLogError extends TetherError {
  readonly code = 'TETHER_REDIS_LOG';
  readonly retryable = false;
}

/** An error's text for people. Errors of ioredis carry the command with its arguments: those are never shown. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
