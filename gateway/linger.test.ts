import t, { type Test } from 'tap';
import { LINGER_BYTES_MAX, LINGER_MS_MAX } from './linger.js';
import { type RawResponse, request } from './test/raw-client.js';
import { FORM, startTestGateway, WEBHOOK_PATH } from './test/start.js';

const CHUNKED = 'Transfer-Encoding: chunked';

const head = (length: number) =>
  request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, `Content-Length: ${length}`] });

function isWhole(t: Test, { status, headers, body }: RawResponse, what: string): void {
  t.match({ status, headers }, { status: 413, headers: { connection: 'close', date: / GMT$/ } }, what);
  t.match(JSON.parse(body), { type: 'urn:tether:problem:content-too-large' }, `${what}: the whole document`);
}

t.test('a client that waits for the answer has all of it, and its connection is ended', async (t) => {
  const { gateway, metrics, client } = await startTestGateway(t);
  const stalled = await client();
  const startMs = performance.now();
  stalled.write(`${head(70_000)}few`);
  isWhole(t, await stalled.response(), 'a body that does not come');
  await stalled.closed();
  const tookMs = performance.now() - startMs;
  t.ok(tookMs > LINGER_MS_MAX - 100, `not before the limit: ${tookMs} ms`);
  t.notOk(stalled.hasMore);
  t.equal(metrics.endpoint('emp').tooLarge, 1);
  t.equal(gateway.pending, 0);
});

t.test('a body that was sent to its end is answered, and the connection ended at once', async (t) => {
  const { client } = await startTestGateway(t);
  const body = 'x'.repeat(70_000);
  const uploads = {
    'at once': head(body.length) + body,
    'at once, in chunks': `${request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, CHUNKED] })}11170\r\n${body}\r\n0\r\n\r\n`,
  };
  for (const [what, upload] of Object.entries(uploads)) {
    const whole = await client();
    const startMs = performance.now();
    whole.write(upload);
    isWhole(t, await whole.response(), what);
    await whole.closed();
    t.ok(performance.now() - startMs < LINGER_MS_MAX, `${what}: no limit was waited for`);
  }
  const pipelined = await client();
  pipelined.write(head(body.length) + body + request({ path: '/livez' }));
  isWhole(t, await pipelined.response(), 'with another request behind it');

  const late = await client();
  late.write(head(body.length) + body.slice(1));
  isWhole(t, await late.response(), 'before the body is there');
  late.write(body.slice(0, 1));
  const startMs = performance.now();
  await late.closed();
  t.ok(performance.now() - startMs < LINGER_MS_MAX / 2, 'the last byte ends it');
});

t.test('an upload beyond the limit stands still, so that its sender can read the answer', async (t) => {
  const { client } = await startTestGateway(t);
  const length = 20 * LINGER_BYTES_MAX;
  const upload = await client();
  upload.write(head(length));
  upload.write(Buffer.alloc(length, 'x'));
  isWhole(t, await upload.response(), 'while the body is sent');
  t.ok(upload.socket.writableLength > 0, 'the rest is not read');
  await upload.closed();
});

t.test('a client that leaves is forgotten', async (t) => {
  const { gateway, client } = await startTestGateway(t);
  const body = Buffer.alloc(2 * LINGER_BYTES_MAX, 'x');
  for (let i = 0; i < 20; i++) {
    const leaver = await client();
    leaver.write(head(body.length));
    if (i % 2 === 0) leaver.write(body);
    isWhole(t, await leaver.response(), `client ${i}`);
    leaver.destroy();
  }
  t.equal(gateway.pending, 0);
});
