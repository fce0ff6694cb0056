/** A gateway for tests of tus, and its requests in short. */
import type { Test } from 'tap';
import type { RawClient, RawResponse, RequestParts } from '../../../test/raw-client.js';
import { request } from '../../../test/raw-client.js';
import { bearer, startTestUploads, type TestUploads, type TestUploadsOptions } from '../../test/start.js';

export const VERSION = 'Tus-Resumable: 1.0.0';
export const OFFSET_TYPE = 'Content-Type: application/offset+octet-stream';
/** 17 bytes. */
export const CSV = 'name,iban,amount\n';

export interface TestTus extends TestUploads {
  /** As `acme`. */
  tus(method: string, path: string, headers?: readonly string[], body?: string): Promise<RawResponse>;
  /** A new upload's path. */
  create(...headers: readonly string[]): Promise<string>;
  patch(path: string, offset: number, body: string, ...headers: readonly string[]): Promise<RawResponse>;
  /** The head of a PATCH with `length` bytes, and the first of them. */
  begin(path: string, offset: number, length: number, bytes: string): Promise<RawClient>;
  offset(path: string): Promise<string | undefined>;
  /** A part that is whole. */
  part(body: string): Promise<string>;
  /** What the store has of an upload. */
  left(path: string): Promise<readonly string[]>;
}

/** Closed at the end of the test. */
export async function startTus(t: Test, options: TestUploadsOptions = {}): Promise<TestTus> {
  const server = await startTestUploads(t, options);
  const tus: TestTus['tus'] = (method, path, headers = [], body) => {
    const parts: RequestParts = { method, path, headers: [VERSION, ...headers] };
    return server.askAs(body === undefined ? parts : { ...parts, body });
  };
  const create: TestTus['create'] = async (...headers) => {
    const { status, headers: answered, body } = await tus('POST', '/uploads/tus', headers);
    if (status !== 201) throw new Error(`${status} instead of 201: ${body}`);
    return answered.location ?? '';
  };
  const patch: TestTus['patch'] = (path, offset, body, ...headers) =>
    tus('PATCH', path, [OFFSET_TYPE, `Upload-Offset: ${offset}`, ...headers], body);
  return {
    ...server,
    tus,
    create,
    patch,
    async begin(path, offset, length, bytes) {
      const client = await server.client();
      const headers = [
        bearer('acme'),
        VERSION,
        OFFSET_TYPE,
        `Upload-Offset: ${offset}`,
        `Content-Length: ${length}`,
      ];
      await client.flush(request({ method: 'PATCH', path, headers }) + bytes);
      return client;
    },
    offset: async (path) => (await tus('HEAD', path)).headers['upload-offset'],
    async part(body) {
      const path = await create('Upload-Concat: partial', `Upload-Length: ${body.length}`);
      const { status } = await patch(path, 0, body);
      if (status !== 204) throw new Error(`${status} instead of 204`);
      return path;
    },
    async left(path) {
      const { objects, multiparts } = await server.stored();
      return [...objects, ...multiparts.map((key) => `multipart of ${key}`)].filter((key) =>
        key.includes(idOf(path)),
      );
    },
  };
}

/** The id in an upload's path. */
export const idOf = (path: string): string => path.slice('/uploads/tus/'.length);

/** What is with an answer that is no success. */
export function isProblem(
  t: Test,
  { status, headers, body }: RawResponse,
  wanted: number,
  type: string,
): void {
  t.equal(status, wanted, `${wanted} ${type}`);
  t.equal(headers['tus-resumable'], '1.0.0');
  t.match(JSON.parse(body), { type: `urn:tether:problem:${type}`, status: wanted });
}
