/** Requests to `POST /uploads`, and what is looked at afterwards. */
import type { Upload } from '../../../actors/upload/model.js';
import { until } from '../../../runtime/testing/until.js';
import { type RawClient, type RawResponse, type RequestParts, request } from '../../test/raw-client.js';
import { FORM_TYPE } from './files.js';
import { bearer, type TestUploads } from './start.js';

export const post = (body: string, headers: readonly string[] = [], query = ''): RequestParts => ({
  method: 'POST',
  path: `/uploads${query}`,
  headers: ['Content-Type: text/csv', ...headers],
  body,
});

export const form = (body: string, headers: readonly string[] = []): RequestParts => ({
  method: 'POST',
  path: '/uploads',
  headers: [FORM_TYPE, ...headers],
  body,
});

export const json = ({ body }: RawResponse): Record<string, unknown> => JSON.parse(body);
export const problemOf = (response: RawResponse) =>
  String(json(response).type).replace('urn:tether:problem:', '');

export const NOTHING = { objects: [], multiparts: [] };

/** The head of an upload of so many bytes, of which the test sends what it likes. */
export async function begin(
  { client }: TestUploads,
  length: number,
  headers: readonly string[] = [],
): Promise<RawClient> {
  const sender = await client();
  sender.write(
    request({
      method: 'POST',
      path: '/uploads',
      headers: [bearer('acme'), 'Content-Type: text/csv', `Content-Length: ${length}`, ...headers],
    }),
  );
  return sender;
}

/** The latest upload, once it satisfies `test`. */
export async function latest(
  t: { latest(): Promise<Upload | undefined> },
  test: (upload: Upload) => boolean,
): Promise<Upload> {
  let found: Upload | undefined;
  await until('the upload is as expected', async () => {
    found = await t.latest();
    return found !== undefined && test(found);
  });
  if (found === undefined) throw new Error('no upload');
  return found;
}
