/** What is asked of the store, by a server made for it that notes the heads of requests: no S3 for tests encrypts. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import t, { type Test } from 'tap';
import { openObjectStore } from '../open.js';
import { encryptionHeaders, isS3Encryption } from './encryption.js';

const ALGORITHM = 'x-amz-server-side-encryption';
const KEY_ID = 'x-amz-server-side-encryption-aws-kms-key-id';

t.test('the texts that name one', (t) => {
  for (const text of [
    'AES256',
    'aws:kms',
    'aws:kms:alias/files',
    'aws:kms:arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab',
  ])
    t.ok(isS3Encryption(text), text);
  for (const text of [
    '',
    'none',
    'aes256',
    'aws:kms:',
    'aws:kms:a b',
    'aws:kms:a\r\nx: y',
    `aws:kms:${'k'.repeat(257)}`,
    'aws:kmsx',
  ])
    t.notOk(isS3Encryption(text), text);
  t.strictSame(encryptionHeaders(undefined), {});
  t.strictSame(encryptionHeaders('AES256'), { [ALGORITHM]: 'AES256' });
  t.strictSame(encryptionHeaders('aws:kms'), { [ALGORITHM]: 'aws:kms' });
  t.strictSame(encryptionHeaders('aws:kms:alias/files'), { [ALGORITHM]: 'aws:kms', [KEY_ID]: 'alias/files' });
  t.end();
});

async function openAt(t: Test, encryption?: string) {
  const requests: { readonly what: string; readonly headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const what = searchParams.has('uploads') ? 'begin' : searchParams.has('partNumber') ? 'part' : 'put';
    requests.push({ what: `${what} ${pathname}`, headers: request.headers });
    request.resume().on('end', () => {
      response.setHeader('ETag', '"abc"');
      response.end(
        what === 'begin'
          ? '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>'
          : '',
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const url = `http://key:the-secret@127.0.0.1:${port}/bucket`;
  const store = await openObjectStore({ driver: 's3', url, encryption });
  t.teardown(() => store.close());
  await store.put('a', Buffer.from('x'));
  const multipart = await store.beginMultipart('b');
  await store.putPart('b', multipart, 1, Buffer.from('x'));
  return requests;
}

t.test('each object is made with it, a part is not asked again', async (t) => {
  const requests = await openAt(t, 'aws:kms:alias/files');
  t.strictSame(
    requests.map(({ what, headers }) => [what, headers[ALGORITHM], headers[KEY_ID]]),
    [
      ['put /bucket/a', 'aws:kms', 'alias/files'],
      ['begin /bucket/b', 'aws:kms', 'alias/files'],
      ['part /bucket/b', undefined, undefined],
    ],
  );
  for (const { what, headers } of requests.slice(0, 2))
    t.match(
      headers.authorization,
      /SignedHeaders=[^,]*x-amz-server-side-encryption/,
      `${what}: it is signed`,
    );
});

t.test('without it nothing is asked for', async (t) => {
  for (const { what, headers } of await openAt(t)) t.equal(headers[ALGORITHM], undefined, what);
  const settings = {
    driver: 's3',
    url: 'http://key:the-secret@127.0.0.1:1/bucket',
    encryption: 'rot13',
  } as const;
  await t.rejects(openObjectStore(settings), { code: 'TETHER_OBJECTS_SETTINGS' });
});
