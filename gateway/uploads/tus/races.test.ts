/** What else may happen to an upload while a request writes to it, and what a request finds that comes after a crash. */
import { createHash, randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { objectKeyOf, TEXT_MEDIA_TYPE } from '../../../actors/upload/model.js';
import { LogFullError } from '../../../runtime/errors.js';
import { until } from '../../../runtime/testing/until.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { CSV, idOf, isProblem, startTus, VERSION } from './test/start-tus.js';

const postgres = await startTestPostgres(t);
let isLogFull = false;
const enqueued: string[] = [];
const server = await startTus(t, {
  postgres,
  parts: {
    enqueue: async (uploadId, type) => {
      if (isLogFull) throw new LogFullError('full');
      enqueued.push(`${type} ${uploadId}`);
    },
  },
});
const { tus, create, patch, begin, offset, left, client, askAs, pool, objects, uploads } = server;
const told = (path: string) => enqueued.filter((message) => message.includes(idOf(path)));
const SHA256 = createHash('sha256').update(CSV).digest('hex');

/** Until the request has the lease. */
const written = (path: string) =>
  until('a writer', async () => {
    const { rows } = await pool.query('SELECT FROM tus_uploads WHERE id = $1 AND lease_until > now()', [
      idOf(path),
    ]);
    return rows.length === 1;
  });

async function isStored(t: Test, path: string): Promise<void> {
  const upload = await uploads.get(idOf(path));
  t.match(upload, { state: 'stored', bytes: 17, sha256: SHA256, mediaType: TEXT_MEDIA_TYPE });
  const bytes = Buffer.concat(await (await objects.read(upload?.objectKey ?? '')).toArray());
  t.equal(bytes.toString(), CSV);
  t.strictSame(await left(path), [objectKeyOf(idOf(path))], 'and nothing else');
  t.strictSame(told(path), [`process ${idOf(path)}`], 'on the log, once');
}

t.test('two clients on one upload: one writes, the other is told so', async (t) => {
  const path = await create('Upload-Length: 17');
  const first = await begin(path, 0, 17, CSV.slice(0, 5));
  await written(path);
  isProblem(t, await patch(path, 0, CSV), 423, 'upload-locked');
  const second = patch(path, 0, CSV);
  t.match(await tus('HEAD', path), { status: 200, headers: { 'upload-offset': '0' } }, 'what is kept');
  first.write(CSV.slice(5));
  t.match(await first.response(), { status: 204, headers: { 'upload-offset': '17' } });
  isProblem(t, await second, 409, 'wrong-offset');
  t.equal(await offset(path), '17');
  await isStored(t, path);
});

t.test('who comes back while the request that broke is still being saved waits for it', async (t) => {
  const path = await create('Upload-Length: 17');
  const broken = await begin(path, 0, 17, CSV.slice(0, 5));
  await written(path);
  const again = patch(path, 0, CSV);
  broken.destroy();
  isProblem(t, await again, 409, 'wrong-offset');
  t.equal((await patch(path, 5, CSV.slice(5))).status, 204);
  await isStored(t, path);
});

t.test('a client that leaves in the middle finds what had arrived', async (t) => {
  const path = await create('Upload-Length: 17');
  for (const [from, end] of [
    [0, 5],
    [5, 6],
    [6, 11],
  ] as const) {
    const client = await begin(path, from, 17 - from, CSV.slice(from, end));
    await written(path);
    client.destroy();
    await until('the bytes', async () => (await offset(path)) === String(end));
    await until('the tail before it is gone', async () => (await left(path)).length === 1);
  }
  t.equal((await patch(path, 11, CSV.slice(11))).status, 204);
  await isStored(t, path);
});

t.test('a creation that is cut before its client knows of it leaves nothing', async (t) => {
  const cut = await client();
  cut.write(
    [
      'POST /uploads/tus HTTP/1.1',
      'Host: localhost',
      'Authorization: Bearer acme',
      VERSION,
      'Content-Type: application/offset+octet-stream',
      'Upload-Length: 17',
      'Content-Length: 17',
      '',
      CSV.slice(0, 5),
    ].join('\r\n'),
  );
  await until('a row', async () => (await server.latest())?.state === 'receiving');
  const id = (await server.latest())?.id ?? '';
  await written(`/uploads/tus/${id}`);
  cut.destroy();
  await until('its end', async () => (await uploads.get(id))?.state === 'failed');
  t.match(await uploads.get(id), { failure: { code: 'client-gone' } });
  await until('an empty store', async () => (await left(`/uploads/tus/${id}`)).length === 0);
});

t.test('while clients are silent', async (t) => {
  const cancelled = await create('Upload-Length: 17');
  const silent = await begin(cancelled, 0, 17, CSV.slice(0, 5));
  await written(cancelled);
  await uploads.cancel(idOf(cancelled));
  const moved = await create('Upload-Length: 17');
  const dead = await begin(moved, 0, 17, CSV.slice(0, 5));
  await written(moved);
  await patch(moved, 0, CSV);

  await until('the next renewal', async () => (await tus('HEAD', cancelled)).status === 410);
  isProblem(t, await silent.response(), 410, 'upload-gone');
  t.strictSame(await left(cancelled), [], 'cancelled, it is noticed');

  await until('what arrived', async () => (await offset(moved)) === '5');
  isProblem(t, await dead.response(), 423, 'upload-locked');
  t.equal(
    (await patch(moved, 5, CSV.slice(5))).status,
    204,
    'of a line that went dead, the client goes on by another',
  );
  await isStored(t, moved);
});

t.test('with a checksum, nothing is kept of a body that is cut', async (t) => {
  const path = await create('Upload-Length: 17');
  const cut = await client();
  const checksum = createHash('sha1').update(CSV).digest('base64');
  cut.write(
    [
      `PATCH ${path} HTTP/1.1`,
      'Host: localhost',
      'Authorization: Bearer acme',
      VERSION,
      'Content-Type: application/offset+octet-stream',
      'Upload-Offset: 0',
      `Upload-Checksum: sha1 ${checksum}`,
      'Content-Length: 17',
      '',
      CSV.slice(0, 5),
    ].join('\r\n'),
  );
  await written(path);
  cut.destroy();
  await until('the lease is given back', async () => {
    const { rows } = await pool.query('SELECT FROM tus_uploads WHERE id = $1 AND lease IS NULL', [
      idOf(path),
    ]);
    return rows.length === 1;
  });
  t.equal(await offset(path), '0');
});

t.test('of a writer that lost its lease nothing counts', async (t) => {
  const path = await create('Upload-Length: 17');
  await patch(path, 0, CSV.slice(0, 5));
  const before = await left(path);
  const first = await begin(path, 5, 5, CSV.slice(5, 7));
  await written(path);
  await pool.query(`UPDATE tus_uploads SET lease = $2 WHERE id = $1`, [idOf(path), randomUUID()]);
  first.write(CSV.slice(7, 10));
  isProblem(t, await first.response(), 423, 'upload-locked');
  t.strictSame(await left(path), before, 'the store has what it had');
  await pool.query('UPDATE tus_uploads SET lease_until = now() WHERE id = $1', [idOf(path)]);
  t.equal((await patch(path, 5, CSV.slice(5))).status, 204, 'whoever has it next goes on where the row says');
  await isStored(t, path);
});

t.test('what a writer put that died before it saved goes, whoever comes next', async (t) => {
  for (const next of ['HEAD', 'PATCH'] as const) {
    const path = await create('Upload-Length: 17');
    await objects.put(`${objectKeyOf(idOf(path))}.tail-left`, Buffer.from('name,'));
    await pool.query(
      `UPDATE tus_uploads SET lease = $2, lease_until = now() - interval '1 s' WHERE id = $1`,
      [idOf(path), randomUUID()],
    );
    // It gives the lease back: of the writer before nothing is known any more.
    if (next === 'HEAD') t.equal(await offset(path), '0');
    else t.equal((await patch(path, 0, '')).status, 204);
    t.equal((await patch(path, 0, CSV)).status, 204);
    await isStored(t, path);
  }
});

t.test('terminated, cancelled or removed while bytes come', async (t) => {
  const ends: [string, (path: string) => Promise<unknown>, object | undefined][] = [
    ['terminated', (path) => tus('DELETE', path), { state: 'failed', failure: { code: 'terminated' } }],
    ['cancelled', (path) => uploads.cancel(idOf(path)), { state: 'cancelling' }],
    [
      'failed, and removed',
      async (path) => {
        await uploads.failed(idOf(path), ['receiving'], 'expired', '');
        await uploads.remove(idOf(path));
      },
      undefined,
    ],
  ];
  for (const [what, end, wanted] of ends) {
    for (const length of [8, 12]) {
      await t.test(`${what}, ${length === 12 ? 'by the last bytes' : 'in the middle'}`, async (t) => {
        const path = await create('Upload-Length: 17');
        await patch(path, 0, CSV.slice(0, 5));
        const client = await begin(path, 5, length, CSV.slice(5, 7));
        await written(path);
        await end(path);
        client.write(CSV.slice(7, 5 + length));
        const answer = await client.response();
        isProblem(t, answer, 410, 'upload-gone');
        t.equal((await tus('HEAD', path)).status, 410);
        const upload = await uploads.get(idOf(path));
        if (wanted === undefined) t.equal(upload, undefined);
        else t.match(upload, wanted);
        t.strictSame(await left(path), []);
      });
    }
  }
});

t.test('another client sees nothing of it', async (t) => {
  const path = await create('Upload-Length: 17');
  const headers = [VERSION, 'Content-Type: application/offset+octet-stream', 'Upload-Offset: 0'];
  for (const method of ['HEAD', 'PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? { body: CSV } : {};
    t.equal((await askAs({ method, path, headers, ...body }, 'bolt')).status, 404, method);
    t.equal((await askAs({ method, path: `${path}x`, headers, ...body })).status, 404, `${method} of no id`);
    t.equal(
      (await askAs({ method, path, headers, ...body }, 'acme-reader')).status,
      403,
      `${method} by a reader`,
    );
  }
  t.equal(await offset(path), '0');
  t.equal((await askAs({ method: 'HEAD', path, headers }, 'boss')).status, 200);
});

t.test('a file that is no table is refused, and nothing of it is left', async (t) => {
  const png = `\x89PNG\r\n\x1a\n${'\0'.repeat(42)}`;
  for (const [what, lengths] of [
    ['at once', [50]],
    ['when its end shows it', [4, 46]],
  ] as const) {
    await t.test(what, async (t) => {
      const path = await create('Upload-Length: 50');
      let offset = 0;
      let status = 0;
      for (const length of lengths) {
        const client = await begin(path, offset, length, '');
        await client.flush(Buffer.from(png, 'latin1').subarray(offset, offset + length));
        offset += length;
        status = (await client.response()).status;
      }
      t.equal(status, 415);
      t.match(await uploads.get(idOf(path)), { state: 'failed', failure: { code: 'not-a-table' } });
      t.equal((await tus('HEAD', path)).status, 410);
      t.strictSame(await left(path), []);
      t.strictSame(told(path), []);
    });
  }
});

t.test('after a crash, whoever comes next finishes what is whole', async (t) => {
  /** Each leaves an upload as a crash would. */
  const crashes: Record<string, (path: string) => Promise<void>> = {
    'all bytes saved, no object': async (path) => {
      await patch(path, 0, CSV);
      await pool.query('UPDATE tus_uploads SET length = received WHERE id = $1', [idOf(path)]);
    },
    'the object is whole': async (path) => {
      await patch(path, 0, CSV.slice(0, 5));
      await objects.put(objectKeyOf(idOf(path)), Buffer.from(CSV));
      await pool.query('UPDATE tus_uploads SET lease = $2, lease_until = now() WHERE id = $1', [
        idOf(path),
        randomUUID(),
      ]);
    },
    'the upload is stored': async (path) => {
      await objects.put(objectKeyOf(idOf(path)), Buffer.from(CSV));
      await uploads.stored(idOf(path), { bytes: 17, sha256: SHA256, mediaType: TEXT_MEDIA_TYPE });
    },
  };
  for (const [what, crash] of Object.entries(crashes)) {
    await t.test(`${what}: HEAD`, async (t) => {
      const path = await create('Upload-Defer-Length: 1');
      await crash(path);
      t.match(await tus('HEAD', path), {
        status: 200,
        headers: { 'upload-offset': '17', 'upload-length': '17' },
      });
      await isStored(t, path);
      await tus('HEAD', path);
      t.equal(told(path).length, 1, 'once');
    });
    await t.test(`${what}: PATCH`, async (t) => {
      const path = await create('Upload-Defer-Length: 1');
      await crash(path);
      const answer = await patch(path, 5, CSV.slice(5), 'Upload-Length: 17');
      isProblem(t, answer, 409, 'wrong-offset');
      t.match(await patch(path, 17, ''), { status: 204, headers: { 'upload-offset': '17' } });
      await isStored(t, path);
    });
  }

  await t.test('a part', async (t) => {
    const path = await create('Upload-Defer-Length: 1', 'Upload-Concat: partial');
    await objects.put(`partials/${idOf(path)}`, Buffer.from(CSV));
    await pool.query('UPDATE tus_uploads SET lease = id, lease_until = now() WHERE id = $1', [idOf(path)]);
    t.match(await tus('HEAD', path), { headers: { 'upload-offset': '17', 'upload-length': '17' } });
    t.equal((await tus('POST', '/uploads/tus', [`Upload-Concat: final;${path}`])).status, 201);
  });
});

t.test('while the last steps are under way, nobody is told that it is complete', async (t) => {
  const path = await create('Upload-Defer-Length: 1');
  await patch(path, 0, CSV);
  await pool.query(
    `UPDATE tus_uploads SET length = received, lease = id, lease_until = now() + interval '9 s' WHERE id = $1`,
    [idOf(path)],
  );
  const head = await tus('HEAD', path);
  t.equal(head.status, 423);
  t.notOk('upload-offset' in head.headers);
});

t.test('a full log: the upload is whole, and acknowledged when it is on the log', async (t) => {
  isLogFull = true;
  t.teardown(() => {
    isLogFull = false;
  });
  const path = await create('Upload-Length: 17');
  isProblem(t, await patch(path, 0, CSV), 503, 'log-full');
  t.equal((await tus('HEAD', path)).status, 423, 'still; with 503 a client would begin anew');
  isLogFull = false;
  t.match(await tus('HEAD', path), { status: 200, headers: { 'upload-offset': '17' } });
  await isStored(t, path);
});

t.test('a multipart that the store has lost ends the upload', async (t) => {
  const path = await create('Upload-Length: 17');
  await patch(path, 0, CSV.slice(0, 5));
  await pool.query(`UPDATE tus_uploads SET tail_key = tail_key || '0' WHERE id = $1`, [idOf(path)]);
  isProblem(t, await patch(path, 5, CSV.slice(5)), 410, 'upload-gone');
  t.match(await uploads.get(idOf(path)), { state: 'failed', failure: { code: 'lost' } });
});
