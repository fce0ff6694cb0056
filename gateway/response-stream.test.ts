import uWS from 'uWebSockets.js';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { until } from '../runtime/testing/until.js';
import { Exchange, readHead } from './exchange.js';
import { pump, type ResponseStream } from './response-stream.js';
import { RawClient } from './test/raw-client.js';

const HEAD = { status: '200 OK', contentType: 'text/plain', headers: [['X-A', 'b']] as const };
const KIB = 1024;
const CHUNK = randomBytes(64 * KIB + 7);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const WHOLE = sha256(Buffer.concat(Array.from({ length: 200 }, () => CHUNK)));

interface Served {
  readonly port: number;
  readonly streams: ResponseStream[];
  /** Of each pump: resolved, or its error. */
  readonly outcomes: unknown[];
}

/** Streams `chunks()` to every request. */
async function serve(t: Test, chunks: () => AsyncIterable<Uint8Array>, bytes?: number): Promise<Served> {
  const served = { streams: [] as ResponseStream[], outcomes: [] as unknown[] };
  const app = uWS.App();
  app.any('/*', (res, req) => {
    const head = readHead(req);
    const exchange = new Exchange(res, head, { head: head.method === 'head' });
    const stream = exchange.stream(HEAD, bytes);
    if (stream === undefined) return;
    served.streams.push(stream);
    pump(stream, chunks()).then(
      () => served.outcomes.push('over'),
      (error: unknown) => served.outcomes.push(error),
    );
  });
  const socket = await new Promise<uWS.us_listen_socket | false>((resolve) => {
    app.listen('127.0.0.1', 0, resolve);
  });
  if (socket === false) throw new Error('no port');
  t.teardown(() => app.close());
  return { ...served, port: uWS.us_socket_local_port(socket as uWS.us_socket) };
}

async function* times(count: number, pulled: { count: number } = { count: 0 }) {
  for (let i = 0; i < count; i++) {
    pulled.count++;
    yield CHUNK;
    // Some come at once and some later.
    if (i % 3 === 0) await sleep(0);
  }
}

/** `before`: with the head there, and of the body nothing read. */
async function get(port: number, before: () => Promise<void> = async () => {}) {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  await before();
  const body = new Uint8Array(await response.arrayBuffer());
  return { bytes: body.byteLength, sha256: sha256(body), length: response.headers.get('content-length') };
}

for (const [name, bytes] of [
  ['of known length', 200 * CHUNK.length],
  ['chunked', undefined],
] as const) {
  t.test(`a body ${name} arrives whole`, async (t) => {
    const { port, outcomes, streams } = await serve(t, () => times(200), bytes);
    const length = bytes === undefined ? null : String(bytes);
    t.strictSame(await get(port), { bytes: 200 * CHUNK.length, sha256: WHOLE, length });
    const full = () => until('the socket is full', () => streams[1]?.isFull === true);
    t.match(await get(port, full), { sha256: WHOLE }, 'to a slow reader');
    t.strictSame(outcomes, ['over', 'over']);
    const client = await RawClient.open(port);
    t.teardown(() => client.destroy());
    client.write('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    const head = await client.response({ head: true });
    t.match(head, { status: 200, headers: { 'x-a': 'b', 'content-type': 'text/plain' } });
    t.equal(head.headers['content-length'], bytes === undefined ? undefined : String(bytes));
    client.write('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    t.match(await client.response(), { status: 413 }, 'a request with a body');
  });

  t.test(`a body ${name} waits for its reader, who may leave`, async (t) => {
    const pulled = { count: 0 };
    const total = bytes === undefined ? undefined : 4000 * CHUNK.length;
    const { port, streams, outcomes } = await serve(t, () => times(4000, pulled), total);
    const client = await RawClient.open(port);
    client.socket.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the socket is full', () => streams[0]?.isFull === true);
    const before = pulled.count;
    await sleep(50);
    t.equal(pulled.count, before, 'nothing more is asked for');
    t.ok(before * CHUNK.length < 64 * 1024 * KIB, `${before} chunks went into buffers of the kernel`);
    client.reset();
    await until('the pump is over', () => outcomes.length === 1);
    t.strictSame([outcomes[0], streams[0]?.isOpen], ['over', false]);
  });

  t.test(`a body ${name} that fails does not look whole`, async (t) => {
    const { port, outcomes } = await serve(
      t,
      async function* () {
        yield CHUNK;
        await sleep(5);
        throw new Error('the store is gone');
      },
      bytes,
    );
    await t.rejects(get(port), { message: 'terminated' });
    t.match(outcomes, [{ message: 'the store is gone' }]);
  });
}

t.test('a reader of a file that pauses longer than uWebSockets.js waits gets all of it', async (t) => {
  const { port, streams } = await serve(t, () => times(200), 200 * CHUNK.length);
  const { sha256 } = await get(port, async () => {
    await until('the socket is full', () => streams[0]?.isFull === true);
    await sleep(13_000);
  });
  t.equal(sha256, WHOLE);
});

t.test('a body that is shorter than announced does not look whole, and a longer one is cut', async (t) => {
  const short = await serve(t, () => times(2), 2 * CHUNK.length + 1);
  await t.rejects(get(short.port), { message: 'terminated' });
  const long = await serve(t, () => times(3), 2 * CHUNK.length);
  t.match(await get(long.port), { bytes: 2 * CHUNK.length });
  await until('the pump is over', () => long.outcomes.length === 1);
});
