/**
 * Everything that the gateway says instead of yes: problem documents (RFC 9457, `application/problem+json`).
 *
 * `type` is `urn:tether:problem:` and the name below: stable, for programs to look at. `detail` is for people, and never
 * quotes what was sent.
 */
import type { Answer } from './answer.js';

/** Long enough for a group commit or a worker to catch up; the sender has a schedule of its own anyway. */
const RETRY_AFTER: readonly [string, string] = ['Retry-After', '5'];

interface Kind {
  readonly status: number;
  readonly title: string;
  readonly headers?: Answer['headers'];
}

const KINDS = {
  'not-found': { status: 404, title: 'Not Found' },
  'method-not-allowed': { status: 405, title: 'Method Not Allowed' },
  'unsupported-media-type': { status: 415, title: 'Unsupported Media Type' },
  'content-too-large': { status: 413, title: 'Content Too Large' },
  'malformed-notification': { status: 400, title: 'Bad Request' },
  'wrong-signature': { status: 401, title: 'Unauthorized' },
  'expired-signature': { status: 401, title: 'Unauthorized' },
  'network-not-allowed': { status: 403, title: 'Forbidden' },
  'log-full': { status: 503, title: 'Service Unavailable', headers: [RETRY_AFTER] },
  'log-closed': { status: 503, title: 'Service Unavailable', headers: [RETRY_AFTER] },
  draining: { status: 503, title: 'Service Unavailable', headers: [RETRY_AFTER] },
  'too-many-streams': { status: 503, title: 'Service Unavailable', headers: [RETRY_AFTER] },
  unavailable: { status: 503, title: 'Service Unavailable', headers: [RETRY_AFTER] },
  'token-required': {
    status: 401,
    title: 'Unauthorized',
    headers: [['WWW-Authenticate', 'Bearer realm="tether"']],
  },
  'scope-missing': { status: 403, title: 'Forbidden' },
  'invalid-query': { status: 400, title: 'Bad Request' },
  'invalid-body': { status: 400, title: 'Bad Request' },
  'not-stored': { status: 409, title: 'Conflict' },
  'range-not-satisfiable': { status: 416, title: 'Range Not Satisfiable' },
  'not-waiting': { status: 409, title: 'Conflict' },
  'setting-not-allowed': { status: 422, title: 'Unprocessable Content' },
  'endpoint-not-allowed': { status: 422, title: 'Unprocessable Content' },
  'endpoint-configured': { status: 409, title: 'Conflict' },
  'drains-already': { status: 409, title: 'Conflict' },
  'replay-busy': { status: 409, title: 'Conflict', headers: [RETRY_AFTER] },
  'replay-not-allowed': { status: 422, title: 'Unprocessable Content' },
  'replay-state': { status: 409, title: 'Conflict' },
  'too-many-replays': { status: 409, title: 'Conflict' },
  'search-too-slow': { status: 422, title: 'Unprocessable Content' },
  'payload-gone': { status: 410, title: 'Gone' },
  'payload-damaged': { status: 500, title: 'Internal Server Error' },
  'invalid-header': { status: 400, title: 'Bad Request' },
  'empty-file': { status: 400, title: 'Bad Request' },
  'not-a-table': { status: 415, title: 'Unsupported Media Type' },
  'unsupported-version': { status: 412, title: 'Precondition Failed' },
  'wrong-offset': { status: 409, title: 'Conflict' },
  'upload-incomplete': { status: 409, title: 'Conflict' },
  'direct-not-available': { status: 501, title: 'Not Implemented' },
  'wrong-size': { status: 422, title: 'Unprocessable Content' },
  'wrong-parts': { status: 422, title: 'Unprocessable Content' },
  'not-receiving': { status: 409, title: 'Conflict' },
  'upload-gone': { status: 410, title: 'Gone' },
  'upload-locked': { status: 423, title: 'Locked' },
  'wrong-checksum': { status: 460, title: 'Checksum Mismatch' },
  'final-upload': { status: 403, title: 'Forbidden' },
  'malformed-form': { status: 400, title: 'Bad Request' },
  'request-timeout': { status: 408, title: 'Request Timeout' },
  'upload-cancelled': { status: 409, title: 'Conflict' },
  'wrong-digest': { status: 422, title: 'Unprocessable Content' },
  'idempotency-key-reused': { status: 422, title: 'Unprocessable Content' },
  'idempotency-key-in-use': { status: 409, title: 'Conflict', headers: [RETRY_AFTER] },
  'uploads-busy': { status: 503, title: 'Service Unavailable', headers: [RETRY_AFTER] },
  internal: { status: 500, title: 'Internal Server Error' },
} as const satisfies Record<string, Kind>;

export type ProblemName = keyof typeof KINDS;

const NO_HEADERS: Answer['headers'] = [];

/** The answer for a problem; `headers` are added to those that the problem always has. */
export function problem(name: ProblemName, detail: string, headers: Answer['headers'] = NO_HEADERS): Answer {
  const kind: Kind = KINDS[name];
  return {
    status: `${kind.status} ${kind.title}`,
    contentType: 'application/problem+json',
    headers: [['Cache-Control', 'no-store'], ...(kind.headers ?? NO_HEADERS), ...headers],
    body: JSON.stringify({
      type: `urn:tether:problem:${name}`,
      title: kind.title,
      status: kind.status,
      detail,
    }),
  };
}

/** The status code of a problem. */
export function problemStatus(name: ProblemName): number {
  return KINDS[name].status;
}
