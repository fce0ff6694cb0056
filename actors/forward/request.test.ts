/** How an attempt ends, whatever the other side does, with real sockets. */
import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { resetSocket } from '../../storage/test-reset-socket.js';
import { parseNetwork } from './addresses.js';
import { Client, type ClientOptions } from './request.js';
import { sign } from './signature.js';
import { secretBytes } from './target-settings.js';
import { CERTIFICATE, KEY } from './test/certificate.js';
import { type Answer, OTHER_SECRET, openReceiver, SECRET, status } from './test/receiver.js';

const LOOPBACK = [parseNetwork('127.0.0.0/8')].filter((each) => each !== undefined);

async function post(
  url: string,
  options: Partial<ClientOptions> = {},
  signal = new AbortController().signal,
) {
  const client = new Client({
    url,
    timeoutMs: 300,
    connections: 2,
    networks: LOOPBACK,
    ca: undefined,
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    ...options,
  });
  const body = Buffer.from('{"a": 1}');
  const headers = sign('msg_1', Date.now(), body, [secretBytes(OTHER_SECRET), secretBytes(SECRET)]);
  const begun = performance.now();
  const ended = await client.post({ ...headers, authorization: 'Bearer x' }, body, signal);
  const ms = performance.now() - begun;
  await client.close();
  return { ended, ms };
}

const receiver = await openReceiver(t);
async function answeredBy(answer: Answer, options: Partial<ClientOptions> = {}) {
  receiver.answer = answer;
  return post(receiver.url, options);
}

t.test('signed with each secret: who has one of them can verify', async (t) => {
  const other = await openReceiver(t, status(201), { secret: OTHER_SECRET });
  t.match((await post(receiver.url)).ended, { is: 'answered', status: 204 });
  t.match((await post(other.url)).ended, { is: 'answered', status: 201 });
  t.match(receiver.received.at(-1), {
    body: '{"a": 1}',
    path: '/in',
    headers: { authorization: 'Bearer x', 'content-length': '8' },
  });
});

t.test('an answer is its status; a redirect is one', async (t) => {
  const trap = await openReceiver(t);
  for (const code of [200, 301, 302, 307, 308, 404, 410, 500]) {
    const { ended } = await answeredBy(status(code, { location: trap.url }));
    t.strictSame(ended, { is: 'answered', status: code, retryAfter: undefined });
  }
  t.equal(trap.received.length, 0, 'nothing is followed');
  const { ended } = await answeredBy(status(429, { 'retry-after': '7' }));
  t.strictSame(ended, { is: 'answered', status: 429, retryAfter: '7' });
});

t.test('a body without an end costs no memory, and no more time than there is', async (t) => {
  let sent = 0;
  const { ended, ms } = await answeredBy(
    (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
    { timeoutMs: 2_000 },
  );
  t.match(ended, { is: 'answered', status: 200 });
  t.ok(ms < 2_000, `${ms} ms`);
  t.ok(sent < 16 * 1_048_576, `${sent} bytes were sent`);
  const trickled = await answeredBy((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('.'), 20);
    response.on('close', () => clearInterval(timer));
  });
  t.match(trickled.ended, { is: 'answered', status: 200 }, 'the status stands');
  t.ok(trickled.ms < 2_000);
});

t.test('no answer: nobody there, nothing said, cut off, no HTTP', async (t) => {
  const ended: Record<string, (socket: Socket) => void> = {
    UND_ERR_SOCKET: (socket) => socket.once('data', () => socket.end()),
    ECONNRESET: (socket) => socket.once('data', () => resetSocket(socket)),
    HTTPParserError: (socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n\r\n')),
    UND_ERR_HEADERS_OVERFLOW: (socket) =>
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)),
    timeout: (socket) => socket.resume(),
  };
  for (const [reason, act] of Object.entries(ended)) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      act(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const end = await post(`http://127.0.0.1:${port}/`);
    t.strictSame(end.ended, { is: 'unreachable', reason });
    t.ok(end.ms < 2_000, reason);
    await new Promise((resolve) => server.close(resolve));
    if (reason === 'timeout') {
      t.strictSame((await post(`http://127.0.0.1:${port}/`)).ended, {
        is: 'unreachable',
        reason: 'ECONNREFUSED',
      });
    }
  }
});

t.test('a lookup that fails, or never ends', async (t) => {
  const failing = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  t.strictSame((await post('http://hooks.example/', { resolve: () => Promise.reject(failing) })).ended, {
    is: 'unreachable',
    reason: 'ENOTFOUND',
  });
  t.strictSame((await post('http://hooks.example/', { resolve: () => new Promise(() => {}) })).ended, {
    is: 'unreachable',
    reason: 'timeout',
  });
});

t.test('an end that comes from here is none of the other side', async (t) => {
  receiver.answer = () => {};
  const ending = new AbortController();
  const posted = post(receiver.url, { timeoutMs: 5_000 }, ending.signal);
  setImmediate(() => ending.abort());
  t.strictSame((await posted).ended, { is: 'interrupted' });
});

t.test('TLS: the certificate is that of the name, from an authority that is trusted', async (t) => {
  const secure = await openReceiver(t, status(204), { tls: { cert: CERTIFICATE, key: KEY } });
  const to = (name: string, ca: string[] | undefined) =>
    post(`https://${name}:${secure.port}/`, { ca, timeoutMs: 2_000 });
  t.match((await to('hooks.example', [CERTIFICATE])).ended, { is: 'answered', status: 204 });
  t.match((await to('other.example', [CERTIFICATE])).ended, { reason: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  t.match((await to('127.0.0.1', [CERTIFICATE])).ended, { reason: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  t.match((await to('hooks.example', undefined)).ended, { reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  t.equal(secure.received.length, 1);
});
