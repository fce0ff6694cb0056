import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { DependencyCalls } from '../../../runtime/measure/dependency-calls.js';
import { bytesOf, testObjectStore } from '../contract.js';
import { openObjectStore } from '../open.js';
import { startTestS3Server } from '../test-s3-server.js';

t.test('s3', async (t) => {
  const server = await startTestS3Server(t);
  const urlOf = () => server.url(`bucket/${`t${randomUUID()}`}`);
  const open = async (t: Test, url = urlOf()) => {
    const store = await openObjectStore({ driver: 's3', url });
    t.teardown(() => store.close());
    return store;
  };
  await (await open(t)).prepare();
  testObjectStore(t, (t) => open(t));

  t.test('prepare makes the bucket, by many at once too', async (t) => {
    const url = server.url('another-bucket/some/where');
    const stores = await Promise.all([open(t, url), open(t, url), open(t, url)]);
    await Promise.all(stores.map((store) => store.prepare()));
    await stores[0]?.put('a', Buffer.from('x'));
    t.equal((await stores[1]?.list('', { limit: 10 }))?.length, 1, 'and leaves nothing in it');
    const whole = await open(t, server.url('another-bucket'));
    t.strictSame(
      (await whole.list('some/', { limit: 10 })).map(({ key }) => key),
      ['some/where/a'],
    );
  });

  t.test('calls are told of; that an object is not there is no failure', async (t) => {
    const store = await open(t);
    const calls = new DependencyCalls();
    calls.listen();
    t.teardown(() => calls.close());
    const counted = () => {
      const { times, failures } = calls.stats().find(({ dependency }) => dependency === 's3') ?? {};
      return [times?.counts.reduce((a, b) => a + b, 0), failures];
    };
    await store.put('a', Buffer.from('x'));
    t.equal(await store.stat('b'), undefined);
    await t.rejects(store.read('b'), { code: 'TETHER_OBJECT_NOT_FOUND' });
    t.strictSame(counted(), [3, 0]);
    const lost = await open(t, server.url('no-such-bucket'));
    await t.rejects(lost.put('a', Buffer.from('x')));
    t.strictSame(counted(), [4, 1]);
  });

  t.test('a store without prepare, whose bucket is not there', async (t) => {
    const store = await openObjectStore({ driver: 's3', url: server.url('no-such-bucket') });
    t.teardown(() => store.close());
    const away = { code: 'TETHER_OBJECTS_UNAVAILABLE', message: /bucket is not there/ };
    await t.rejects(store.put('a', Buffer.from('x')), away);
    await t.rejects(store.read('a'), away);
    await t.rejects(store.list('', { limit: 1 }), away);
  });

  t.test('a wrong secret is refused, and not told', async (t) => {
    const url = urlOf().replace('testing-secret-1', 'not-the-secret');
    const store = await openObjectStore({ driver: 's3', url });
    t.teardown(() => store.close());
    const calls = [
      () => store.prepare(),
      () => store.put('a', Buffer.from('x')),
      () => store.read('a'),
      () => store.stat('a'),
    ];
    for (const call of calls) {
      const error = await call().catch((error) => error);
      t.match(error, { code: 'TETHER_OBJECT_REFUSED', message: /secret key is wrong/ });
      const told = JSON.stringify({ ...error, text: String(error), stack: error.stack });
      t.notMatch(told, /not-the-secret|Signature=/);
    }
  });

  t.test('a client puts an object, and parts of one, by presigned URLs', async (t) => {
    const store = await open(t);
    const { presigner } = store;
    if (presigner === undefined) throw new Error('s3 has a presigner');
    const put = async (url: string, body: string) => {
      const answer = await request(url, { method: 'PUT', body });
      await answer.body.dump();
      return answer;
    };
    const url = await presigner.put('uploads/direct', 60);
    t.equal((await put(url, 'direct')).statusCode, 200);
    t.equal(String(await bytesOf(store.read('uploads/direct'))), 'direct');

    const multipart = await store.beginMultipart('uploads/parts');
    const answer = await put(await presigner.part('uploads/parts', multipart, 1, 60), 'a part');
    t.equal(answer.statusCode, 200);
    const parts = await store.listParts('uploads/parts', multipart);
    t.match(parts, [{ number: 1, bytes: 6 }]);
    t.equal(String(answer.headers.etag).replaceAll('"', ''), parts[0]?.etag);
    await store.completeMultipart('uploads/parts', multipart, parts);
    t.equal(String(await bytesOf(store.read('uploads/parts'))), 'a part');

    const other = url.replace('uploads/direct', 'uploads/other');
    t.equal((await put(other, 'x')).statusCode, 403, 'for another object');
    t.equal(
      (await put(url.replace(/Signature=./, 'Signature=x'), 'x')).statusCode,
      403,
      'a changed signature',
    );
    t.equal((await put(url.replace('Expires=60', 'Expires=6000'), 'x')).statusCode, 403, 'a longer time');
    t.equal(await store.stat('uploads/other'), undefined);
    for (const seconds of [0, 604_801, 1.5]) await t.rejects(presigner.put('a', seconds), RangeError);
    await t.rejects(presigner.put('../a', 60), { code: 'TETHER_OBJECT_REFUSED' });
  });

  t.test('a presigned URL expires', async (t) => {
    const store = await open(t);
    const url = await store.presigner?.put('uploads/late', 1);
    const end = Date.now() + 10_000;
    let status = 200;
    while (status === 200 && Date.now() < end) {
      const answer = await request(url ?? '', { method: 'PUT', body: 'x' });
      await answer.body.dump();
      status = answer.statusCode;
    }
    t.equal(status, 403);
  });
});
