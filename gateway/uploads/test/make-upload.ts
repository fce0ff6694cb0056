/** Uploads in any state, for tests of what is done with them: as the intake and the actor would leave them. */
import { createHash } from 'node:crypto';
import { objectKeyOf, TEXT_MEDIA_TYPE, type Upload, type UploadState } from '../../../actors/upload/model.js';
import { MessageIdSource } from '../../../runtime/message-id.js';
import { PART_BYTES, type Part } from '../../../storage/objects/object-store.js';
import type { TestUploads } from './start.js';

const ids = new MessageIdSource();

export interface MadeUpload {
  readonly owner?: string;
  readonly filename?: string;
  readonly state?: UploadState;
  /** Kept in the store, unless the upload is to be `receiving`. */
  readonly content?: Uint8Array;
}

export async function makeUpload(
  { uploads, objects, pool }: Pick<TestUploads, 'uploads' | 'objects' | 'pool'>,
  {
    owner = 'acme',
    filename = 'a.csv',
    state = 'stored',
    content = Buffer.from('iban\nx\n'),
  }: MadeUpload = {},
): Promise<Upload> {
  const id = ids.next(Date.now());
  await uploads.create({ id, owner, via: 'raw', filename, objectKey: objectKeyOf(id) });
  if (state !== 'receiving') {
    await put(objects, objectKeyOf(id), content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    await uploads.stored(id, { bytes: content.byteLength, sha256, mediaType: TEXT_MEDIA_TYPE });
    if (state !== 'stored') await setState(pool, id, state);
  }
  const upload = await uploads.get(id);
  if (upload === undefined) throw new TypeError('the upload is gone');
  return upload;
}

async function put(objects: TestUploads['objects'], key: string, content: Uint8Array): Promise<void> {
  if (content.byteLength <= PART_BYTES) {
    await objects.put(key, content);
    return;
  }
  const multipart = await objects.beginMultipart(key);
  const parts: Part[] = [];
  for (let at = 0; at < content.byteLength; at += PART_BYTES) {
    const bytes = content.subarray(at, at + PART_BYTES);
    parts.push(await objects.putPart(key, multipart, parts.length + 1, bytes));
  }
  await objects.completeMultipart(key, multipart, parts);
}

/** What the actor does to a row. */
export async function setState(pool: TestUploads['pool'], id: string, state: UploadState): Promise<void> {
  await pool.query(
    `UPDATE uploads SET state = $2, version = version + 1, updated_at = now(), started_at = coalesce(started_at, now()),
       finished_at = CASE WHEN $2 IN ('completed', 'failed', 'cancelled') THEN now() END
     WHERE id = $1`,
    [id, state],
  );
}
