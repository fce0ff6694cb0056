/** With a real S3 server: what a node needs is tried, a public bucket is found, and the probe is gone. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { S3ObjectStore } from '../../storage/objects/s3/s3-store.js';
import { parseS3Url } from '../../storage/objects/s3/url.js';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { freePort } from '../../storage/test-free-port.js';
import { clockChecks } from './clocks.js';
import { objectChecks } from './objects.js';
import { checkOf, find } from './test/find.js';

t.setTimeout(60_000);

const check = (id: string, url: string) => find(checkOf(objectChecks, id), { TETHER_S3_URL: url });

t.test('an object store', async (t) => {
  const server = await startTestS3Server(t);
  const url = server.url('doctor/some/where');
  const { location } = parseS3Url(url);
  if (location === undefined) throw new Error('no URL');
  const store = new S3ObjectStore(location);
  t.teardown(() => store.close());
  const probes = async () => (await store.list('probe/', { limit: 10 })).map(({ key }) => key);

  t.match(await check('s3-use', url), {
    outcome: 'failed',
    found: /bucket is not there/,
    advice: /make the bucket .*doctor/,
  });
  t.match(await check('s3-private', url), { outcome: 'skipped', found: /s3-use/ });
  await store.prepare();
  t.match(await check('s3-use', url), { outcome: 'ok', found: /bucket .*doctor/ });
  t.match(await check('s3-private', url), { outcome: 'ok' });
  t.match(await check('s3-tls', url), { outcome: 'ok', found: /this machine alone/ });
  t.strictSame(await probes(), [], 'no probe is left');

  const wrong = url.replace('testing-secret-1', 'not-the-secret');
  t.match(await check('s3-use', wrong), { outcome: 'failed', found: /secret key is wrong/ });
  t.notMatch(JSON.stringify(await check('s3-use', wrong)), /not-the-secret/);

  t.match(await find(checkOf(clockChecks, 'clock-s3'), { TETHER_S3_URL: url }), {
    outcome: 'ok',
    found: /object store/,
  });

  t.test('a stranger who may read, list, write', async (t) => {
    const policies = [['GET'], ['GET', 'PUT']] as const;
    for (const allowed of policies) {
      const open = new URL(url);
      open.port = `${await publicDoor(t, server.port, allowed)}`;
      t.match(await check('s3-private', open.href), {
        outcome: 'failed',
        found: allowed.length === 1 ? /may read and list what/ : /may read and list and change what/,
        advice: /public/,
      });
    }
    t.strictSame(await probes(), []);
  });

  t.test('interrupted in the middle of the probe', async (t) => {
    const proxy = await startFaultProxy(t, server.port);
    const through = new URL(url);
    through.port = `${proxy.port}`;
    await proxy.set({ kind: 'slow', bytesPerSecond: 2_000 });
    const interrupt = new AbortController();
    const looking = find(
      checkOf(objectChecks, 's3-use'),
      { TETHER_S3_URL: through.href },
      { signal: interrupt.signal },
    );
    while (proxy.bytes === 0) await new Promise((resolve) => setImmediate(resolve));
    interrupt.abort();
    await proxy.set({ kind: 'pass' });
    t.match(await looking, { outcome: 'skipped', found: /interrupted/ });
    t.strictSame(await probes(), [], 'nothing is left of it');
  });
});

t.test('nobody there, or nothing that could be', async (t) => {
  const away = `http://access:a-secret-of-some-length@127.0.0.1:${await freePort()}/bucket`;
  t.match(await check('s3-use', away), { outcome: 'failed', advice: /TETHER_S3_URL/ });
  t.match(await check('s3-private', away), { outcome: 'skipped' });
  t.match(await find(checkOf(clockChecks, 'clock-s3'), { TETHER_S3_URL: away }), { outcome: 'skipped' });
  t.match(await find(checkOf(objectChecks, 's3-use'), {}), { outcome: 'skipped', found: /not set/ });
  const far = 'http://access:a-secret-of-some-length@192.0.2.1/bucket';
  t.match(await check('s3-tls', far), { outcome: 'warning', advice: /https/ });
  t.match(await check('s3-tls', far.replace('http:', 'https:')), { outcome: 'ok' });
});

/**
 * A door to the server that lets strangers in, as a bucket with a public policy does: the test's own server knows no such policy.
 * What is signed goes through unchanged.
 */
async function publicDoor(t: Test, port: number, allowed: readonly string[]): Promise<number> {
  const door = createServer((req, res) => {
    const { method = 'GET', url, headers } = req;
    if (headers.authorization === undefined) {
      req.resume();
      res.writeHead(allowed.includes(method) ? 200 : 403).end();
      return;
    }
    const through = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    req.pipe(through);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  t.teardown(async () => {
    door.closeAllConnections();
    door.close();
  });
  return (door.address() as AddressInfo).port;
}
