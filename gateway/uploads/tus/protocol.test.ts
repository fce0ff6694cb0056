/**
 * Each sentence of the text of tus 1.0.0 that binds a server with MUST, in the order of the text, over HTTP by hand. The names of the tests
 * say the sentences in short.
 */
import { createHash } from 'node:crypto';
import t from 'tap';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { type RawResponse, request } from '../../test/raw-client.js';
import { bearer } from '../test/start.js';
import { CSV, idOf, isProblem, OFFSET_TYPE, startTus, VERSION } from './test/start-tus.js';

const postgres = await startTestPostgres(t);
const LIMITS = { textBytesMax: 1000, xlsxBytesMax: 500 };
const METADATA = `filename ${Buffer.from('debtors.csv').toString('base64')},is_confidential`;
const base64 = (algorithm: string, bytes: string) => createHash(algorithm).update(bytes).digest('base64');

const { tus, ask, askAs, client, create, patch, offset, part, latest, enqueued, pool, left } = await startTus(
  t,
  {
    postgres,
    parts: { limits: LIMITS },
  },
);

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

t.test('expiration', async (t) => {
  const path = await create('Upload-Length: 17');

  await t.test(
    'Upload-Expires is in the answer to POST and to every PATCH, as RFC 9110 has it',
    async (t) => {
      const date = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
      const isDate = (answer: RawResponse) =>
        t.match(answer.headers['upload-expires'], date, `of a ${answer.status}`);
      isDate(await tus('POST', '/uploads/tus', ['Upload-Length: 17']));
      isDate(await patch(path, 0, 'name,'));
      isDate(await patch(path, 0, 'name,'));
      isDate(await patch(path, 5, 'iban', `Upload-Checksum: sha1 ${base64('sha1', 'other')}`));
      isDate(await tus('HEAD', path));
    },
  );

  await t.test('what has expired is gone', async (t) => {
    await pool.query(`UPDATE tus_uploads SET expires_at = now() - interval '1 s'`);
    isProblem(t, await patch(path, 5, 'iban'), 410, 'upload-gone');
    const answer = await tus('HEAD', path);
    t.equal(answer.status, 410);
    t.notOk('upload-offset' in answer.headers);
  });
});

t.test('checksum', async (t) => {
  const path = await create('Upload-Length: 17');

  await t.test(
    'a body that does not come to it is not kept, nor is one of an unknown algorithm',
    async (t) => {
      for (const algorithm of ['sha1', 'sha256', 'md5']) {
        const wrong = await patch(
          path,
          0,
          'name,',
          `Upload-Checksum: ${algorithm} ${base64(algorithm, 'other')}`,
        );
        isProblem(t, wrong, 460, 'wrong-checksum');
      }
      const unknown = await patch(path, 0, 'name,', `Upload-Checksum: crc32 ${base64('sha1', 'name,')}`);
      isProblem(t, unknown, 400, 'invalid-header');
      t.equal(await offset(path), '0');
    },
  );

  await t.test('sha1 is known, and a body that comes to it is kept', async (t) => {
    let at = 0;
    for (const [algorithm, piece] of [
      ['sha1', 'name,'],
      ['sha256', 'iban,'],
      ['md5', 'amount\n'],
    ] as const) {
      const answer = await patch(
        path,
        at,
        piece,
        `Upload-Checksum: ${algorithm} ${base64(algorithm, piece)}`,
      );
      at += piece.length;
      t.match(answer, { status: 204, headers: { 'upload-offset': String(at) } });
    }
    const upload = await latest();
    t.match(upload, { state: 'stored', sha256: createHash('sha256').update(CSV).digest('hex') });
  });

  await t.test('of a creation with bytes too, which then is none', async (t) => {
    const headers = ['Upload-Length: 17', OFFSET_TYPE, `Upload-Checksum: sha1 ${base64('sha1', 'other')}`];
    isProblem(t, await tus('POST', '/uploads/tus', headers, CSV), 460, 'wrong-checksum');
    const upload = await latest();
    t.match(upload, { state: 'failed' });
    t.strictSame(await left(`/uploads/tus/${upload?.id}`), []);
  });
});

t.test('termination', async (t) => {
  await t.test('204, and then it is gone, with all that it had', async (t) => {
    const path = await create('Upload-Length: 17');
    await patch(path, 0, 'name,');
    t.match(await tus('DELETE', path), { status: 204, body: '' });
    t.strictSame(await left(path), []);
    t.match(await latest(), { state: 'failed', failure: { code: 'terminated' } });
    const head = await tus('HEAD', path);
    t.equal(head.status, 410);
    t.notOk('upload-offset' in head.headers);
    isProblem(t, await patch(path, 5, 'iban'), 410, 'upload-gone');
    isProblem(t, await tus('DELETE', path), 410, 'upload-gone');
  });

  await t.test('also of what is complete', async (t) => {
    const path = await create('Upload-Length: 17');
    await patch(path, 0, CSV);
    t.equal((await tus('DELETE', path)).status, 204);
    t.match(await latest(), { state: 'cancelling' });
    t.equal((await left(path)).length, 1, 'the actor may still read it');
    t.equal((await tus('HEAD', path)).status, 410);

    const over = await create('Upload-Length: 17');
    await patch(over, 0, CSV);
    await pool.query(`UPDATE uploads SET state = 'completed' WHERE id = $1`, [idOf(over)]);
    t.equal((await tus('DELETE', over)).status, 204);
    t.strictSame(await left(over), [], 'removed with its object when it is over');
    t.equal((await latest())?.id === idOf(over), false);
  });
});

t.test('concatenation', async (t) => {
  const first = await part('name,iban,');
  const second = await part('amount\n');
  const final = (...urls: readonly string[]) => `Upload-Concat: final;${urls.join(' ')}`;
  const post = (...headers: readonly string[]) => tus('POST', '/uploads/tus', headers);

  await t.test(
    'the parts become the upload in the order that is given, with metadata of its own',
    async (t) => {
      const answer = await post(
        final(first, `http://files.example${second}`),
        `Upload-Metadata: ${METADATA}`,
      );
      t.equal(answer.status, 201);
      t.match(await latest(), {
        state: 'stored',
        filename: 'debtors.csv',
        bytes: 17,
        sha256: createHash('sha256').update(CSV).digest('hex'),
      });
      const head = await tus('HEAD', answer.headers.location ?? '');
      t.match(head.headers, {
        'upload-offset': '17',
        'upload-length': '17',
        'upload-metadata': METADATA,
        'upload-concat': `final;${first} http://files.example${second}`,
      });
      await post(final(second, first, second));
      const turned = createHash('sha256').update('amount\nname,iban,amount\n').digest('hex');
      t.match(await latest(), { state: 'stored', sha256: turned }, 'again, and one of them twice');
    },
  );

  await t.test('a part says that it is one, and makes no upload', async (t) => {
    const before = await latest();
    const path = await create('Upload-Concat: partial', 'Upload-Length: 5');
    t.match((await tus('HEAD', path)).headers, { 'upload-concat': 'partial', 'upload-offset': '0' });
    t.match((await tus('HEAD', first)).headers, { 'upload-concat': 'partial', 'upload-offset': '10' });
    t.strictSame(await latest(), before);
  });

  await t.test('a final upload takes no PATCH, and no length', async (t) => {
    const { headers } = await post(final(first, second));
    const path = headers.location ?? '';
    isProblem(t, await patch(path, 17, 'x'), 403, 'final-upload');
    t.equal((await tus('HEAD', path)).headers['upload-offset'], '17');
    isProblem(t, await post(final(first), 'Upload-Length: 10'), 400, 'invalid-header');
    const bytes = await tus('POST', '/uploads/tus', [final(first), OFFSET_TYPE], 'x');
    isProblem(t, bytes, 403, 'final-upload');
  });

  await t.test('HEAD has no offset of a final upload that is being made, but its length', async (t) => {
    const { headers } = await post(final(first, second));
    const path = headers.location ?? '';
    await pool.query(
      `UPDATE tus_uploads SET state = 'open', received = 0, lease_until = now() + interval '9 s', lease = id WHERE id = $1`,
      [path.slice('/uploads/tus/'.length)],
    );
    await pool.query(`UPDATE uploads SET state = 'receiving', stored_at = NULL WHERE id = $1`, [
      path.slice('/uploads/tus/'.length),
    ]);
    const head = await tus('HEAD', path);
    t.equal(head.status, 200);
    t.notOk('upload-offset' in head.headers);
    t.equal(head.headers['upload-length'], '17');
  });

  await t.test("parts that are not whole, none, or somebody else's are refused", async (t) => {
    const open = await create('Upload-Concat: partial', 'Upload-Length: 5');
    isProblem(t, await post(final(first, open)), 409, 'upload-incomplete');
    const upload = await create('Upload-Length: 5');
    isProblem(t, await post(final(first, upload)), 400, 'invalid-header');
    const headers = [VERSION, final(first)];
    isProblem(
      t,
      await askAs({ method: 'POST', path: '/uploads/tus', headers }, 'bolt'),
      400,
      'invalid-header',
    );
    isProblem(t, await post('Upload-Concat: finale'), 400, 'invalid-header');
    const big = await part(`a,b\n${'x'.repeat(396)}`);
    isProblem(t, await post(final(big, big, big)), 413, 'content-too-large');
    const empty = await create('Upload-Concat: partial', 'Upload-Length: 0');
    isProblem(t, await post(final(empty)), 400, 'empty-file');
    t.equal((await post(final(first, empty, second))).status, 201, 'a part may be empty');
  });
});
