/**
 * Each sentence of the text of tus 1.0.0 that binds a server with MUST, in the order of the text, over HTTP by hand; here the core and
 * creation, in `extensions.test.ts` the rest. The names of the tests say the sentences in short.
 */
import { createHash } from 'node:crypto';
import t from 'tap';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { request } from '../../test/raw-client.js';
import { bearer } from '../test/start.js';
import { CSV, isProblem, OFFSET_TYPE, startTus, VERSION } from './test/start-tus.js';

const postgres = await startTestPostgres(t);
const LIMITS = { textBytesMax: 1000, xlsxBytesMax: 500 };
const METADATA = `filename ${Buffer.from('debtors.csv').toString('base64')},is_confidential`;

const { tus, ask, askAs, client, create, patch, offset, latest, enqueued } = await startTus(t, {
  postgres,
  parts: { limits: LIMITS },
});

t.test('core', async (t) => {
  await t.test('Upload-Offset and Upload-Length are whole numbers', async (t) => {
    for (const wrong of ['-1', '1.5', 'x', '']) {
      isProblem(t, await tus('POST', '/uploads/tus', [`Upload-Length: ${wrong}`]), 400, 'invalid-header');
      const path = await create('Upload-Length: 5');
      const answer = await tus('PATCH', path, [OFFSET_TYPE, `Upload-Offset: ${wrong}`], 'a');
      isProblem(t, answer, 400, 'invalid-header');
      t.equal(await offset(path), '0');
    }
  });

  await t.test('Tus-Resumable is in every answer, and another version is not processed', async (t) => {
    const path = await create('Upload-Length: 5');
    const cases: [string, string][] = [
      ['POST', '/uploads/tus'],
      ['HEAD', path],
      ['PATCH', path],
      ['DELETE', path],
    ];
    for (const [method, at] of cases) {
      for (const version of [[], ['Tus-Resumable: 0.2.2']]) {
        const headers = [...version, OFFSET_TYPE, 'Upload-Offset: 0', 'Upload-Length: 5'];
        const answer = await askAs({
          method,
          path: at,
          headers,
          ...(method === 'PATCH' ? { body: 'a' } : {}),
        });
        t.equal(answer.status, 412, `${method}: ${version}`);
        t.match(answer.headers, { 'tus-version': '1.0.0', 'tus-resumable': '1.0.0' });
      }
    }
    t.equal(await offset(path), '0', 'nothing was written, and it was not terminated');
    for (const answer of [
      await ask({ method: 'POST', path: '/uploads/tus', headers: [VERSION] }),
      await askAs({ method: 'POST', path: '/uploads/tus', headers: [VERSION] }, 'acme-reader'),
      await tus('PUT', path),
      await tus('GET', '/uploads/tus'),
      await tus('HEAD', '/uploads/tus/nothing'),
    ]) {
      t.equal(answer.headers['tus-resumable'], '1.0.0', `of a ${answer.status}`);
    }
  });

  await t.test('X-HTTP-Method-Override is the method', async (t) => {
    const path = await create('Upload-Length: 5', 'X-HTTP-Method-Override: POST');
    const headers = ['X-HTTP-Method-Override: PATCH', OFFSET_TYPE, 'Upload-Offset: 0'];
    t.match(await tus('POST', path, headers, 'ab'), { status: 204, headers: { 'upload-offset': '2' } });
    t.match(await tus('GET', path, ['X-HTTP-Method-Override: HEAD']), {
      status: 204,
      headers: { 'upload-offset': '2' },
    });
    isProblem(t, await tus('PATCH', path, ['X-HTTP-Method-Override: PUT']), 405, 'method-not-allowed');
    t.match(await tus('POST', path, ['X-HTTP-Method-Override: DELETE']), { status: 204 });
    t.match(await tus('POST', path, ['X-HTTP-Method-Override: OPTIONS']), { status: 204 });
    t.equal(
      (await tus('PUT', '/uploads/tus', ['X-HTTP-Method-Override: post', 'Upload-Length: 5'])).status,
      201,
    );
  });

  await t.test('HEAD has the offset, the length, and no cache keeps it', async (t) => {
    const path = await create(`Upload-Length: ${CSV.length}`);
    const before = await tus('HEAD', path);
    t.match(before, {
      status: 200,
      headers: { 'upload-offset': '0', 'upload-length': '17', 'cache-control': 'no-store' },
    });
    await patch(path, 0, CSV);
    t.match(
      await tus('HEAD', path),
      { headers: { 'upload-offset': '17', 'upload-length': '17' } },
      'complete',
    );
    const unknown = await tus('HEAD', '/uploads/tus/0198c0de-0000-7000-8000-000000000000');
    t.equal(unknown.status, 404);
    t.notOk('upload-offset' in unknown.headers);
  });

  await t.test('PATCH has its media type, and answers 204 with the new offset', async (t) => {
    const path = await create('Upload-Length: 17');
    const wrong = await tus('PATCH', path, ['Content-Type: text/csv', 'Upload-Offset: 0'], 'name');
    isProblem(t, wrong, 415, 'unsupported-media-type');
    isProblem(t, await tus('PATCH', path, ['Upload-Offset: 0'], 'name'), 415, 'unsupported-media-type');
    isProblem(t, await tus('PATCH', path, [OFFSET_TYPE], 'name'), 400, 'invalid-header');
    t.match(await patch(path, 0, CSV.slice(0, 5)), {
      status: 204,
      headers: { 'upload-offset': '5' },
      body: '',
    });
    t.match(await patch(path, 5, ''), { status: 204, headers: { 'upload-offset': '5' } }, 'no bytes');
    t.match(await patch(path, 5, CSV.slice(5)), { status: 204, headers: { 'upload-offset': '17' } });
    t.notOk('content-length' in (await patch(path, 17, '')).headers, 'no length of what has no body');
    isProblem(t, await patch('/uploads/tus/0198c0de-0000-7000-8000-000000000000', 0, 'a'), 404, 'not-found');
  });

  await t.test('another offset is a conflict, and changes nothing', async (t) => {
    const path = await create('Upload-Length: 17');
    await patch(path, 0, 'name,');
    for (const wrong of [0, 4, 6, 17, 10_000]) {
      isProblem(t, await patch(path, wrong, 'iban'), 409, 'wrong-offset');
      t.equal(await offset(path), '5');
    }
    await patch(path, 5, CSV.slice(5));
    isProblem(t, await patch(path, 5, 'iban'), 409, 'wrong-offset');
    t.match(await patch(path, 17, ''), { status: 204, headers: { 'upload-offset': '17' } }, 'said again');
  });

  await t.test('more bytes than the length are refused', async (t) => {
    const path = await create('Upload-Length: 17');
    isProblem(t, await patch(path, 0, `${CSV}x`), 413, 'content-too-large');
    t.equal(await offset(path), '0');
    const chunked = await client();
    const headers = [bearer('acme'), VERSION, OFFSET_TYPE, 'Upload-Offset: 0', 'Transfer-Encoding: chunked'];
    chunked.write(`${request({ method: 'PATCH', path, headers })}12\r\n${CSV}x\r\n0\r\n\r\n`);
    isProblem(t, await chunked.response(), 413, 'content-too-large');
    t.equal(await offset(path), '0', 'nor those of a body of unknown length');
    await patch(path, 0, CSV);
    isProblem(t, await patch(path, 17, 'x'), 413, 'content-too-large');
  });

  await t.test('OPTIONS tells what there is, to everybody, whatever version is asked for', async (t) => {
    for (const path of ['/uploads/tus', await create('Upload-Length: 5')]) {
      for (const headers of [[], ['Tus-Resumable: 0.2.2']]) {
        t.match(await ask({ method: 'OPTIONS', path, headers }), {
          status: 204,
          headers: {
            'tus-resumable': '1.0.0',
            'tus-version': '1.0.0',
            'tus-max-size': '1000',
            'tus-extension':
              'creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation',
            'tus-checksum-algorithm': 'sha1,sha256,md5',
          },
        });
      }
    }
  });
});

t.test('creation', async (t) => {
  await t.test('201 with a Location; HEAD has the metadata as it came', async (t) => {
    const answer = await tus('POST', '/uploads/tus', ['Upload-Length: 17', `Upload-Metadata: ${METADATA}`]);
    t.match(answer, { status: 201, headers: { location: /^\/uploads\/tus\/[0-9a-f-]{36}$/ }, body: '' });
    const path = answer.headers.location ?? '';
    t.equal((await tus('HEAD', path)).headers['upload-metadata'], METADATA);
    t.match(await latest(), {
      id: path.slice('/uploads/tus/'.length),
      owner: 'acme',
      via: 'tus',
      state: 'receiving',
      filename: 'debtors.csv',
      bytesExpected: 17,
    });
    await patch(path, 0, CSV);
    t.equal((await tus('HEAD', path)).headers['upload-metadata'], METADATA, 'complete');
    const upload = await latest();
    t.match(upload, { state: 'stored', bytes: 17, mediaType: 'text/csv' });
    t.equal(upload?.sha256, createHash('sha256').update(CSV).digest('hex'));
    t.strictSame(enqueued.at(-1), { uploadId: upload?.id, type: 'process' });
    t.notOk('upload-metadata' in (await tus('HEAD', await create('Upload-Length: 5'))).headers);
  });

  await t.test(
    'metadata that is not to the letter is refused, and names of files are made harmless',
    async (t) => {
      const named = (name: string) => `filename ${Buffer.from(name).toString('base64')}`;
      const post = (metadata: string) =>
        tus('POST', '/uploads/tus', ['Upload-Length: 5', `Upload-Metadata: ${metadata}`]);
      const keys = Array.from({ length: 100 }, (_, index) => `k${index}`).join(',');
      for (const wrong of [
        'filename Y',
        'a YQ== YQ==',
        ',',
        'a,a',
        'sch\u00F6n YQ==',
        keys,
        'k'.repeat(5_000),
      ]) {
        isProblem(t, await post(wrong), 400, 'invalid-header');
      }
      for (const [given, clean] of [
        ['../../etc/passwd', 'passwd'],
        ['a\u0000b\r\nc.csv', 'abc.csv'],
        ['\u202Evsc.csv', 'vsc.csv'],
        [`${'x'.repeat(1000)}.csv`, `${'x'.repeat(196)}.csv`],
      ] as const) {
        const { status, headers } = await post(named(given));
        t.equal(status, 201);
        t.equal((await latest())?.filename, clean);
        t.equal((await tus('HEAD', headers.location ?? '')).headers['upload-metadata'], named(given));
      }
    },
  );

  await t.test('either a length or its deferral, which is 1', async (t) => {
    isProblem(t, await tus('POST', '/uploads/tus'), 400, 'invalid-header');
    isProblem(t, await tus('POST', '/uploads/tus', ['Upload-Defer-Length: 2']), 400, 'invalid-header');
    const both = ['Upload-Defer-Length: 1', 'Upload-Length: 5'];
    isProblem(t, await tus('POST', '/uploads/tus', both), 400, 'invalid-header');
  });

  await t.test(
    'a length that comes later is said to be deferred, is set once, and not changed',
    async (t) => {
      const path = await create('Upload-Defer-Length: 1');
      const { headers } = await tus('HEAD', path);
      t.match(headers, { 'upload-defer-length': '1', 'upload-offset': '0' });
      t.notOk('upload-length' in headers);
      await patch(path, 0, 'name,');
      t.match(await tus('HEAD', path), { headers: { 'upload-defer-length': '1', 'upload-offset': '5' } });
      isProblem(t, await patch(path, 5, '', 'Upload-Length: 4'), 400, 'invalid-header');
      isProblem(t, await patch(path, 5, '', 'Upload-Length: 1001'), 413, 'content-too-large');
      t.equal((await patch(path, 5, 'iban', 'Upload-Length: 17')).status, 204);
      const known = await tus('HEAD', path);
      t.equal(known.headers['upload-length'], '17');
      t.notOk('upload-defer-length' in known.headers);
      isProblem(t, await patch(path, 9, 'x', 'Upload-Length: 16'), 400, 'invalid-header');
      t.equal((await patch(path, 9, CSV.slice(9), 'Upload-Length: 17')).status, 204, 'the same again');
      t.match(await latest(), { state: 'stored', bytes: 17 });
    },
  );

  await t.test('a length that is told behind the last byte ends the upload', async (t) => {
    const path = await create('Upload-Defer-Length: 1');
    await patch(path, 0, CSV);
    t.match(await latest(), { state: 'receiving' });
    t.equal((await patch(path, 17, '', 'Upload-Length: 17')).status, 204);
    t.match(await latest(), { state: 'stored', bytes: 17 });
  });

  await t.test('more than Tus-Max-Size is refused with 413', async (t) => {
    for (const length of ['1001', '99999999999999999999999']) {
      isProblem(t, await tus('POST', '/uploads/tus', [`Upload-Length: ${length}`]), 413, 'content-too-large');
    }
    const path = await create('Upload-Defer-Length: 1');
    isProblem(t, await patch(path, 0, 'x'.repeat(1001)), 413, 'content-too-large');
  });

  await t.test('with bytes: the offset is where they end', async (t) => {
    const post = (headers: readonly string[], body: string) => tus('POST', '/uploads/tus', headers, body);
    const some = await post(['Upload-Length: 17', OFFSET_TYPE], 'name,');
    t.match(some, { status: 201, headers: { 'upload-offset': '5', 'upload-expires': / GMT$/ } });
    t.equal((await patch(some.headers.location ?? '', 5, CSV.slice(5))).status, 204);
    t.match(await latest(), { state: 'stored', bytes: 17 });
    t.match(await post(['Upload-Length: 17', OFFSET_TYPE], CSV), {
      status: 201,
      headers: { 'upload-offset': '17', 'upload-expires': undefined },
    });
    t.match(await latest(), { state: 'stored', bytes: 17 });
    t.match(await post(['Upload-Defer-Length: 1', OFFSET_TYPE], CSV), { headers: { 'upload-offset': '17' } });
    isProblem(t, await post(['Upload-Length: 17'], CSV), 415, 'unsupported-media-type');
    isProblem(t, await post(['Upload-Length: 16', OFFSET_TYPE], CSV), 413, 'content-too-large');
  });
});
