/**
 * Several appends as one: of a request with more than one message, which is answered when the last of them is settled.
 *
 * When one fails, the request has failed, and those that are on the log stay there: the sender repeats the whole request, and what is a
 * repeat then has no second effect (P3).
 */
import type { LogClosedError, LogFullError, LogUnavailableError } from '../runtime/errors.js';
import type { AppendWaiter } from '../runtime/message-log.js';

type AppendError = LogFullError | LogUnavailableError | LogClosedError;

export class AppendAll implements AppendWaiter {
  #open: number;
  readonly #waiter: AppendWaiter;
  #error: AppendError | undefined;

  /** @param count how many appends there will be, at least one */
  constructor(count: number, waiter: AppendWaiter) {
    this.#open = count;
    this.#waiter = waiter;
  }

  appended(offset: number): void {
    this.#settle(offset);
  }

  appendFailed(error: AppendError): void {
    this.#error ??= error;
    this.#settle(0);
  }

  #settle(offset: number): void {
    this.#open--;
    if (this.#open > 0) return;
    if (this.#error === undefined) this.#waiter.appended(offset);
    else this.#waiter.appendFailed(this.#error);
  }
}
