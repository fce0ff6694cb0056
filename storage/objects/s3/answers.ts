/**
 * What an S3 server's answer, or the lack of one, means: the one place where it becomes an error of the object store.
 *
 * | what came                                                            | error                        |
 * |----------------------------------------------------------------------|------------------------------|
 * | nothing: no connection, a time limit, TLS, bytes that are no HTTP     | `ObjectStoreUnavailableError` |
 * | 408, 425, 429, 5xx but 501; a code of `BUSY`, whatever its status      | `ObjectStoreUnavailableError` |
 * | `NoSuchBucket`: without the bucket nothing is known of any object, and it may be about to be made | `ObjectStoreUnavailableError` |
 * | 404; `NoSuchKey`, `NoSuchUpload`                                      | `ObjectNotFoundError`         |
 * | any other                                                            | `ObjectRefusedError`          |
 *
 * A message holds the code and text of the answer, bounded, and what was tried; no URL, header or query, which may be signed.
 */
import { TetherError } from '../../../runtime/errors.js';
import { ObjectNotFoundError, ObjectRefusedError, ObjectStoreUnavailableError } from '../errors.js';

/** An answer that is no success. */
export class S3AnswerError extends Error {
  readonly status: number;
  /** S3's own, such as `NoSuchKey`; empty when the answer had none. */
  readonly code: string;
  /** S3's own text, bounded; may be empty. */
  readonly detail: string;

  constructor(status: number, code: string, detail: string) {
    super(`S3 answered ${status} ${code}`);
    this.name = 'S3AnswerError';
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** The server was silent for longer than it may. */
export class S3TimeoutError extends Error {
  override readonly name = 'S3TimeoutError';
}

const BUSY = new Set([
  'BandwidthLimitExceeded',
  'InternalError',
  'OperationAborted',
  'RequestLimitExceeded',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
]);
const BUSY_STATUS = new Set([408, 425, 429]);
const NOT_THERE = new Set(['NoSuchKey', 'NoSuchUpload', 'NoSuchVersion']);
const HINTS: Readonly<Record<string, string>> = {
  AccessDenied: 'the access key may not do this',
  AuthorizationHeaderMalformed: 'the region of the URL is not the bucket’s',
  InvalidAccessKeyId: 'the access key is not known',
  PermanentRedirect: 'the host or the region of the URL is not the bucket’s',
  RequestTimeTooSkewed: 'the clocks of this machine and of the server differ',
  SignatureDoesNotMatch: 'the access key or the secret key is wrong',
};
const DETAIL_LENGTH_MAX = 200;

/** The code and text of an answer's body, if it is S3's XML. */
export function answerError(status: number, body: string): S3AnswerError {
  const code = /<Code>\s*([A-Za-z0-9.]{1,64})\s*<\/Code>/.exec(body)?.[1] ?? '';
  const text = /<Message>([^<]{0,2000})/.exec(body)?.[1] ?? '';
  const detail = text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, DETAIL_LENGTH_MAX);
  return new S3AnswerError(status, code, detail);
}

/** @param doing what was tried, such as `put a part of uploads/1` */
export function toObjectError(error: unknown, doing: string): Error {
  if (error instanceof TetherError || error instanceof RangeError) return error;
  if (error instanceof S3AnswerError) return ofAnswer(error, doing);
  if (error instanceof S3TimeoutError) {
    return new ObjectStoreUnavailableError(`the object store did not ${doing}: ${error.message}`);
  }
  // The client throws the parsed body of an error that comes with status 200, as `completeMultipartUpload` may.
  if (typeof error === 'object' && error !== null && 'Code' in error) {
    const message = 'Message' in error ? String(error.Message) : '';
    return ofAnswer(answerError(200, `<Code>${String(error.Code)}</Code><Message>${message}`), doing);
  }
  const reason = error instanceof Error ? error.message.slice(0, DETAIL_LENGTH_MAX) : 'no answer of S3';
  return new ObjectStoreUnavailableError(`the object store did not ${doing}: ${reason}`);
}

function ofAnswer({ status, code, detail }: S3AnswerError, doing: string): TetherError {
  const said = [status === 200 ? '' : String(status), code, detail && `(${detail})`]
    .filter((text) => text !== '')
    .join(' ');
  if (BUSY.has(code) || BUSY_STATUS.has(status) || (status >= 500 && status !== 501)) {
    return new ObjectStoreUnavailableError(`the object store did not ${doing}: ${said}`);
  }
  if (code === 'NoSuchBucket') {
    return new ObjectStoreUnavailableError(`the object store did not ${doing}: its bucket is not there`);
  }
  if (NOT_THERE.has(code) || status === 404) {
    return new ObjectNotFoundError(`the object store could not ${doing}: it is not there`);
  }
  const hint =
    HINTS[code] ?? (status === 403 ? 'the access key or the secret key is wrong, or may not do this' : '');
  return new ObjectRefusedError(`the object store refuses to ${doing}: ${said}${hint && `: ${hint}`}`);
}
