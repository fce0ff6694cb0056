/** `protocol.test.ts` goes on: expiration, checksum, termination, concatenation. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import type { RawResponse } from '../../test/raw-client.js';
import { CSV, idOf, isProblem, OFFSET_TYPE, startTus, VERSION } from './test/start-tus.js';

const postgres = await startTestPostgres(t);
const LIMITS = { textBytesMax: 1000, xlsxBytesMax: 500 };
const METADATA = `filename ${Buffer.from('debtors.csv').toString('base64')},is_confidential`;
const base64 = (algorithm: string, bytes: string) => createHash(algorithm).update(bytes).digest('base64');

const { tus, askAs, create, patch, offset, part, latest, pool, left } = await startTus(t, {
  postgres,
  parts: { limits: LIMITS },
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
