/**
 * Answers that need a promise: metrics, operations. Never a webhook.
 *
 * ```
 * working --done or failed--> answered
 *    `-------client left----> aborted
 * ```
 */
import type { HttpResponse } from 'uWebSockets.js';
import { TetherError } from '../runtime/errors.js';
import type { Logger } from '../runtime/logger.js';
import { type Answer, type SendOptions, send } from './answer.js';
import { problem } from './problem.js';

const INTERNAL = problem('internal', 'the request failed; the log of the service says why');
const UNAVAILABLE = problem('unavailable', 'a part that the answer needs is away; try again later');

/** Sends what `work` resolves to, or a problem when it rejects, unless the client has left by then. */
export function answerLater(
  res: HttpResponse,
  work: () => Promise<Answer>,
  options: SendOptions,
  logger: Logger,
): void {
  let mode: 'working' | 'answered' | 'aborted' = 'working';
  const finish = (answer: Answer) => {
    if (mode !== 'working') return;
    mode = 'answered';
    send(res, answer, options);
  };
  res.onAborted(() => {
    if (mode === 'working') mode = 'aborted';
  });
  work().then(finish, (error: unknown) => {
    logger.error({ err: error }, 'a request failed');
    finish(error instanceof TetherError && error.retryable ? UNAVAILABLE : INTERNAL);
  });
}
