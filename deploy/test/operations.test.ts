/** The operators' API of a whole node: what it says of itself, live, and of a pool that is too slow. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { historySchema, type Status, statusSchema } from '../../gateway/api/status-schema.js';
import { launch, openPage, screenshot, signIn } from '../../gateway/console/test/browser.js';
import { until } from '../../runtime/testing/until.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import { isAlive, startNodeProcess } from './node-process.js';

t.setTimeout(120_000);

const TOKEN = 'a-token-of-the-operators';
const PASSWORD = 'a-password-of-the-test';
/** Each message takes it 100 ms of waiting. */
const SLOW = `
import { setTimeout } from 'node:timers/promises';
import { defineActor } from 'tether';
export default defineActor({ type: 'slow', scope: 'key', batchMax: 1, receive: async () => { await setTimeout(100); } });
`;
/** Throws what an actor should not: whatever it knows. */
const LEAK = [
  ...['a-token-of-the-operators', 'a-password-of-the-test', 'postgres://payments:pa55-of-leak@db/x'],
  ...['Authorization: Bearer leaked-b3arer-token', 'https://s3/b?X-Amz-Signature=leakedsignature00'],
  ...['DE89370400440532013000', '4000056655665556', `tether_${'leak'.repeat(11).slice(0, 43)}`],
];
/** Of numbers, digits that no measured time ends with: those of 6111.1111111111111 ms are no card. */
const LEAKED =
  /a-token-of-the-operators|a-token-of-payments|a-token-of-the-slow|a-password-of-the-test|pa55-of-leak|b3arer|leakedsig|0400440532|0566556655|leakleak|test-api-password/;
const LEAKY = `
import { defineActor } from 'tether';
export default defineActor({ type: 'leaky', scope: 'key', receive: async () => { throw new Error(${JSON.stringify(LEAK.join(' and '))}); } });
`;
const ENDPOINTS = `
endpoints:
  - { name: emp, provider: emp, token: a-token-of-payments, secrets: [${PASSWORD}] }
  - { name: slow, provider: emp, token: a-token-of-the-slow, secrets: [${PASSWORD}], actor: slow }
  - { name: leaky, provider: emp, token: a-token-of-the-slow-2, secrets: [${PASSWORD}], actor: leaky }
`;

const dir = t.testdir({ 'slow.js': SLOW, 'leaky.js': LEAKY, 'endpoints.yaml': ENDPOINTS });
const dataDir = mkdtempSync(join(tmpdir(), 'tether-operations-'));
t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
await copyTestData(postgresDir(dataDir));
const node = startNodeProcess({
  port: await freePort(),
  dataDir,
  env: {
    TETHER_ACTORS: `${join(dir, 'slow.js')},${join(dir, 'leaky.js')}`,
    TETHER_RETRY_ATTEMPTS_MAX: '2',
    TETHER_LOG_LEVEL: 'debug',
    TETHER_ENDPOINTS: join(dir, 'endpoints.yaml'),
    TETHER_API_TOKEN: TOKEN,
  },
});
t.teardown(async () => {
  if (isAlive(node.pid)) await node.killTree((pids) => pids);
});
await node.ready;

const headers = { authorization: `Bearer ${TOKEN}` };
const get = async (path: string): Promise<unknown> => {
  const answer = await fetch(`${node.url}${path}`, { headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
};
const status = async () => (await get('/api/status')) as Status;
// It takes messages before its actors have started; until then there are no pools to tell of.
await until(
  'its pools are there',
  async () => (await fetch(`${node.url}/api/pools`, { headers })).ok,
  60_000,
);

/** A message of one key for an endpoint. */
async function send(endpoint: string, token: string, state: string): Promise<number> {
  const id = 'aa11';
  const signature = createHash('sha1').update(`${id}${PASSWORD}`).digest('hex');
  const body = new URLSearchParams({ unique_id: id, status: state, signature });
  return (await fetch(`${node.url}/webhooks/${endpoint}/${token}`, { method: 'POST', body })).status;
}

t.test('every route is in the document, and what it answers is as the document says', async (t) => {
  const document = (await get('/api/openapi.json')) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  t.ok(valid, JSON.stringify(errors));
  for (const path of ['/api/status', '/api/live', '/api/dead-letters', '/api/tokens']) {
    t.ok(document.paths[path]?.get, path);
  }
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  t.equal(new Set(ids).size, ids.length, 'no operation has the name of another one');
  statusSchema.parse(await get('/api/status'));
  t.match(await get('/api/status'), {
    node: { role: 'all', mode: 'serving', version: /^\d/ },
    log: { driver: 'journal', state: 'open' },
    cluster: null,
  });
  for (const [path, methods] of Object.entries(document.paths)) {
    if (methods.get === undefined || path.includes('{') || path === '/api/live') continue;
    t.ok(await get(path), path);
  }
});

t.test('the configuration is shown, and no secret', async (t) => {
  const shown = (await get('/api/config')) as {
    keys: { key: string; value: string; source: string; secret: boolean }[];
  };
  const of = (key: string) => shown.keys.find((each) => each.key === key);
  t.match(of('TETHER_API_TOKEN'), { value: '[redacted]', source: 'set', secret: true });
  t.match(of('TETHER_DATA_DIR'), { value: dataDir, source: 'set' });
  t.match(of('TETHER_PARTITIONS'), { value: '64', source: 'default' });
  t.notMatch(JSON.stringify(shown), new RegExp(`${TOKEN}|${PASSWORD}`));
});

t.test(
  'a pool that is too slow is the first thing that is said, and nothing is said when it is done',
  async (t) => {
    const { page } = await openPage(await launch(t));
    await signIn(page, node.url, TOKEN);
    await until('nothing is wrong with what it needs', async () =>
      (await status()).findings.every(({ code }) => code !== 'dependency-away'),
    );
    // A pool is told of before its threads have loaded their actor, and what waits meanwhile is behind too.
    await until(
      'its thread is there',
      async () =>
        (await status()).pools
          .find(({ actor }) => actor === 'slow')
          ?.threads.some(({ mode }) => mode === 'ready') === true,
      60_000,
    );
    for (let n = 0; n < 100; n++) t.equal(await send('slow', 'a-token-of-the-slow', `s${n}`), 200);
    let seen = await status();
    await until('it is found', async () => {
      seen = await status();
      return seen.findings[0]?.code === 'pool-behind';
    });
    // Of this moment, in which it is under way: percentiles are of the last ten seconds, and a browser may take as long.
    const { findings, log, rates, dependencies, pools } = seen;
    t.match(findings[0], { subject: 'slow', severity: 'warning', title: /^Pool slow is behind/ });
    // The page is told once a second.
    await page
      .getByRole('region', { name: 'Health' })
      .locator('.headline')
      .getByText('Pool slow is behind')
      .waitFor();
    t.match(
      await page.locator('#content').textContent(),
      /^Overview\W*warning Pool slow is behind/,
      'it is the first line of the console',
    );
    await screenshot(page, 'real-slow-actor');
    t.ok((log.commitMs?.p50 ?? 0) > 0, 'commits are measured');
    t.ok((rates.acknowledgeMs?.p50 ?? 0) > 0, 'and acknowledgements');
    const turnMs = pools.find(({ actor }) => actor === 'slow')?.turnMs?.p50 ?? 0;
    t.ok(turnMs >= 50 && turnMs < 200, `a receive takes its 100 ms, it took ${turnMs}`);
    t.strictSame(
      dependencies.map(({ name }) => name),
      ['postgres', 's3'],
    );
    const slow = async () => (await status()).pools.find(({ actor }) => actor === 'slow');
    await until('all is done', async () => (await slow())?.done === 100, 30_000);
    const said = async () => (await status()).findings.some(({ subject }) => subject === 'slow');
    await until('nothing is said of it any more', async () => !(await said()));
    t.match(await slow(), { lag: 0 });
  },
);

t.test('the status comes once a second to who listens, and the last minutes are there', async (t) => {
  const leave = new AbortController();
  const answer = await fetch(`${node.url}/api/live`, { headers, signal: leave.signal });
  t.match(answer.headers.get('content-type'), 'text/event-stream');
  let text = '';
  const seen = () => text.split('\n').filter((line) => line.startsWith('data: '));
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (seen().length >= 3 && text.endsWith('\n\n')) break;
  }
  leave.abort();
  const statuses = seen().map((line) => statusSchema.parse(JSON.parse(line.slice(6))));
  const [first, second] = statuses;
  t.ok((second?.at ?? 0) >= (first?.at ?? 0));
  t.ok((statuses.at(-1)?.at ?? 0) > (first?.at ?? 0), 'it goes on');
  const history = historySchema.parse(await get('/api/history'));
  t.ok(history.at.length > 3);
  t.ok(Math.max(...history.lag) > 0, 'it remembers the slow pool');
  for (const series of Object.values(history)) t.equal(series.length, history.at.length);
});

t.test(
  'what an actor throws, and what strangers send, shows no secret in the log or in an answer',
  async (t) => {
    t.equal(await send('leaky', 'a-token-of-the-slow-2', 'approved'), 200);
    const letters = async () =>
      (
        (await get('/api/dead-letters?actor=leaky')) as {
          deadLetters: { envelope: { id: string }; cause: object }[];
        }
      ).deadLetters;
    await until('it is dead', async () => (await letters()).length === 1, 30_000);
    const [letter] = await letters();
    const id = letter?.envelope.id ?? '';
    const strangers = await Promise.all([
      fetch(`${node.url}/api/status`, { headers: { authorization: 'Bearer leaked-b3arer-token' } }),
      fetch(`${node.url}/webhooks/emp/a-password-of-the-test`, { method: 'POST', body: 'x' }),
      fetch(`${node.url}/webhooks/emp/a-token-of-payments`, {
        method: 'POST',
        body: new URLSearchParams({ unique_id: 'a', signature: 'b' }),
      }),
      fetch(`${node.url}/uploads`, {
        method: 'POST',
        headers: { authorization: 'Basic bGVha2VkLWIzYXJlci10b2tlbg==' },
        body: 'x',
      }),
    ]);
    t.strictSame(
      strangers.map(({ status }) => status),
      [401, 404, 401, 401],
    );
    const paths = [
      '/api/dead-letters',
      `/api/dead-letters/${id}`,
      '/api/audit',
      '/api/config',
      '/api/status',
      '/api/endpoints',
      '/metrics',
      '/readyz',
    ];
    const answers = [
      ...(await Promise.all(strangers.map((answer) => answer.text()))),
      ...(await Promise.all(
        paths.map(async (path) => (await fetch(`${node.url}${path}`, { headers })).text()),
      )),
    ];
    t.match(
      answers.join('\n'),
      /\[redacted\] and \[redacted\] and postgres:\/\/\[redacted\]@db/,
      'the cause is there',
    );
    for (const [n, text] of answers.entries()) t.notMatch(text, LEAKED, `answer ${n}`);
    t.match(node.output(), /requests without a valid token were refused/);
    const log = node
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    t.ok(
      log.some((line) => line.includes('[redacted] and [redacted]')),
      'the cause is in the log',
    );
    t.strictSame(
      log.filter((line) => LEAKED.test(line)),
      [],
    );
  },
);

t.test('a node that goes down ends the streams that listen', async (t) => {
  const answer = await fetch(`${node.url}/api/live`, { headers });
  const read = answer.text();
  t.equal(await node.stop('SIGTERM'), 0);
  t.match(await read, /event: status/);
});
