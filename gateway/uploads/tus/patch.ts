/** `PATCH /uploads/tus/{id}`: goes on with an upload. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Answer } from '../../answer.js';
import type { Exchange } from '../../exchange.js';
import { RefusalError, type UploadRequest } from '../handle.js';
import { findFor, gone, isExpired, locked, notFound, wrongOffset } from './answers.js';
import { append } from './append.js';
import { recover, settled } from './finish.js';
import type { TusParts } from './give-up.js';
import { checkMediaType, hasBody, readChecksum, readLength, readOffset } from './headers.js';
import { emptyAnswer, expiresHeader, type Headers, refused } from './protocol.js';
import type { TusUpload } from './table.js';

/** tus-js-client, as it comes, tries five times within nine seconds: with these it outlasts a lease. */
const LOCK_WAIT_MS = 3_000;
const LOCK_LOOK_MS = 100;

export async function patch(parts: TusParts, request: UploadRequest, id: string): Promise<Answer> {
  const found = await findFor(request.client, parts.table, id);
  if (found.concat === 'final')
    throw refused('final-upload', 'an upload that is made of parts takes no bytes');
  checkMediaType(request.head.headers);
  const asked = {
    offset: readOffset(request.head.headers),
    length: readLength(request.head.headers, parts.context.limits),
    checksum: readChecksum(request.head.headers),
  };
  try {
    // A client that tries again may be ahead of what the row says.
    const upload = await settled(parts, found);
    if (upload === undefined) throw notFound();
    return await goOn(parts, request, upload, asked);
  } catch (error) {
    // Whatever the answer is, the upload still expires.
    if (error instanceof RefusalError && found.state === 'open') {
      throw new RefusalError(withHeaders(error.answer, expiresHeader(found.expiresAt)));
    }
    throw error;
  }
}

type Asked = { readonly offset: number } & Pick<Parameters<typeof append>[3], 'length' | 'checksum'>;

async function goOn(
  parts: TusParts,
  { exchange, head }: UploadRequest,
  upload: TusUpload,
  { offset, length, checksum }: Asked,
): Promise<Answer> {
  const { table } = parts;
  if (upload.state === 'terminating' || upload.state === 'terminated') throw gone();
  check(upload, offset, length);
  if (upload.state === 'complete') {
    if (hasBody(head.headers)) throw tooLong();
    return answer(offset, upload.expiresAt);
  }
  const lease = randomUUID();
  const taken = await take(parts, upload.id, lease, exchange);
  try {
    // As it is under the lease.
    if (await recover(parts, taken, lease)) throw wrongOffset();
    check(taken, offset, length);
    const known = taken.length ?? length;
    if (known !== undefined && offset + Number(head.headers.get('content-length') ?? 0) > known)
      throw tooLong();
  } catch (error) {
    if (error instanceof RefusalError) await table.release(taken.id, lease);
    else await table.abandon(taken.id, lease);
    throw error;
  }
  const request = { exchange, length: taken.length ?? length, checksum };
  const appended = await append(parts, taken, lease, request);
  return answer(appended.offset, appended.expiresAt);
}

/** @throws RefusalError 400, 409 */
function check(upload: TusUpload, offset: number, length: number | undefined): void {
  const { received } = upload.append;
  if (offset !== received) throw wrongOffset();
  if (length === undefined) return;
  if (upload.length !== undefined && upload.length !== length) {
    throw refused('invalid-header', 'the length of the upload is known, and another one');
  }
  if (length < received) throw refused('invalid-header', 'the upload has more bytes than that already');
}

/**
 * Waits a little for a writer before, which may be this very client's request whose connection broke: it still saves what has arrived.
 * @throws RefusalError why not
 */
async function take(parts: TusParts, id: string, lease: string, exchange: Exchange): Promise<TusUpload> {
  const endMs = performance.now() + LOCK_WAIT_MS;
  for (let tries = 0; ; tries++) {
    const taken = await parts.table.take(id, lease);
    if (taken !== undefined) return taken;
    const refusal = await whyNot(parts, id);
    if (refusal !== undefined) throw refusal;
    if (performance.now() > endMs || exchange.isAborted) throw locked();
    if (tries === 0) await parts.table.want(id);
    await setTimeout(LOCK_LOOK_MS);
  }
}

/** Undefined: somebody writes to it, or did a moment ago. */
async function whyNot({ table }: TusParts, id: string): Promise<RefusalError | undefined> {
  const upload = await table.find(id);
  if (upload === undefined) return notFound();
  if (upload.state !== 'open') return upload.state === 'complete' ? wrongOffset() : gone();
  return isExpired(upload) ? gone() : undefined;
}

const tooLong = () => refused('content-too-large', 'the upload was announced to have fewer bytes');

function answer(offset: number, expiresAt: Date | undefined): Answer {
  return emptyAnswer('204 No Content', [['Upload-Offset', String(offset)], ...expiresHeader(expiresAt)]);
}

function withHeaders(given: Answer, headers: Headers): Answer {
  return { ...given, headers: [...given.headers, ...headers] };
}
