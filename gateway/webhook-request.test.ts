import t from 'tap';
import { identify } from '../actors/emp/index.js';
import { VECTORS } from '../actors/emp/test/vectors.js';
import { LogClosedError, LogFullError } from '../runtime/errors.js';
import { partitionOf } from '../runtime/partition.js';
import { until } from '../runtime/testing/until.js';
import { BODY_BYTES_MAX, ENDPOINT_BODY_BYTES_MAX } from './large-bodies.js';
import { request } from './test/raw-client.js';
import { FORM, notification, PASSWORD, startTestGateway, WEBHOOK_PATH } from './test/start.js';

const SIGNED = notification('aa01');
const ECHO =
  '<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n' +
  '  <unique_id>aa01</unique_id>\n</notification_echo>\n';
const webhook = (body: string, headers: readonly string[] = [FORM]) =>
  request({ method: 'POST', path: WEBHOOK_PATH, headers, body });
const chunked = (pieces: readonly string[]) =>
  request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, 'Transfer-Encoding: chunked'] }) +
  [...pieces, ''].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');

t.test('the documented notifications are kept and answered by their echo', async (t) => {
  const { gateway, partition, post } = await startTestGateway(t, { now: () => 1_700_000_000_123 });
  for (const [name, body] of Object.entries(VECTORS)) {
    const { status, headers, body: answer } = await post(body);
    t.equal(status, 200, name);
    t.equal(headers['content-type'], 'application/xml');
    const { key, dedupe, signedId } = identify('emp', Buffer.from(body));
    t.match(answer, signedId);
    const kept = partition.envelopes.at(-1);
    t.match(kept, { actor: 'payment', key, dedupe, receivedAt: 1_700_000_000_123, traceparent: '' });
    t.equal(Buffer.from(kept?.payload ?? []).toString(), body, 'the payload is the body');
  }
  t.equal(new Set(partition.envelopes.map(({ id }) => id)).size, Object.keys(VECTORS).length);
  t.equal(gateway.pending, 0);
});

t.test('the echo is byte for byte as documented', async (t) => {
  const { post } = await startTestGateway(t);
  t.match(await post(SIGNED), { status: 200, body: ECHO });
  t.match(await post(SIGNED, [`${FORM}; charset=utf-8`]), { status: 200 }, 'a parameter does not matter');
  t.match(await post(SIGNED, [FORM.toUpperCase()]), { status: 200 }, 'nor does the case');
});

t.test('a key is always on the same partition', async (t) => {
  const { partitions, post } = await startTestGateway(t, { partitionCount: 8 });
  for (let i = 0; i < 20; i++) await post(notification(`id${i}`));
  for (const { index, envelopes } of partitions) {
    for (const { key } of envelopes) t.equal(partitionOf(key, 8), index, key);
  }
});

t.test('a body in pieces is the same body', async (t) => {
  const { partition, client } = await startTestGateway(t);
  const split = await client();
  for (const byte of webhook(SIGNED)) await split.flush(byte);
  t.match(await split.response(), { status: 200, body: ECHO }, 'byte by byte');

  const whole = await client();
  whole.write(chunked([...SIGNED]));
  t.match(await whole.response(), { status: 200, body: ECHO }, 'chunks of one byte');

  const slow = await client();
  for (const byte of chunked([SIGNED.slice(0, 7), SIGNED.slice(7)])) await slow.flush(byte);
  t.match(await slow.response(), { status: 200, body: ECHO }, 'chunks byte by byte');
  t.same(
    partition.envelopes.map(({ payload }) => Buffer.from(payload).toString()),
    [SIGNED, SIGNED, SIGNED],
  );
});

t.test('a large body is taken up to the limit and not beyond', async (t) => {
  const { gateway, partition, metrics, client } = await startTestGateway(t);
  const padded = (bytes: number) => `${SIGNED}&note=`.padEnd(bytes, 'x');
  const largest = await client();
  largest.write(webhook(padded(BODY_BYTES_MAX)));
  t.match(await largest.response(), { status: 200 });
  const largestChunked = await client();
  largestChunked.write(chunked([padded(BODY_BYTES_MAX)]));
  t.match(await largestChunked.response(), { status: 200 });

  const announced = await client();
  announced.write(request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, 'Content-Length: 65537'] }));
  announced.write('x'.repeat(65_537));
  const problem = await announced.response();
  t.match(problem, {
    status: 413,
    headers: { connection: 'close', 'content-type': 'application/problem+json' },
  });
  t.match(JSON.parse(problem.body), { type: 'urn:tether:problem:content-too-large', status: 413 });

  const counted = await client();
  counted.write(chunked([padded(BODY_BYTES_MAX), 'x', 'y'.repeat(100)]));
  t.match(await counted.response(), { status: 413 });

  t.equal(partition.envelopes.length, 2);
  t.equal(gateway.pending, 0);
  t.equal(metrics.endpoint('emp').tooLarge, 2);
});

const endpoint = { provider: 'emp', token: 'dev', secrets: [PASSWORD], actor: 'payment' };
const endpoints = [
  { ...endpoint, name: 'emp', bodyBytesMax: ENDPOINT_BODY_BYTES_MAX },
  { ...endpoint, name: 'small', bodyBytesMax: 1_024 },
];

t.test('an endpoint may take longer bodies, or shorter ones only', async (t) => {
  const { gateway, partition, ask, client } = await startTestGateway(t, { endpoints });
  const padded = (bytes: number) => `${SIGNED}&note=`.padEnd(bytes, 'x');
  const long = padded(ENDPOINT_BODY_BYTES_MAX);
  for (const sent of [webhook(long), chunked([long.slice(0, 100_000), long.slice(100_000)])]) {
    const one = await client();
    one.write(sent);
    t.match(await one.response(), { status: 200, body: ECHO });
    t.ok(Buffer.from(partition.envelopes.at(-1)?.payload ?? []).toString() === long, 'all of it is kept');
  }
  for (const [path, bytes] of [
    [WEBHOOK_PATH, ENDPOINT_BODY_BYTES_MAX],
    ['/webhooks/small/dev', 1_024],
  ] as const) {
    const parts = { method: 'POST', path, headers: [FORM] };
    t.match(await ask({ ...parts, body: padded(bytes) }), { status: 200 });
    const { status, body } = await ask({ ...parts, body: padded(bytes + 1) });
    t.equal(status, 413);
    t.match(JSON.parse(body), { detail: `a body has at most ${bytes} bytes` });
    const pieces = await client();
    const head = request({ ...parts, headers: [FORM, 'Transfer-Encoding: chunked'] });
    pieces.write(`${head}${(bytes + 1).toString(16)}\r\n${padded(bytes + 1)}\r\n0\r\n\r\n`);
    t.match(await pieces.response(), { status: 413 });
  }
  await until('nothing is left', () => gateway.pending === 0);
  for (const bodyBytesMax of [0, 1.5, ENDPOINT_BODY_BYTES_MAX + 1]) {
    t.throws(() => gateway.serve([{ ...endpoint, name: 'emp', bodyBytesMax }], true), /bodyBytesMax/);
  }
});

t.test('long bodies have so much memory and no more; usual ones do not need it', async (t) => {
  const { partition, metrics, ask, client } = await startTestGateway(t, { endpoints });
  const head = request({
    method: 'POST',
    path: WEBHOOK_PATH,
    headers: [FORM, `Content-Length: ${ENDPOINT_BODY_BYTES_MAX}`],
  });
  const held = async () =>
    Number(/large_body_bytes (\d+)/.exec((await ask({ path: '/metrics' })).body)?.[1]) / 1_048_576;
  const rest = 'x'.repeat(10);
  const most = `${SIGNED}&note=`.padEnd(ENDPOINT_BODY_BYTES_MAX - rest.length, 'x');
  const senders = await Promise.all(
    Array.from({ length: 64 }, async () => {
      const sender = await client();
      sender.write(head + most);
      return sender;
    }),
  );
  await until('all room is taken', async () => (await held()) > 63.9);
  const refused = await client();
  refused.write(head + most);
  t.match(await refused.response(), { status: 503, headers: { 'retry-after': '5' } });
  t.equal(metrics.endpoint('emp').noRoom, 1);
  t.match(await ask({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM], body: SIGNED }), { status: 200 });
  const [first, second, ...others] = senders;
  first?.write(rest);
  t.match(await first?.response(), { status: 200 });
  second?.destroy();
  await until('both gave theirs back', async () => (await held()) < 62.1);
  for (const other of others) other.destroy();
  await until('all did', async () => (await held()) === 0);
  t.equal(partition.envelopes.length, 2);
});

t.test('an upload without end is answered, then cut off', async (t) => {
  const { gateway, client } = await startTestGateway(t);
  const announced = await client();
  announced.write(
    request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, 'Content-Length: 99999999'] }),
  );
  const endless = await client();
  endless.write(
    request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, 'Transfer-Encoding: chunked'] }),
  );
  const stranger = await client();
  stranger.write(request({ method: 'POST', path: '/nowhere', headers: ['Transfer-Encoding: chunked'] }));

  const plain = 'x'.repeat(65_536);
  const chunk = `10000\r\n${plain}\r\n`;
  for (const [sender, piece] of [
    [announced, plain],
    [endless, chunk],
    [stranger, chunk],
  ] as const) {
    const sending = setInterval(() => {
      if (sender.socket.writableLength < 1_000_000) sender.write(piece);
    }, 1);
    await sender.closed();
    clearInterval(sending);
    t.pass('the connection was ended');
  }
  await until('nothing pending', () => gateway.pending === 0);
});

t.test('what is malformed or forged leaves nothing behind', async (t) => {
  const { gateway, partition, metrics, post } = await startTestGateway(t);
  const malformed = await post('status=approved');
  t.match(malformed, { status: 400, headers: { 'content-type': 'application/problem+json' } });
  t.match(JSON.parse(malformed.body), { type: 'urn:tether:problem:malformed-notification' });
  t.match(await post(''), { status: 400 });
  t.match(await post(`${SIGNED}&status=refunded`), { status: 400 }, 'a repeated field');

  const forged = await post(SIGNED.replace('aa01', 'aa02'));
  t.equal(forged.status, 401);
  t.notMatch(forged.body, 'notification_echo');
  t.match(JSON.parse(forged.body), { type: 'urn:tether:problem:wrong-signature' });

  t.equal(partition.envelopes.length, 0);
  t.equal(gateway.pending, 0);
  t.match(metrics.endpoint('emp'), { malformed: 3, wrongSignature: 1, acknowledged: 0 });
});

t.test('a log that does not take the message is a 503 that asks to come back', async (t) => {
  const { gateway, partition, post } = await startTestGateway(t);
  for (const [error, type] of [
    [new LogFullError('full'), 'urn:tether:problem:log-full'],
    [new LogClosedError('closed'), 'urn:tether:problem:log-closed'],
  ] as const) {
    partition.behaviour = error;
    const response = await post(SIGNED);
    t.match(response, { status: 503, headers: { 'retry-after': /^[0-9]+$/ } });
    t.match(JSON.parse(response.body), { type });
  }
  partition.behaviour = 'hold';
  const late = post(SIGNED);
  await until('the append', () => partition.held.length === 1);
  partition.release(new LogClosedError('a write failed'));
  t.match(await late, { status: 503 });
  t.equal(gateway.pending, 0);
  partition.behaviour = 'take';
  t.match(await post(SIGNED), { status: 200 });
});

t.test('nothing is said before the message is on the log', async (t) => {
  const { gateway, partition, client } = await startTestGateway(t);
  partition.behaviour = 'hold';
  const waiting = await client();
  waiting.write(webhook(SIGNED));
  await until('the append', () => partition.held.length === 1);
  t.equal(gateway.pending, 1);
  // An answer would have come before the answer to this later request.
  const other = await client();
  other.write(request({ path: '/livez' }));
  await other.response();
  t.notOk(waiting.hasMore);
  partition.release();
  t.match(await waiting.response(), { status: 200, body: ECHO });
  t.equal(gateway.pending, 0);
});

t.test('a client that leaves does not undo its append', async (t) => {
  const { gateway, partition, metrics, ask, client } = await startTestGateway(t);
  const counts = metrics.endpoint('emp');
  const reading = await client();
  reading.write(webhook(SIGNED).slice(0, -5));
  await until('the head', () => gateway.pending === 1);
  reading.destroy();
  await until('the abort', () => gateway.pending === 0);
  t.match(counts, { aborted: 1 });

  partition.behaviour = 'hold';
  for (const [error, outcome] of [
    [undefined, { keptUnanswered: 1, lostUnanswered: 0 }],
    [new LogFullError('full'), { keptUnanswered: 1, lostUnanswered: 1 }],
  ] as const) {
    const appending = await client();
    appending.write(webhook(SIGNED));
    await until('the append', () => partition.held.length === 1);
    appending.reset();
    // On the loopback the reset is there before a later request, so two answers later the server has seen it.
    for (let i = 0; i < 2; i++) await ask({ path: '/livez' });
    t.equal(gateway.pending, 1, 'the append is still under way');
    partition.release(error);
    t.equal(gateway.pending, 0);
    t.match(counts, outcome);
  }
  t.equal(partition.envelopes.length, 1);
  t.match(counts, { acknowledged: 0 });
});

t.test('requests one after another on a connection', async (t) => {
  const { partition, client } = await startTestGateway(t);
  const kept = await client();
  for (let i = 0; i < 3; i++) {
    partition.behaviour = i === 1 ? 'later' : 'take';
    kept.write(webhook(notification(`id${i}`)));
    t.match(await kept.response(), { status: 200, body: new RegExp(`id${i}`) });
  }
  kept.write(webhook('nonsense') + webhook(SIGNED));
  t.match(await kept.response(), { status: 400 });
  t.match(await kept.response(), { status: 200 }, 'a refusal leaves the connection usable');
});

t.test('pipelined requests', async (t) => {
  const { gateway, partition, client } = await startTestGateway(t);
  const pipelined = await client();
  pipelined.write(webhook(notification('id1')) + webhook(notification('id2')) + request({ path: '/livez' }));
  for (const body of ['id1', 'id2', 'live']) t.match(await pipelined.response(), { status: 200, body });

  // uWebSockets.js ends a connection that sends a request while an earlier one waits. The message is kept all the same.
  partition.behaviour = 'hold';
  const impatient = await client();
  impatient.write(webhook(notification('id3')) + webhook(notification('id4')));
  await impatient.closed();
  partition.release();
  t.equal(partition.envelopes.length, 3);
  t.equal(gateway.pending, 0);
});

t.test('duplicates at the same time are each answered', async (t) => {
  const { gateway, partition, post } = await startTestGateway(t);
  partition.behaviour = 'later';
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(SIGNED)));
  t.ok(answers.every(({ status, body }) => status === 200 && body === ECHO));
  t.equal(new Set(partition.envelopes.map(({ dedupe }) => dedupe)).size, 1);
  t.equal(new Set(partition.envelopes.map(({ id }) => id)).size, 50);
  t.equal(gateway.pending, 0);
});

t.test('a trace context is taken when it has the W3C form', async (t) => {
  const { partition, post } = await startTestGateway(t);
  const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const bad = [
    good.toUpperCase(),
    good.slice(0, -1),
    `${good}-x`,
    good.replace('00-4', 'ff-4'),
    good.replace(/4bf.*36/, '0'.repeat(32)),
    good.replace('00f067aa0ba902b7', '0'.repeat(16)),
  ];
  for (const traceparent of [good, ...bad]) {
    await post(SIGNED, [FORM, `Traceparent: ${traceparent}`]);
    t.equal(partition.envelopes.at(-1)?.traceparent, traceparent === good ? good : '', traceparent);
  }
});
