/**
 * Ten thousand connections of senders that are broken, hostile or gone. The server must not crash, must not leak a pending
 * answer, must not acknowledge what it does not have, and must still serve a good request.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import type { FuzzReport, FuzzStarted } from './test/fuzz-server.js';
import { RawClient, request } from './test/raw-client.js';
import { seededRandom, testSeed } from './test/seed.js';
import { FORM, notification, WEBHOOK_PATH } from './test/start.js';

const CASES = 10_000;
const SENDERS = 24;
const PENDING_MS_MAX = 5000;
const RSS_BYTES_MAX = 400 * 1024 * 1024;

type Random = () => number;
const integer = (random: Random, end: number) => Math.floor(random() * end);
const pick = <T>(random: Random, values: readonly [T, ...T[]]): T =>
  values[integer(random, values.length)] ?? values[0];

interface FuzzCase {
  readonly bytes: Buffer;
  /** How many pieces it is written in. */
  readonly pieces: number;
  /** Statuses of the answer that must come; undefined when anything may happen. */
  readonly answer?: readonly number[];
}

/** A good notification is taken or, by the log's mood, put off. */
const GOOD = [200, 503] as const;

function webhook(body: string, headers: readonly string[] = []): string {
  return request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, ...headers], body });
}

function chunked(random: Random, body: string): string {
  const head = request({ method: 'POST', path: WEBHOOK_PATH, headers: [FORM, 'Transfer-Encoding: chunked'] });
  let rest = body;
  let chunks = '';
  while (rest !== '') {
    const length = 1 + integer(random, 40);
    const chunk = rest.slice(0, length);
    rest = rest.slice(length);
    chunks += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  return `${head}${chunks}0\r\n\r\n`;
}

function mutated(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 1 + integer(random, 4); i > 0; i--) {
    bytes[integer(random, bytes.length)] =
      random() < 0.5 ? integer(random, 256) : pick(random, [10, 13, 32, 58, 0]);
  }
  return bytes;
}

const randomBytes = (random: Random, length: number) =>
  Buffer.from(Array.from({ length }, () => integer(random, 256)));

/** Every kind of sender; `id` is new for each case. */
const KINDS: Readonly<Record<string, (random: Random, id: string) => FuzzCase>> = {
  good: (random, id) => ({
    bytes: Buffer.from(webhook(notification(id))),
    pieces: pick(random, [1, 1, 3]),
    answer: GOOD,
  }),
  'good and chunked': (random, id) => ({
    bytes: Buffer.from(chunked(random, notification(id))),
    pieces: pick(random, [1, 2, 5]),
    answer: GOOD,
  }),
  'malformed notification': (random, id) => {
    const body = pick(random, [
      '',
      '&&&',
      'a=b',
      '%%%=%%%',
      `unique_id=${id}`,
      `${notification(id)}&unique_id=${id}`,
      `${notification(id)}%`.replace('unique_id=', 'unique%5fid=%0'),
      randomBytes(random, 1 + integer(random, 300)).toString('hex'),
      `status=${'x'.repeat(integer(random, 60_000))}`,
    ]);
    return { bytes: Buffer.from(webhook(body)), pieces: 1, answer: [400] };
  },
  'mutated notification': (random, id) => {
    const body = mutated(random, notification(id));
    const head = request({
      method: 'POST',
      path: WEBHOOK_PATH,
      headers: [FORM, `Content-Length: ${body.length}`],
    });
    return { bytes: Buffer.concat([Buffer.from(head), body]), pieces: 1, answer: [200, 400, 401, 503] };
  },
  'mutated request': (random, id) => ({ bytes: mutated(random, webhook(notification(id))), pieces: 1 }),
  'mutated chunks': (random, id) => ({
    bytes: mutated(random, chunked(random, notification(id))),
    pieces: pick(random, [1, 2, 4]),
  }),
  // What takes in the end of its body closes the connection, with another request in the same bytes.
  'refused before its end, with another behind it': (random, id) => ({
    bytes: Buffer.from(
      chunked(random, notification(id)).replace(WEBHOOK_PATH, '/webhooks/nobody/dev') +
        webhook(notification(`${id}b`)),
    ),
    pieces: 5,
    // 505 is uWebSockets.js itself, which does not find the second request where the pieces are cut at the wrong byte.
    answer: [404, 505],
  }),
  'bad chunk size': (random, id) => {
    const size = pick(random, [
      '',
      '-1',
      'zz',
      '0x10',
      'fffffffffffffffff',
      '7fffffffffffffff',
      ' 3',
      '3;x=y',
      '\0',
    ]);
    const good = chunked(random, notification(id));
    const at = good.indexOf('\r\n\r\n') + 4;
    return { bytes: Buffer.from(`${good.slice(0, at)}${size}\r\nabc\r\n${good.slice(at)}`), pieces: 1 };
  },
  'wrong length': (random, id) => {
    const length = pick(random, [
      '0',
      '1',
      '9999',
      '65536',
      '65537',
      '-5',
      '1e3',
      '99999999999999999999',
      'abc',
    ]);
    const head = request({
      method: 'POST',
      path: WEBHOOK_PATH,
      headers: [FORM, `Content-Length: ${length}`],
    });
    return { bytes: Buffer.from(head + notification(id)), pieces: 1 };
  },
  'cut off': (random, id) => {
    const whole = Buffer.from(random() < 0.5 ? webhook(notification(id)) : chunked(random, notification(id)));
    return {
      bytes: whole.subarray(0, 1 + integer(random, whole.length - 1)),
      pieces: pick(random, [1, 2, 5]),
    };
  },
  'gone before the answer': (random, id) => ({
    bytes: Buffer.from(webhook(notification(id))),
    pieces: pick(random, [1, 2]),
  }),
  pipelined: (random, id) => ({
    bytes: Buffer.from(
      [1, 2, 3]
        .map((i) => webhook(notification(`${id}p${i}`)))
        .join('')
        .slice(integer(random, 3)),
    ),
    pieces: pick(random, [1, 2]),
  }),
  'too large': (random, id) => ({
    bytes: Buffer.from(webhook(`${notification(id)}&note=`.padEnd(65_537 + integer(random, 30_000), 'x'))),
    pieces: pick(random, [1, 3]),
  }),
  'random bytes': (random) => ({
    bytes: randomBytes(random, 1 + integer(random, 600)),
    pieces: pick(random, [1, 2]),
  }),
  'other paths': (random) => ({
    bytes: Buffer.from(
      request({
        method: pick(random, ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'BREW']),
        path: pick(random, [
          '/',
          '/livez',
          '/metrics',
          '/api/status',
          '/webhooks/x/y',
          '/%',
          '/?',
          `/${'a/'.repeat(99)}`,
        ]),
        ...(random() < 0.5 ? { body: 'x'.repeat(integer(random, 2000)) } : {}),
      }),
    ),
    pieces: 1,
  }),
};

async function send(client: RawClient, { bytes, pieces }: FuzzCase): Promise<void> {
  const size = Math.ceil(bytes.length / pieces);
  for (let start = 0; start < bytes.length && client.socket.writable; start += size) {
    client.write(bytes.subarray(start, start + size));
    if (pieces > 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function report(child: ChildProcess): Promise<FuzzReport> {
  const answer = once(child, 'message');
  child.send('report');
  const [received] = await answer;
  return received as FuzzReport;
}

t.test('no sender breaks the gateway', { timeout: 60_000 }, async (t) => {
  const seed = testSeed();
  t.comment(`SEED=${seed}`);
  const child = fork(new URL('./test/fuzz-server.js', import.meta.url), [String(seed)]);
  t.teardown(() => child.kill('SIGKILL'));
  let exited: string | undefined;
  const exit = once(child, 'exit').then(([code, signal]) => {
    exited = `code ${code}, signal ${signal}`;
  });
  const [started] = await once(child, 'message');
  const { port } = started as FuzzStarted;

  const kinds = Object.entries(KINDS);
  const echoed: string[] = [];
  const wrong: string[] = [];
  let next = 0;

  async function runCase(number: number): Promise<void> {
    const random = seededRandom(seed + number);
    const [name, make] = kinds[number % kinds.length] ?? ['', KINDS.good];
    const made = make?.(random, `case${number}`) ?? { bytes: Buffer.alloc(0), pieces: 1 };
    const client = await RawClient.open(port);
    await send(client, made);
    if (made.answer !== undefined) {
      const { status, body } = await client.response();
      if (!made.answer.includes(status)) wrong.push(`case ${number} (${name}): ${status} ${body}`);
      const id = /<unique_id>(.*)<\/unique_id>/.exec(body)?.[1];
      if (id !== undefined) echoed.push(id);
    } else if (random() < 0.5) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (random() < 0.5) client.destroy();
    else client.reset();
  }

  async function sender(): Promise<void> {
    while (next < CASES && exited === undefined) {
      const number = next++;
      await runCase(number).catch((error: unknown) => {
        wrong.push(`case ${number} (${kinds[number % kinds.length]?.[0]}): ${error}`);
      });
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender));
  t.equal(exited, undefined, 'the server is alive');
  t.same(wrong.slice(0, 10), [], 'every answer that must come came');

  let last = await report(child);
  for (const deadline = Date.now() + PENDING_MS_MAX; last.pending > 0 && Date.now() < deadline; ) {
    last = await report(child);
  }
  t.equal(last.pending, 0, 'no answer is pending');
  t.ok(last.rssBytes < RSS_BYTES_MAX, `${last.rssBytes} bytes resident`);
  const keys = new Set(last.keys);
  t.ok(echoed.length > 1000, `${echoed.length} echoes`);
  t.same(
    echoed.filter((id) => !keys.has(`emp:${id}`)),
    [],
    'what was acknowledged is on the log',
  );

  let status = 503;
  for (let i = 0; i < 20 && status === 503; i++) {
    const client = await RawClient.open(port);
    client.write(webhook(notification('the-good-one')));
    ({ status } = await client.response());
    client.destroy();
  }
  t.equal(status, 200, 'a good request is served');
  child.send('stop');
  await exit;
  t.equal(exited, 'code 0, signal null');
});
