/**
 * `GET /uploads`: the client's uploads, the latest first, page by page.
 *
 * Query: `state` (several with commas between), `filename` (the whole name), `sha256`, `from` and `to` (when it was
 * created: from inclusive, to exclusive), `client` (of others only with the scope `uploads:all`), `limit`, and `cursor`: what the page before gave
 * as `next`. A page is never skewed by uploads that come meanwhile: they stand before its first.
 */
import type { TemplatedApp } from 'uWebSockets.js';
import { UPLOAD_STATES, type UploadState } from '../../actors/upload/model.js';
import type { UploadFilter } from '../../actors/upload/uploads.js';
import { type Answer, jsonAnswer, noStore } from '../answer.js';
import type { Client } from '../auth/client.js';
import { problem } from '../problem.js';
import { invalidQuery, readLimit, readQuery } from '../query.js';
import { handleUpload } from './handle.js';
import { uploadJson } from './json.js';
import type { UploadContext } from './parts.js';

const NAMES = ['state', 'filename', 'sha256', 'from', 'to', 'client', 'cursor', 'limit'];
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;
/** No name of a file or client is longer, or has such characters. */
const NAME = /^\P{C}{1,300}$/u;
const SHA256 = /^[0-9a-f]{64}$/i;
const TIME = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?$/;

const FOREIGN = problem('scope-missing', 'uploads of other clients need the scope uploads:all');

export function registerList(app: TemplatedApp, context: UploadContext): void {
  for (const method of ['get', 'head'] as const) {
    const options = { scope: 'uploads:read', send: { head: method === 'head' } } as const;
    app[method]('/uploads', (res, req) =>
      handleUpload(context, res, req, options, ({ head, client }) => list(context, head.query, client)),
    );
  }
}

async function list({ uploads, now }: UploadContext, text: string, client: Client): Promise<Answer> {
  const filter = readFilter(text, client);
  if ('body' in filter) return filter;
  // One more than asked for says whether there is another page.
  const found = await uploads.list({ ...filter, limit: filter.limit + 1 });
  const page = found.slice(0, filter.limit);
  const last = found.length > filter.limit ? page.at(-1) : undefined;
  return noStore(
    jsonAnswer({
      uploads: page.map((upload) => uploadJson(upload, now())),
      next: last === undefined ? null : cursorOf(last.id),
    }),
  );
}

function readFilter(text: string, client: Client): UploadFilter | Answer {
  const query = readQuery(text, NAMES);
  if ('body' in query) return query;
  const limit = readLimit(query, LIMIT_DEFAULT, LIMIT_MAX);
  if (limit === undefined) return invalidQuery(`limit is a whole number from 1 to ${LIMIT_MAX}`);
  const states = query.get('state')?.split(',');
  if (states !== undefined && !states.every(isState)) {
    return invalidQuery(`state is one or several of ${UPLOAD_STATES.join(', ')}, with commas between them`);
  }
  const [filename, owner] = [query.get('filename'), query.get('client')];
  for (const name of [filename, owner]) {
    if (name !== null && !NAME.test(name)) return invalidQuery('filename and client are names');
  }
  const sha256 = query.get('sha256');
  if (sha256 !== null && !SHA256.test(sha256)) return invalidQuery('sha256 has 64 hexadecimal digits');
  const [createdFrom, createdBefore] = [timeOf(query.get('from')), timeOf(query.get('to'))];
  if (createdFrom === null || createdBefore === null) {
    return invalidQuery('from and to are dates or times of ISO 8601, with Z or an offset (its + as %2B)');
  }
  const cursor = query.get('cursor');
  const before = cursor === null ? undefined : idOf(cursor);
  if (cursor !== null && before === undefined) return invalidQuery('cursor is the next of a page before');
  const seesAll = client.scopes.has('uploads:all');
  if (owner !== null && owner !== client.name && !seesAll) return FOREIGN;
  const whose = owner ?? (seesAll ? undefined : client.name);
  return {
    ...(whose === undefined ? {} : { owner: whose }),
    ...(states === undefined ? {} : { states }),
    ...(filename === null ? {} : { filename }),
    ...(sha256 === null ? {} : { sha256 }),
    ...(createdFrom === undefined ? {} : { createdFrom }),
    ...(createdBefore === undefined ? {} : { createdBefore }),
    ...(before === undefined ? {} : { before }),
    limit,
  };
}

function isState(text: string): text is UploadState {
  const states: readonly string[] = UPLOAD_STATES;
  return states.includes(text);
}

/** Undefined when it is not given, null when it is no time. */
function timeOf(text: string | null): Date | undefined | null {
  if (text === null) return undefined;
  const day = TIME.exec(text)?.[1];
  if (day === undefined) return null;
  const [time, midnight] = [new Date(text), new Date(day)];
  // JavaScript takes February 31 for a day of March.
  if (Number.isNaN(time.getTime()) || Number.isNaN(midnight.getTime())) return null;
  return midnight.toISOString().startsWith(day) ? time : null;
}

/** Opaque to clients: what a page goes on after may come to be more than an id. */
function cursorOf(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
}

function idOf(cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== 16 || bytes.toString('base64url') !== cursor) return undefined;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
