/**
 * Sends files, all of an order at once, in a process of its own: through a node (`POST /uploads`), or straight into the object store with the `minio` client.
 *
 * Arguments: `tether`, URL of the node, token; or `minio`, URL of the store (`http://key:secret@host:port/bucket`). At a message
 * `{ files }` it sends them and answers with `PutResult`.
 */
import { createReadStream, statSync } from 'node:fs';
import { request } from 'node:http';
import { Client } from 'minio';

export interface PutResult {
  readonly seconds: number;
  /** Of the uploads; empty with `minio`. */
  readonly ids: readonly string[];
}

export interface PutOrder {
  readonly file: string;
  readonly name: string;
  /** Default true. */
  readonly process?: boolean;
}

const [kind, url = '', token = ''] = process.argv.slice(2);

function throughTether({ file, name, process: read = true }: PutOrder): Promise<string> {
  return new Promise((resolve, reject) => {
    const query = new URLSearchParams({ filename: name, process: String(read) });
    const sent = request(`${url}/uploads?${query}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'text/csv',
        'content-length': statSync(file).size,
      },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 201) resolve((JSON.parse(text) as { readonly id: string }).id);
        else reject(new Error(`an answer of ${response.statusCode}: ${text}`));
      });
    });
    createReadStream(file, { highWaterMark: 1024 * 1024 }).pipe(sent);
  });
}

async function straight({ file, name }: PutOrder): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const client = new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: decodeURIComponent(username),
    secretKey: decodeURIComponent(password),
    region: 'us-east-1',
  });
  await client.fPutObject(pathname.slice(1), name, file, {});
  return '';
}

process.on('message', async ({ files }: { readonly files: readonly PutOrder[] }) => {
  const startMs = performance.now();
  const ids = await Promise.all(files.map(kind === 'tether' ? throughTether : straight));
  process.send?.({ seconds: (performance.now() - startMs) / 1_000, ids } satisfies PutResult);
});
process.on('SIGTERM', () => process.exit(0));
process.send?.({});
