/** A server that is not well, by one made for it: what no real server does when it is asked to. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { resetSocket } from '../../test-reset-socket.js';
import { type S3Limits, S3ObjectStore } from './s3-store.js';
import { S3Transport } from './transport.js';
import { parseS3Url } from './url.js';

const UNAVAILABLE = { code: 'TETHER_OBJECTS_UNAVAILABLE', outage: true, retryable: true };

function openAt(t: Test, port: number, limits: Partial<S3Limits> = {}): S3ObjectStore {
  const { location } = parseS3Url(`http://key:the-secret@127.0.0.1:${port}/bucket`);
  if (location === undefined) throw new Error('the URL is good');
  const store = new S3ObjectStore(location, { limits });
  t.teardown(() => store.close());
  return store;
}

async function listen(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

t.test('a request that finds its idle connection closed is sent again, if it may be', async (t) => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    let requests = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      if (++requests > 1) resetSocket(socket);
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  const store = openAt(t, await listen(t, server));
  for (let i = 1; i <= 3; i++) {
    await store.put('a', Buffer.alloc(0));
    t.equal(connections, i);
  }
  await t.rejects(store.beginMultipart('a'), UNAVAILABLE, 'a second multipart would be left');
});

t.test('a host that does not take the connection', async (t) => {
  // It listens and never accepts; when its queue is full, the system drops what comes.
  const program =
    'import socket,time; s=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(0); print(s.getsockname()[1],flush=True); time.sleep(60)';
  const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => void child.kill('SIGKILL'));
  const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
  const store = openAt(t, port, { connectMs: 300, idleMs: 5_000 });
  const calls = Array.from({ length: 4 }, () => store.put('a', Buffer.alloc(0)));
  const began = performance.now();
  const message = await Promise.any(
    calls.map((call) =>
      call.then(
        () => Promise.reject(new Error('it was put')),
        (error: Error) => error.message,
      ),
    ),
  );
  t.match(message, /no connection within 300 ms/);
  t.ok(performance.now() - began < 2_000);
  await store.close();
  await Promise.allSettled(calls);
});

t.test('answers of a server that is not well', async (t) => {
  let answer: { status: number; body: string } = { status: 200, body: '' };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status, { 'content-type': 'application/xml' }).end(answer.body);
  });
  const port = await listen(t, server);
  t.teardown(() => server.closeAllConnections());
  const store = openAt(t, port);
  const said = (code: string) =>
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>why &#10;</Message></Error>`;
  const part = { number: 1, bytes: 1, etag: 'x' };
  const cases: readonly [number, string, string][] = [
    [500, '', 'TETHER_OBJECTS_UNAVAILABLE'],
    [502, '<html>bad gateway</html>', 'TETHER_OBJECTS_UNAVAILABLE'],
    [503, said('SlowDown'), 'TETHER_OBJECTS_UNAVAILABLE'],
    [507, said('XMinioStorageFull'), 'TETHER_OBJECTS_UNAVAILABLE'],
    [429, '', 'TETHER_OBJECTS_UNAVAILABLE'],
    [400, said('RequestTimeout'), 'TETHER_OBJECTS_UNAVAILABLE'],
    [200, said('InternalError'), 'TETHER_OBJECTS_UNAVAILABLE'],
    [200, 'no XML at all', 'TETHER_OBJECTS_UNAVAILABLE'],
    [200, said('InvalidPart'), 'TETHER_OBJECT_REFUSED'],
    [501, '', 'TETHER_OBJECT_REFUSED'],
    [301, said('PermanentRedirect'), 'TETHER_OBJECT_REFUSED'],
    [403, said('SignatureDoesNotMatch'), 'TETHER_OBJECT_REFUSED'],
    [404, said('NoSuchBucket'), 'TETHER_OBJECTS_UNAVAILABLE'],
    [404, said('NoSuchUpload'), 'TETHER_OBJECT_NOT_FOUND'],
    [404, '', 'TETHER_OBJECT_NOT_FOUND'],
  ];
  for (const [status, body, code] of cases) {
    answer = { status, body };
    await t.rejects(store.completeMultipart('a', 'm', [part]), { code }, `${status} ${body}`);
  }
  // More than there are connections: each of them is given back.
  answer = { status: 503, body: said('SlowDown') };
  const many = await Promise.allSettled(Array.from({ length: 300 }, () => store.put('a', Buffer.from('x'))));
  t.ok(many.every(({ status }) => status === 'rejected'));
  answer = { status: 200, body: '' };
  await store.put('a', Buffer.from('x'));
  // A range that is answered with the whole object.
  await t.rejects(store.read('a', { start: 5 }), { code: 'TETHER_OBJECT_REFUSED', message: /ranges/ });
});

t.test('a list of parts that has no end is given up, and not asked for any more', async (t) => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.end(
      `<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>${asked}</NextPartNumberMarker></ListPartsResult>`,
    );
  });
  const port = await listen(t, server);
  t.teardown(() => server.closeAllConnections());
  const store = openAt(t, port, { callMs: 200 });
  await t.rejects(store.listParts('a', 'm'), UNAVAILABLE);
  t.ok(asked > 1, `asked ${asked} times`);

  const transport = new S3Transport(false, 1_000);
  t.teardown(() => transport.close());
  let later: Promise<unknown> = Promise.resolve();
  const work = () => {
    // The time is over between two requests.
    later = new Promise((resolve) => setTimeout(resolve, 50)).then(() =>
      transport.request({ host: '127.0.0.1', port }, () => {}),
    );
    return later;
  };
  await t.rejects(transport.run({ idleMs: 1_000, totalMs: 10 }, work), /not within 10 ms/);
  await t.rejects(later, /not within 10 ms/, 'no request is made afterwards');
});
