/**
 * An answer as a value, and how it is put on the wire.
 *
 * uWebSockets.js sends a body even to HEAD, and an answer written outside of a handler's own turn must be corked: both
 * are done here, once.
 */
import type { HttpResponse } from 'uWebSockets.js';

export interface Answer {
  /** Code and reason phrase. */
  readonly status: string;
  /** Empty: the answer has no body (204, 304). */
  readonly contentType: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const NO_HEADERS: Answer['headers'] = [];

export function jsonAnswer(value: unknown, status = '200 OK'): Answer {
  return { status, contentType: 'application/json', headers: NO_HEADERS, body: JSON.stringify(value) };
}

/** For other people's data: no cache keeps it. */
export function noStore(answer: Answer): Answer {
  return { ...answer, headers: [...answer.headers, ['Cache-Control', 'no-store']] };
}

export interface SendOptions {
  /** The request was HEAD: the headers only. */
  readonly head?: boolean;
  /** Close the connection after the answer, and say so. */
  readonly close?: boolean;
}

/** Answers. `res` must not have been answered or aborted, and must not be touched afterwards. */
export function send(
  res: HttpResponse,
  answer: Answer,
  { head = false, close = false }: SendOptions = {},
): void {
  res.cork(() => {
    writeHead(res, answer);
    if (answer.contentType === '') {
      if (close) res.writeHeader('Connection', 'close');
      // With an argument, even `undefined`, it would say a length that is none.
      res.endWithoutBody();
      return;
    }
    if (!head) {
      res.end(answer.body, close);
      return;
    }
    // In the release that this was written on, `endWithoutBody` does not end the response when it is given a length or told to close.
    res.writeHeader('Content-Length', String(Buffer.byteLength(answer.body)));
    if (close) res.writeHeader('Connection', 'close');
    res.endWithoutBody();
  });
}

/** Status and headers, for those who write the body themselves. Within a cork. */
export function writeHead(res: HttpResponse, answer: Answer): void {
  res.writeStatus(answer.status);
  if (answer.contentType !== '') res.writeHeader('Content-Type', answer.contentType);
  for (const [name, value] of answer.headers) res.writeHeader(name, value);
}
