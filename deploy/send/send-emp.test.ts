import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { serve } from '../test/serve.js';
import { isEcho } from './emp-client.js';
import { type SendOptions, type SendProgress, sendEmp } from './send-emp.js';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
t.comment(`SEED=${seed}`);

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function echoOf(body: string): string {
  const form = new URLSearchParams(body);
  const [element, id] = form.has('wpf_unique_id')
    ? ['wpf_unique_id', form.get('wpf_unique_id')]
    : form.has('reference_id')
      ? ['reference_id', form.get('reference_id')]
      : ['unique_id', form.get('unique_id') ?? form.get('payment_transaction_unique_id')];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n  <${element}>${id}</${element}>\n</notification_echo>\n`;
}

const options = (url: string): SendOptions => ({
  url,
  endpoint: 'emp',
  token: 'dev',
  password: 'test-api-password-1',
  seed,
  count: 200,
  duplicates: 0.1,
  rate: Number.POSITIVE_INFINITY,
  connections: 8,
  deadlineMsMax: 10_000,
  signal: new AbortController().signal,
});

t.test('everything is acknowledged, over a bounded number of connections', async (t) => {
  const bodies: string[] = [];
  const paths = new Set<string | undefined>();
  let open = 0;
  let openMost = 0;
  const { server, url } = await serve(t, async (request, response) => {
    open += 1;
    openMost = Math.max(openMost, open);
    const body = await bodyOf(request);
    bodies.push(body);
    paths.add(`${request.method} ${request.url} ${request.headers['content-type']}`);
    setImmediate(() => {
      open -= 1;
      response.end(echoOf(body));
    });
  });
  let connections = 0;
  server.on('connection', () => (connections += 1));
  let progress = 0;
  const summary = await sendEmp({ ...options(url), onProgress: ({ done }) => (progress = done) });
  t.match(summary, {
    seed,
    sent: 200,
    distinct: 180,
    duplicates: 20,
    acknowledged: 200,
    rejected: {},
    retries: 0,
  });
  const { p50 = 0, max = 0 } = summary.latencyMs ?? {};
  t.ok(p50 > 0 && p50 <= max);
  t.equal(bodies.length, 200);
  t.equal(new Set(bodies).size, 180);
  t.strictSame([...paths], ['POST /webhooks/emp/dev application/x-www-form-urlencoded']);
  t.ok(connections <= 8 && openMost <= 8, `${connections} connections, ${openMost} at once`);
  t.ok(openMost > 1, 'several at once');
  t.equal(progress, 200);
});

t.test('503 and broken connections are retried until they are acknowledged', async (t) => {
  const seen = new Map<string, number>();
  const { url } = await serve(t, async (request, response) => {
    const body = await bodyOf(request);
    const times = (seen.get(body) ?? 0) + 1;
    seen.set(body, times);
    if (times === 1 && seen.size % 3 === 0) response.writeHead(503).end();
    else if (times === 1 && seen.size % 3 === 1) response.destroy();
    else response.end(echoOf(body));
  });
  const summary = await sendEmp({ ...options(url), duplicates: 0, count: 60, connections: 16 });
  t.match(summary, { sent: 60, acknowledged: 60, rejected: {} });
  t.equal(summary.retries, 40);
});

t.test('Retry-After is honoured', async (t) => {
  const times: number[] = [];
  const { url } = await serve(t, async (request, response) => {
    const body = await bodyOf(request);
    times.push(performance.now());
    if (times.length === 1) response.writeHead(503, { 'Retry-After': '1' }).end();
    else response.end(echoOf(body));
  });
  const summary = await sendEmp({ ...options(url), count: 1 });
  t.match(summary, { acknowledged: 1, retries: 1 });
  const [first = 0, second = 0] = times;
  t.ok(second - first >= 990, `${second - first} ms`);
});

t.test('what stays refused is counted by its outcome', async (t) => {
  let n = 0;
  const { url } = await serve(t, async (request, response) => {
    const body = await bodyOf(request);
    n += 1;
    if (n === 1) response.writeHead(401).end();
    else if (n === 2) response.end('<html>');
    else if (n === 3) response.end(echoOf('unique_id=another'));
    else if (n === 4) response.end(`${' '.repeat(20_000)}`);
    else if (n === 5) response.writeHead(503, { 'Retry-After': '30' }).end();
    else response.end(echoOf(body));
  });
  const summary = await sendEmp({ ...options(url), count: 10, duplicates: 0, connections: 1 });
  t.match(summary, { sent: 10, acknowledged: 5, rejected: { 401: 1, echo: 3, 503: 1 } });
});

t.test('a node that is not there: given up at the deadline, not before', async (t) => {
  const { server, url } = await serve(t, () => {});
  await new Promise((resolve) => server.close(resolve));
  let failures = 0;
  const onProgress = (progress: SendProgress) => (failures = progress.failures);
  const summary = await sendEmp({ ...options(url), count: 3, deadlineMsMax: 700, onProgress });
  t.match(summary, { sent: 3, acknowledged: 0, rejected: { ECONNREFUSED: 3 }, latencyMs: null });
  t.equal(summary.gaveUp, 'ECONNREFUSED');
  t.equal(failures, 3 + summary.retries);
  t.ok(summary.seconds >= 0.69 && summary.seconds < 5, `${summary.seconds} s`);
});

t.test(
  'nothing acknowledged within the deadline: all is given up, and the trouble is told once',
  async (t) => {
    const { server, url } = await serve(t, () => {});
    await new Promise((resolve) => server.close(resolve));
    const told: string[] = [];
    const summary = await sendEmp({
      ...options(url),
      count: 100_000,
      deadlineMsMax: 4000,
      onTrouble: (outcome) => told.push(outcome),
    });
    t.match(summary, { acknowledged: 0, gaveUp: 'ECONNREFUSED' });
    t.strictSame(told, ['ECONNREFUSED']);
    t.ok(summary.sent <= 16, `${summary.sent}: one for each connection, and what was begun at the end`);
    t.ok(summary.seconds < 10, `${summary.seconds} s`);
  },
);

t.test('the rate is kept', async (t) => {
  const { url } = await serve(t, async (request, response) => response.end(echoOf(await bodyOf(request))));
  const summary = await sendEmp({ ...options(url), count: 51, rate: 100 });
  t.equal(summary.acknowledged, 51);
  t.ok(summary.seconds >= 0.49, `${summary.seconds} s for 50 intervals of 10 ms`);
});

t.test('a signal ends it, and what was sent is told', async (t) => {
  const stop = new AbortController();
  const { url } = await serve(t, async (request, response) => response.end(echoOf(await bodyOf(request))));
  const summary = await sendEmp({
    ...options(url),
    rate: 50,
    count: 100_000,
    signal: stop.signal,
    onProgress: ({ done }) => done === 5 && stop.abort(),
  });
  t.ok(summary.sent >= 5 && summary.sent < 30, String(summary.sent));
  t.equal(summary.acknowledged, summary.sent);
  t.equal(summary.gaveUp, null);
});

t.test('an echo is what the protocol says, and nothing else', async (t) => {
  const echo = { element: 'unique_id', id: `a<b>&"c'` };
  const xml = (inner: string) => `<?xml version="1.0"?><notification_echo>${inner}</notification_echo>`;
  t.ok(isEcho(xml('<unique_id>a&lt;b&gt;&amp;&quot;c&apos;</unique_id>'), { echo }));
  t.ok(isEcho(xml('<unique_id>a&#60;b&#x3e;&amp;&#34;c&#39;</unique_id>'), { echo }));
  for (const wrong of [
    '',
    'a<b>',
    xml(''),
    xml('<wpf_unique_id>a&lt;b&gt;&amp;&quot;c&apos;</wpf_unique_id>'),
    xml('<unique_id>a</unique_id>'),
    `${xml('<unique_id>a&lt;b&gt;&amp;&quot;c&apos;</unique_id>')}x`,
    xml('<unique_id>&#x1fffff;</unique_id>'),
  ]) {
    t.notOk(isEcho(wrong, { echo }), wrong);
  }
});
