/** The configuration in a real HAProxy, in front of real gateways, and of servers that die at the worst moment. */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { RawClient, type RawResponse, request } from '../../gateway/test/raw-client.js';
import { FORM, notification, PASSWORD, startTestGateway, WEBHOOK_PATH } from '../../gateway/test/start.js';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../../storage/find-program.js';
import { freePort } from '../../storage/test-free-port.js';
import { startHaproxy } from '../test/haproxy.js';
import { machineFile } from '../test/machine-files.js';
import { askTls, makeCertificate } from '../test/tls.js';
import { type HaproxyEdge, haproxyConfig } from './haproxy-config.js';
import { SEVERAL_MACHINES } from './several-machines.js';

t.setTimeout(60_000);

async function ask(port: number, text: string, localAddress = '127.0.0.1'): Promise<RawResponse> {
  const client = await RawClient.open(port, localAddress);
  client.write(text);
  const response = await client.response();
  client.destroy();
  return response;
}

const webhook = (id: string, headers: readonly string[] = []) =>
  request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, ...headers], body: notification(id) });
const newId = () => randomUUID().replaceAll('-', '');

t.test('a node learns who asks, and no client can say that it is another', async (t) => {
  const { gateway } = await startTestGateway(t, {
    trustedProxies: ['127.0.0.1'],
    endpoints: [
      {
        name: 'emp',
        provider: 'emp',
        token: 'dev',
        secrets: [PASSWORD],
        actor: 'payment',
        networks: ['127.0.0.2'],
      },
    ],
  });
  const port = await startHaproxy(t, [gateway.port]);
  t.match(await ask(port, webhook(newId()), '127.0.0.2'), { status: 200 });
  t.match(await ask(port, webhook(newId()), '127.0.0.3'), { status: 403 });
  t.match(await ask(port, webhook(newId(), ['X-Forwarded-For: 127.0.0.2']), '127.0.0.3'), { status: 403 });
});

t.test('a node that drains costs no sender an error', async (t) => {
  const gateways = await Promise.all([0, 1].map(() => startTestGateway(t)));
  const port = await startHaproxy(
    t,
    gateways.map(({ gateway }) => gateway.port),
  );
  const statuses = new Map<number, number>();
  let stopped = false;
  const senders = Array.from({ length: 8 }, async () => {
    while (!stopped) {
      const { status } = await ask(port, webhook(newId()));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  const taken = (at: number) => gateways[at]?.partition.envelopes.length ?? 0;
  await until('both take some', () => taken(0) > 50 && taken(1) > 50);
  await gateways[0]?.gateway.drain(1_000);
  const then = taken(1);
  await until('the other one goes on', () => taken(1) > then + 200);
  gateways[0]?.gateway.close();
  const closed = taken(1);
  await until('and on', () => taken(1) > closed + 200);
  stopped = true;
  await Promise.all(senders);
  t.strictSame([...statuses.keys()], [200]);
});

t.test(
  'a node that goes between two checks costs no client an error that keeps its connection',
  async (t) => {
    const gateways = await Promise.all([0, 1].map(() => startTestGateway(t)));
    const ports = gateways.map(({ gateway }) => gateway.port);
    const port = await startHaproxy(t, ports, { check: { everyMs: 60_000, fall: 3 } });
    const clients = await Promise.all([0, 1, 2, 3].map(() => RawClient.open(port)));
    const ready = async () => {
      for (const client of clients) client.write(request({ path: '/readyz' }));
      return Promise.all(clients.map(async (client) => (await client.response()).status));
    };
    t.strictSame(await ready(), [200, 200, 200, 200]);
    await gateways[0]?.gateway.drain(1_000);
    t.strictSame(await ready(), [200, 200, 200, 200]);
    for (const client of clients) client.destroy();
  },
);

/** Takes requests and says no word: hangs up when one is whole, or answers. */
async function startServer(t: Test, answer: (head: string) => string | undefined) {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let text = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const head = /(?:GET|POST) [\s\S]*?\r\n\r\n/.exec(text)?.[0];
      if (head === undefined) return;
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (text.length < text.indexOf(head) + head.length + length) return;
      text = '';
      const isCheck = head.startsWith('GET /health ');
      if (!isCheck) heads.push(head.split(' HTTP')[0] ?? '');
      const said = isCheck ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' : answer(head);
      if (said === undefined) socket.destroy();
      else socket.write(said);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, heads };
}

t.test(
  'a node that dies with a request in hand: a webhook goes to another, an upload to no second one',
  async (t) => {
    const dying = await startServer(t, () => undefined);
    const { gateway, partition } = await startTestGateway(t);
    const port = await startHaproxy(t, [dying.port, gateway.port]);
    const upload = request({
      method: 'POST',
      path: '/uploads',
      headers: ['Content-Type: text/csv'],
      body: 'a;b\n',
    });
    const before = () => dying.heads.length;
    const reached = async (text: string) => {
      const seen = before();
      for (;;) {
        const { status } = await ask(port, text);
        if (before() > seen) return { status, times: before() - seen };
      }
    };
    t.strictSame(await reached(webhook(newId())), { status: 200, times: 1 });
    t.ok(partition.envelopes.length > 0);
    t.strictSame(
      await reached(upload),
      { status: 502, times: 1 },
      'it may have been kept: the client decides',
    );
  },
);

t.test('the first bytes of an answer are not held back', async (t) => {
  const { port: server } = await startServer(
    t,
    () =>
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n',
  );
  const port = await startHaproxy(t, [server]);
  const client = await RawClient.open(port);
  client.write(request({ path: '/uploads/x/events' }));
  t.match(await client.response(), { status: 200, headers: { 'content-type': 'text/event-stream' } });
  await until('the first event', () => client.hasMore);
  client.destroy();
});

t.test('the file for several machines is written from here, and is one', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tether-haproxy-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  t.equal(await machineFile('haproxy/haproxy.cfg'), haproxyConfig(SEVERAL_MACHINES));
  const { both } = await makeCertificate(directory);
  const file = join(directory, 'haproxy.cfg');
  const changes = {
    'gateway-1.internal': '127.0.0.1',
    'gateway-2.internal': '127.0.0.1',
    '/etc/haproxy/tether.pem': both,
  };
  await writeFile(file, await machineFile('haproxy/haproxy.cfg', changes));
  const { stderr } = await promisify(execFile)(findProgram('haproxy') ?? 'haproxy', ['-c', '-q', '-f', file]);
  t.equal(stderr, '', 'no warning either');
});

t.test('towards the internet it speaks TLS, shows what it should, and bounds each address', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tether-haproxy-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const { gateway, partition } = await startTestGateway(t, { trustedProxies: ['127.0.0.1'] });
  const { both } = await makeCertificate(directory);
  const [plain, operators] = [await freePort(), await freePort()];
  const log = join(directory, 'log');
  const edge: HaproxyEdge = {
    certificate: both,
    plainBind: `127.0.0.1:${plain}`,
    internalNetworks: ['127.0.0.1'],
    internalBind: `127.0.0.1:${operators}`,
    connectionsMax: 5,
    requestsMax: 20,
    webhookBytesMax: 1_000,
    uploadBytesMax: 2_000,
  };
  const port = await startHaproxy(t, [gateway.port], { directory, edge });
  const form = { method: 'POST', path: WEBHOOK_PATH, headers: [FORM] };
  const statusOf = async (asked: Omit<Parameters<typeof askTls>[0], 'port'>) =>
    (await askTls({ localAddress: '127.0.0.2', ...asked, port })).status;

  for (let n = 0; n < 40; n++) t.equal(await statusOf({ ...form, body: notification(newId()) }), 200);
  t.equal(partition.envelopes.length, 40, 'webhooks are not limited by their rate');
  t.equal(await statusOf({ ...form, body: 'x'.repeat(1_001) }), 413);
  t.equal(await statusOf({ method: 'POST', path: '/uploads', body: 'x'.repeat(2_001) }), 413);
  for (const path of ['/metrics', '/console', '/api/status', '/readyz', '/'])
    t.equal(await statusOf({ path }), 403, path);
  t.equal(await statusOf({ path: '/metrics', localAddress: '127.0.0.1' }), 200);
  const operator = { method: 'GET', path: '/metrics', headers: ['Connection: close'] };
  t.equal((await ask(operators, request(operator), '127.0.0.5')).status, 200, 'from any address');
  const answers: number[] = [];
  for (let n = 0; n < 25; n++) answers.push(await statusOf({ path: '/health', localAddress: '127.0.0.3' }));
  t.strictSame([answers.slice(0, 20), answers.at(-1)], [Array(20).fill(200), 429]);
  t.equal(await statusOf({ ...form, body: notification(newId()), localAddress: '127.0.0.3' }), 200);

  // One that is refused may hear it before it is connected.
  const clients = Array.from({ length: 9 }, () =>
    connect({ port, host: '127.0.0.1', localAddress: '127.0.0.4' }).on('error', () => undefined),
  );
  const closed = () => clients.filter((client) => client.closed).length;
  await until('those above the limit are refused', () => closed() === 4);
  for (const client of clients) client.destroy();
  await until('there is room again', () =>
    statusOf({ path: '/health', localAddress: '127.0.0.4' }).then(
      (status) => status === 200,
      () => false,
    ),
  );
  const redirect = await fetch(`http://127.0.0.1:${plain}${WEBHOOK_PATH}`, { redirect: 'manual' });
  t.equal(redirect.status, 308);
  t.match(await readFile(log, 'utf8'), /\/webhooks\/emp\/- 413/);
  t.notMatch(await readFile(log, 'utf8'), /webhooks\/emp\/dev/, 'the token is a secret');
});
