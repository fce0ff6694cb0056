/** `POST /uploads/tus`: a new upload or a part of one, with its first bytes when the request has some; or one that is made of parts. */
import { randomUUID } from 'node:crypto';
import { objectKeyOf } from '../../../actors/upload/model.js';
import type { Answer } from '../../answer.js';
import { RefusalError, type UploadRequest } from '../handle.js';
import { IntakeBusyError } from '../intake/errors.js';
import { append } from './append.js';
import { readConcat } from './concat-header.js';
import { concatenate } from './concatenate.js';
import { giveUp, type TusParts } from './give-up.js';
import { checkMediaType, hasBody, readChecksum, readLengthOrDeferral } from './headers.js';
import { readMetadata } from './metadata.js';
import {
  emptyAnswer,
  expiresHeader,
  type Headers,
  OFFSET_MEDIA_TYPE,
  refused,
  TUS_PATH,
} from './protocol.js';

export async function create(parts: TusParts, request: UploadRequest): Promise<Answer | undefined> {
  const { context, table } = parts;
  const { headers } = request.head;
  const concat = readConcat(headers.get('upload-concat'));
  const metadata = readMetadata(headers.get('upload-metadata'));
  if (concat?.kind === 'final') return concatenate(parts, request, concat, metadata);
  const length = readLengthOrDeferral(headers, context.limits);
  const isPart = concat !== undefined;
  if (length === 0 && !isPart) throw refused('empty-file', 'the file is empty');
  const comesWithBytes = hasBody(headers);
  if (comesWithBytes) checkMediaType(headers);
  const checksum = readChecksum(headers);
  if (length !== undefined && Number(headers.get('content-length') ?? 0) > length) {
    throw refused('content-too-large', 'the body has more bytes than Upload-Length says');
  }

  const id = context.nextId();
  const owner = request.client.name;
  const objectKey = isPart ? `partials/${id}` : objectKeyOf(id);
  const lease = comesWithBytes ? randomUUID() : undefined;
  if (!isPart) {
    await context.uploads.create({
      id,
      owner,
      via: 'tus',
      filename: metadata.filename,
      objectKey,
      ...(length === undefined ? {} : { bytesExpected: length }),
    });
  }
  const row = {
    id,
    owner,
    metadata: metadata.text,
    length,
    objectKey,
    ...(isPart ? ({ concat: 'partial', concatHeader: 'partial' } as const) : { uploadId: id }),
    ...(lease === undefined ? {} : { lease }),
  };
  const expiresAt = await table.insert(row);
  const location: Headers = [['Location', `${TUS_PATH}/${id}`]];
  if (length === 0) {
    // A part of no bytes needs no object.
    const { expiresAt } = await table.complete(id, 0);
    return created([...location, ['Upload-Offset', '0'], ...expiresHeader(expiresAt)]);
  }
  if (lease === undefined) {
    const offset: Headers = headers.get('content-type') === OFFSET_MEDIA_TYPE ? [['Upload-Offset', '0']] : [];
    return created([...location, ...offset, ...expiresHeader(expiresAt)]);
  }
  const taken = await table.find(id);
  if (taken === undefined) throw new TypeError('a row that was inserted is not there');
  const { exchange } = request;
  try {
    const appended = await append(parts, { ...taken, lease: 'none' }, lease, { exchange, length, checksum });
    if (exchange.isAborted && appended.offset !== length) throw new NobodyKnowsItError();
    return created([
      ...location,
      ['Upload-Offset', String(appended.offset)],
      ...expiresHeader(appended.expiresAt),
    ]);
  } catch (error) {
    await giveUp(parts, (await table.find(id)) ?? taken, failureOf(error));
    if (error instanceof NobodyKnowsItError) return undefined;
    // As if it had not been asked for: many may ask while there is no room.
    if (error instanceof IntakeBusyError) await context.uploads.remove(id);
    throw error;
  }
}

/** The client has left before it could learn where its upload is. */
class NobodyKnowsItError extends Error {}

function failureOf(error: unknown): { readonly code: string; readonly detail: string } {
  if (error instanceof NobodyKnowsItError) {
    return { code: 'client-gone', detail: 'the client left before it knew of the upload' };
  }
  return error instanceof RefusalError
    ? { code: 'refused', detail: 'the first bytes of the upload were refused' }
    : { code: 'unavailable', detail: 'the first bytes of the upload could not be kept' };
}

function created(headers: Headers): Answer {
  return emptyAnswer('201 Created', headers);
}
