/**
 * A final upload: parts that are whole, one behind the other, in a new object. The answer waits for it; a client that leaves before has
 * nothing made. The parts stay, until they expire or are deleted: a client may use one again.
 */
import { randomUUID } from 'node:crypto';
import { objectKeyOf } from '../../../actors/upload/model.js';
import { ObjectNotFoundError } from '../../../storage/objects/errors.js';
import type { Answer } from '../../answer.js';
import { type Client, mayTouch } from '../../auth/client.js';
import { RefusalError, type UploadRequest } from '../handle.js';
import { refusal } from './answers.js';
import type { Concat } from './concat-header.js';
import { finish, withLease } from './finish.js';
import { type Failure, giveUp, type TusParts } from './give-up.js';
import { hasBody, tooLarge } from './headers.js';
import type { Metadata } from './metadata.js';
import { bytesMax, emptyAnswer, refused, TUS_PATH } from './protocol.js';
import type { TusUpload } from './table.js';

type Final = Extract<Concat, { readonly kind: 'final' }>;

export async function concatenate(
  parts: TusParts,
  { head, client, exchange }: UploadRequest,
  { sources, text }: Final,
  metadata: Metadata,
): Promise<Answer | undefined> {
  const { context, table } = parts;
  if (head.headers.has('upload-length') || head.headers.has('upload-defer-length')) {
    throw refused('invalid-header', 'the length of a final upload is that of its parts');
  }
  if (hasBody(head.headers)) throw refused('final-upload', 'an upload that is made of parts takes no bytes');
  const used = await sourcesOf(parts, client, sources);
  const length = used.reduce((sum, part) => sum + part.append.received, 0);
  if (length === 0) throw refused('empty-file', 'the file is empty');
  if (length > bytesMax(context.limits)) throw tooLarge(context.limits);
  await table.keep(sources);

  const id = context.nextId();
  const lease = randomUUID();
  const objectKey = objectKeyOf(id);
  const made = { id, owner: client.name, objectKey };
  await context.uploads.create({ ...made, via: 'tus', filename: metadata.filename, bytesExpected: length });
  await table.insert({
    ...made,
    uploadId: id,
    metadata: metadata.text,
    length,
    concat: 'final',
    concatHeader: text,
    lease,
  });
  const upload = await table.find(id);
  if (upload === undefined) throw new TypeError('a row that was inserted is not there');
  try {
    const stream = context.intake.open({
      kind: 'concatenate',
      objectKey,
      limits: context.limits,
      sources: used.filter((part) => part.append.received > 0).map((part) => part.objectKey),
    });
    stream.end();
    exchange.onAborted(() => stream.abort());
    const result = await withLease(parts, upload, lease, stream);
    if (result.outcome === 'refused') throw refusal(result);
    if (result.outcome !== 'stored') throw new TypeError(`parts that are whole came to ${result.outcome}`);
    await finish(parts, upload, result);
  } catch (error) {
    await giveUp(parts, upload, failureOf(error, exchange.isAborted));
    if (exchange.isAborted) return undefined;
    throw error instanceof ObjectNotFoundError ? incomplete() : error;
  }
  return emptyAnswer('201 Created', [
    ['Location', `${TUS_PATH}/${id}`],
    ['Upload-Offset', String(length)],
  ]);
}

/** @throws RefusalError 400 for what is no part of this client's, 409 for one that is not whole */
async function sourcesOf(
  { table }: TusParts,
  client: Client,
  sources: readonly string[],
): Promise<readonly TusUpload[]> {
  const found = await table.findMany([...new Set(sources)]);
  const used: TusUpload[] = [];
  for (const id of sources) {
    const part = found.get(id);
    if (part === undefined || part.concat !== 'partial' || !mayTouch(client, part.owner)) {
      throw refused('invalid-header', 'Upload-Concat names what is no part of yours');
    }
    if (part.state !== 'complete') throw incomplete();
    used.push(part);
  }
  return used;
}

function failureOf(error: unknown, isAborted: boolean): Failure {
  if (isAborted) return { code: 'client-gone', detail: 'the client left before the parts were put together' };
  return error instanceof RefusalError
    ? { code: 'refused', detail: 'the file that the parts come to was refused' }
    : { code: 'unavailable', detail: 'the parts could not be put together' };
}

const incomplete = () => refused('upload-incomplete', 'a part of the upload is not whole, or is gone');
