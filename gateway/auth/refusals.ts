/**
 * Requests without a valid token: each is counted, and the log has a line of them at most every `LINE_MS`, with how many there were since the
 * last. A flood of guesses fills no disk, and one guess is seen at once. Nothing of what was sent as a token is kept.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Logger } from '../../runtime/logger.js';
import type { RequestHead } from '../exchange.js';

export const LINE_MS = 10_000;
const TEXT_CHARS_MAX = 200;

export interface RefusalsOptions {
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
}

export class TokenRefusals {
  readonly #options: RefusalsOptions;
  #count = 0;
  /** Since the last line. */
  #unsaid = 0;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** @param res of a client that has not left, and has no answer yet */
  note(res: HttpResponse, { method, path, headers }: RequestHead): void {
    this.#count++;
    this.#unsaid++;
    const nowMs = this.#options.now();
    if (nowMs - this.#saidMs < LINE_MS) return;
    const forwardedFor = headers.get('x-forwarded-for');
    const fields = {
      count: this.#unsaid,
      path: `${method} ${path}`.slice(0, TEXT_CHARS_MAX),
      peer: Buffer.from(res.getRemoteAddressAsText()).toString(),
      // What it says of itself, or what a balancer does.
      ...(forwardedFor === undefined ? {} : { forwardedFor: forwardedFor.slice(0, TEXT_CHARS_MAX) }),
    };
    this.#unsaid = 0;
    this.#saidMs = nowMs;
    this.#options.logger.warn(fields, 'requests without a valid token were refused');
  }
}
