/**
 * Sends files, all of an order at once, in a process of its own: through a node (`POST /uploads`), through a tus server (one request that
 * creates the upload and carries the file), or straight into the object store with the `minio` client.
 *
 * Arguments: `tether`, URL of the node, token; or `tus`, URL where uploads are created; or `minio`, URL of the store
 * (`http://key:secret@host:port/bucket`). At a message `{ files }` it sends them and answers with `PutResult`.
 */

import { createReadStream, statSync } from 'node:fs';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { endWithParent } from '../harness/end-with-parent.js';
import { s3BucketOf } from '../limits/s3-client.js';

export interface PutResult {
  readonly seconds: number;
  /** Of the uploads, or with `tus` of the objects in the store; empty strings with `minio`. */
  readonly ids: readonly string[];
}

export interface PutOrder {
  readonly file: string;
  readonly name: string;
  /** Default true. */
  readonly process?: boolean;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const [kind, url = '', token = ''] = process.argv.slice(2);

/** One POST with the file as its body. */
function post(to: string, file: string, headers: OutgoingHttpHeaders): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(to, {
      method: 'POST',
      headers: { ...headers, 'content-length': statSync(file).size },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    createReadStream(file, { highWaterMark: 1024 * 1024 }).pipe(sent);
  });
}

async function throughTether({ file, name, process: read = true }: PutOrder): Promise<string> {
  const query = new URLSearchParams({ filename: name, process: String(read) });
  const { status, text } = await post(`${url}/uploads?${query}`, file, {
    authorization: `Bearer ${token}`,
    'content-type': 'text/csv',
  });
  if (status !== 201) throw new Error(`an answer of ${status}: ${text}`);
  return (JSON.parse(text) as { readonly id: string }).id;
}

/** tus 1.0.0, its extension `creation-with-upload`: no request more than Tether gets. */
async function throughTus({ file, name }: PutOrder): Promise<string> {
  const bytes = statSync(file).size;
  const { status, headers, text } = await post(url, file, {
    'tus-resumable': '1.0.0',
    'upload-length': bytes,
    'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
    'content-type': 'application/offset+octet-stream',
  });
  if (status !== 201) throw new Error(`an answer of ${status}: ${text}`);
  if (headers['upload-offset'] !== `${bytes}`)
    throw new Error(`${headers['upload-offset']} of ${bytes} bytes were taken`);
  return headers.location?.split('/').at(-1) ?? '';
}

async function straight({ file, name }: PutOrder): Promise<string> {
  const { client, bucket } = s3BucketOf(url);
  await client.fPutObject(bucket, name, file, {});
  return '';
}

const KINDS: ReadonlyMap<string | undefined, (order: PutOrder) => Promise<string>> = new Map([
  ['tether', throughTether],
  ['tus', throughTus],
  ['minio', straight],
]);
const send = KINDS.get(kind);
if (send === undefined) throw new RangeError(`a way is one of ${[...KINDS.keys()].join(', ')}, not ${kind}`);

process.on('message', async ({ files }: { readonly files: readonly PutOrder[] }) => {
  const startMs = performance.now();
  const ids = await Promise.all(files.map(send));
  process.send?.({ seconds: (performance.now() - startMs) / 1_000, ids } satisfies PutResult);
});
endWithParent();
process.on('SIGTERM', () => process.exit(0));
process.send?.({});
