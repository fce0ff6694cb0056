import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { silentLogger } from '../runtime/logger.js';
import { until } from '../runtime/testing/until.js';
import { GatewayMetrics } from './metrics.js';
import { type GatewayOptions, startGateway } from './server.js';
import { request } from './test/raw-client.js';
import { FORM, notification, startTestGateway, WEBHOOK_PATH } from './test/start.js';

const SIGNED = notification('aa01');
const webhook = request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM], body: SIGNED });

t.test('a port has one gateway', async (t) => {
  const { gateway } = await startTestGateway(t);
  await t.rejects(startTestGateway(t, { port: gateway.port }), {
    name: 'PortBusyError',
    code: 'TETHER_PORT_BUSY',
    host: '127.0.0.1',
    port: gateway.port,
    message: `another process listens on 127.0.0.1 port ${gateway.port}`,
  });
  const other = spawnSync(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { startTestGateway } from ${JSON.stringify(new URL('./test/start.js', import.meta.url).href)};
     startTestGateway({ teardown() {} }, { port: ${gateway.port} }).then(
       () => process.exit(0), (error) => { console.log(error.code); process.exit(3); });`,
  ]);
  t.equal(other.stdout.toString().trim(), 'TETHER_PORT_BUSY', 'nor does another process get it');
  t.equal(other.status, 3);
});

t.test('a port that another server has is busy', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await t.rejects(startTestGateway(t, { port }), { code: 'TETHER_PORT_BUSY', port });
});

t.test('an address of another machine cannot be listened on', async (t) => {
  await t.rejects(startTestGateway(t, { host: '192.0.2.1' }), { code: 'TETHER_LISTEN', host: '192.0.2.1' });
});

t.test('options that make no sense are refused, and no secret is in the message', async (t) => {
  const good = { name: 'emp', provider: 'emp', token: 'dev', secrets: ['hush'], actor: 'payment' } as const;
  const wrong: Record<string, Partial<GatewayOptions>> = {
    'endpoint emp is defined twice': { endpoints: [good, good] },
    'a name is of the form': { endpoints: [{ ...good, name: 'a/b' }] },
    'the token is not of the form': { endpoints: [{ ...good, token: 'hush hush' }] },
    'secrets: needs at least one secret: an API password': { endpoints: [{ ...good, secrets: [] }] },
    'no empty one': { endpoints: [{ ...good, secrets: ['hush', ''] }] },
    'takes at most 16 secrets': { endpoints: [{ ...good, secrets: Array(17).fill('hush') }] },
    'there is no provider "strip"; there are emp, standard-webhooks, stripe,': {
      endpoints: [{ ...good, provider: 'strip' }],
    },
    'secrets: begins with whsec_': { endpoints: [{ ...good, provider: 'stripe' }] },
    'options.toleranceSeconds: is at least 1': {
      endpoints: [{ ...good, provider: 'stripe', secrets: ['whsec_x'], options: { toleranceSeconds: 0 } }],
    },
    'options: is empty: the provider emp has no options': {
      endpoints: [{ ...good, options: { key: 'hush' } }],
    },
    'order: emp knows key only': { endpoints: [{ ...good, order: 'none' }] },
    'an actor, for emp': { endpoints: [{ name: 'emp', provider: 'emp', token: 'dev', secrets: ['hush'] }] },
    'options.unsigned: is true: with the provider none, whoever knows the path may send': {
      endpoints: [{ ...good, provider: 'none', secrets: [] }],
    },
    'secrets: the provider takes no secrets': {
      endpoints: [{ ...good, provider: 'none', options: { unsigned: true } }],
    },
    'networks: "10.0.0.0/33" is no network': { endpoints: [{ ...good, networks: ['10.0.0.0/33'] }] },
    'trustedProxies: "proxy" is no network': { trustedProxies: ['proxy'] },
    'actor payment has no partitions': { partitions: () => [] },
  };
  for (const [message, options] of Object.entries(wrong)) {
    const error = await startTestGateway(t, options).catch((error: unknown) => error);
    t.match(error, { code: 'TETHER_GATEWAY_OPTION' }, message);
    t.ok(String(error).includes(message), String(error));
    t.notMatch(String(error), 'hush', message);
  }
});

t.test('only what exists is found, and by its method', async (t) => {
  const { ask, metrics } = await startTestGateway(t);
  const wrongToken = ['/webhooks/emp/def', '/webhooks/emp/devv', '/webhooks/emp/de', '/webhooks/emp/DEV'];
  const unknownName = ['/webhooks/other/dev', '/webhooks/__proto__/dev', '/webhooks/emp/no%20endpoint'];
  for (const path of [...wrongToken, ...unknownName]) {
    const response = await ask({ method: 'POST', path, headers: [FORM], body: SIGNED });
    t.match(response, { status: 404, headers: { 'content-type': 'application/problem+json' } }, path);
    t.match(JSON.parse(response.body), {
      type: 'urn:tether:problem:not-found',
      title: 'Not Found',
      status: 404,
    });
  }
  t.equal(metrics.unknownEndpoint, wrongToken.length + unknownName.length);
  for (const path of ['/', '/webhooks/emp', '/webhooks/emp/dev/', '/webhooks', '/livezz', '/api', '/%00']) {
    t.match(await ask({ path }), { status: 404 }, path);
    t.match(await ask({ method: 'POST', path, body: 'x' }), { status: 404 }, `POST ${path}`);
  }
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const response = await ask({ method, path: WEBHOOK_PATH });
    t.match(response, { status: 405, headers: { allow: 'POST' } }, method);
    t.match(JSON.parse(response.body), { type: 'urn:tether:problem:method-not-allowed' });
  }
  t.match(await ask({ method: 'POST', path: '/livez', body: '' }), {
    status: 405,
    headers: { allow: 'GET, HEAD' },
  });
});

t.test('a HEAD has no body', async (t) => {
  const { client } = await startTestGateway(t);
  const kept = await client();
  for (const [path, status] of [
    ['/livez', 200],
    ['/readyz', 200],
    ['/metrics', 200],
    [WEBHOOK_PATH, 405],
    ['/x', 404],
  ]) {
    kept.write(request({ method: 'HEAD', path: String(path) }) + request({ path: '/livez' }));
    t.match(await kept.response({ head: true }), { status }, String(path));
    t.match(await kept.response(), { status: 200, body: 'live' }, 'the next answer comes right behind');
  }
});

t.test('another media type is refused', async (t) => {
  const { post, partition } = await startTestGateway(t);
  for (const headers of [
    [],
    ['Content-Type: application/json'],
    [`${FORM}x`],
    ['Content-Type: multipart/form-data'],
  ]) {
    const response = await post(SIGNED, headers);
    t.equal(response.status, 415, headers.join());
    t.match(JSON.parse(response.body), {
      type: 'urn:tether:problem:unsupported-media-type',
      detail: 'the endpoint takes application/x-www-form-urlencoded',
    });
  }
  t.equal(partition.envelopes.length, 0);
});

t.test('what is not HTTP/1.1 is refused before it is a request', async (t) => {
  const { client, metrics } = await startTestGateway(t);
  const head = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: a\r\n${FORM}\r\n`;
  for (const [bytes, status] of [
    ['GET /livez HTTP/1.0\r\nHost: a\r\n\r\n', 505],
    ['garbage\r\n\r\n', 505],
    [`${head}Content-Length: few\r\n\r\nx`, 400],
    [`${head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ] as const) {
    const broken = await client();
    broken.write(bytes);
    t.match(await broken.response(), { status, headers: { connection: 'close' } }, JSON.stringify(bytes));
    await broken.closed();
  }
  t.match(metrics.endpoint('emp'), { malformed: 0, tooLarge: 0, unsupportedMediaType: 0 }, 'not counted');
});

t.test('a coded body is no notification; the header alone changes nothing', async (t) => {
  const { post, partition, client } = await startTestGateway(t);
  const coded = [FORM, 'Content-Encoding: gzip'];
  const zipped = gzipSync(SIGNED);
  const sender = await client();
  const headers = [...coded, `Content-Length: ${zipped.length}`];
  sender.write(request({ method: 'POST', path: WEBHOOK_PATH, headers }));
  sender.write(zipped);
  t.match(await sender.response(), { status: 400 });
  t.match(await post(SIGNED, coded), { status: 200 });
  t.equal(partition.envelopes.length, 1);
});

t.test('a URL of any length is answered', async (t) => {
  const { ask } = await startTestGateway(t);
  t.match(await ask({ path: `/${'a'.repeat(3000)}` }), { status: 404 });
  const response = await ask({ path: `/${'a'.repeat(100_000)}` });
  t.ok(response.status >= 400 && response.status < 500, `${response.status}`);
});

t.test('one that leaves says so and takes everything', async (t) => {
  const { gateway, client } = await startTestGateway(t);
  const before = await client();
  gateway.leave();
  const [looks, sends] = [await client(), await client()];
  looks.write(request({ path: '/health' }));
  const unready = await looks.response();
  t.match(unready, { status: 503, headers: { connection: 'close' } });
  t.match(JSON.parse(unready.body), { status: 'unready', checks: { gateway: 'leaving' } });
  for (const each of [before, sends]) {
    each.write(webhook);
    t.match(await each.response(), { status: 200, headers: { connection: 'close' } });
    await each.closed();
  }
  await gateway.drain(1000);
  await t.rejects(client(), { code: 'ECONNREFUSED' });
});

t.test('draining', async (t) => {
  const { gateway, partition, metrics, client } = await startTestGateway(t);
  const [waiting, reading, kept, upload] = [await client(), await client(), await client(), await client()];
  partition.behaviour = 'hold';
  waiting.write(webhook);
  reading.write(webhook.slice(0, -1));
  for (const client of [kept, upload]) {
    client.write(request({ path: '/livez' }));
    await client.response();
  }
  await until('both requests', () => partition.held.length === 1 && gateway.pending === 2);

  let drained = false;
  const drain = gateway.drain(5000).then(() => {
    drained = true;
  });
  await t.rejects(client(), { code: 'ECONNREFUSED' }, 'nothing listens any more');

  kept.write(request({ path: '/readyz' }));
  const unready = await kept.response();
  t.match(unready, { status: 503, headers: { connection: 'close' } });
  t.match(JSON.parse(unready.body), { status: 'unready', checks: { log: 'ok', gateway: 'draining' } });
  await kept.closed();

  upload.write(webhook);
  const refused = await upload.response();
  t.match(refused, { status: 503, headers: { connection: 'close', 'retry-after': /^[0-9]+$/ } });
  t.match(JSON.parse(refused.body), { type: 'urn:tether:problem:draining' });
  t.equal(metrics.endpoint('emp').draining, 1);

  t.notOk(drained);
  reading.write(webhook.slice(-1));
  await until('the request that had begun', () => partition.held.length === 2);
  t.notOk(drained);
  partition.release();
  for (const client of [waiting, reading]) {
    t.match(await client.response(), { status: 200, headers: { connection: 'close' } });
    await client.closed();
  }
  await drain;
  t.equal(gateway.pending, 0);
  gateway.close();
  gateway.close();
  await gateway.drain(1);
});

t.test('draining ends at its deadline, and closing ends every connection', async (t) => {
  const { gateway, partition, client } = await startTestGateway(t);
  partition.behaviour = 'hold';
  const [waiting, idle] = [await client(), await client()];
  waiting.write(webhook);
  await until('the append', () => partition.held.length === 1);
  await gateway.drain(20);
  t.equal(gateway.pending, 1);
  gateway.close();
  await Promise.all([waiting.closed(), idle.closed()]);
  t.equal(gateway.pending, 1, 'the append goes on');
  partition.release();
  t.equal(gateway.pending, 0);
});

t.test('nothing keeps the process alive after closing', async (t) => {
  const script = `
    import { startTestGateway } from ${JSON.stringify(new URL('./test/start.js', import.meta.url).href)};
    const { gateway, post } = await startTestGateway({ teardown() {} });
    console.log((await post('nonsense')).status);
    await gateway.drain(1000);
    gateway.close();`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { timeout: 10_000 });
  t.match({ status: child.status, out: child.stdout.toString() }, { status: 0, out: '400' });
});

t.test('two gateways in one process are apart', async (t) => {
  const [one, two] = [await startTestGateway(t), await startTestGateway(t)];
  await one.post(SIGNED);
  t.same([one.partition.envelopes.length, two.partition.envelopes.length], [1, 0]);
  await t.rejects(
    startGateway({
      host: '127.0.0.1',
      port: 0,
      endpoints: [],
      partitions: () => [],
      readiness: () => ({ ready: true, checks: {} }),
      trustedProxies: [],
      proxyProtocol: false,
      metrics: one.metrics,
      logger: silentLogger,
      now: Date.now,
    }),
    /already been registered/,
    'but not with the same metrics',
  );
  t.ok(new GatewayMetrics({ processMetrics: false }).registry !== one.metrics.registry);
});
