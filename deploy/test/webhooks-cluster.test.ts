/**
 * A gateway that serves an endpoint before the worker knows it: what comes at once waits for it, in the order of its key, and is no dead letter;
 * and targets that a worker follows in its file.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openReceiver, SECRET } from '../../actors/forward/test/receiver.js';
import { until } from '../../runtime/testing/until.js';
import { startCluster, untilShared } from './cluster-nodes.js';
import { TOKEN } from './webhook-senders.js';

t.setTimeout(60_000);

const API_TOKEN = 'a-token-of-some-length';
const KEYS = ['a', 'b', 'c'];
const OF_KEY = 5;
const MADE = 2;

t.test('new endpoints are used at once, and targets move', async (t) => {
  const [first, second] = [await openReceiver(t), await openReceiver(t)];
  const file = join(t.testdir(), 'endpoints.yaml');
  const configure = (url: string) => {
    const target = { name: 'erp', url, secrets: [SECRET], allowPrivate: ['127.0.0.0/8'] };
    const retry = { delaySeconds: 1, delaySecondsMax: 1 };
    writeFileSync(file, JSON.stringify({ endpoints: [], targets: [{ ...target, retry }] }));
  };
  configure(first.url);
  const cluster = await startCluster(t, 2);
  const env = { TETHER_ENDPOINTS: file, TETHER_API_TOKEN: API_TOKEN, TETHER_THREADS: '1' };
  await Promise.all([
    cluster.start(0, { ...env, TETHER_ROLE: 'gateway' }),
    cluster.start(1, { ...env, TETHER_ROLE: 'worker' }),
  ]);
  const [gateway = '', worker = ''] = cluster.urls;
  const api = async (url: string, method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(`${url}${path}`, init);
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };
  const settings = {
    provider: 'api-key',
    token: TOKEN,
    secrets: ['a-key-made-up'],
    options: { key: 'body:/key', id: 'body:/id' },
    routes: [{ to: 'forward:erp' }],
  };
  const send = (name: string, key: string, id: string) =>
    fetch(`${gateway}/webhooks/${name}/${TOKEN}`, {
      method: 'POST',
      headers: { 'x-api-key': 'a-key-made-up' },
      body: JSON.stringify({ key, id }),
    });
  await untilShared(cluster, [1]);
  const expected: string[] = [];
  for (let made = 0; made < MADE; made++) {
    const name = `made-${made}`;
    await until(
      'it is made',
      async () => (await api(gateway, 'PUT', `/api/endpoints/${name}`, settings)).status === 200,
    );
    await Promise.all(
      KEYS.map(async (key) => {
        for (let n = 0; n < OF_KEY; n++) {
          t.equal((await send(name, key, `${name}-${key}-${n}`)).status, 200);
        }
      }),
    );
    for (const key of KEYS) for (let n = 0; n < OF_KEY; n++) expected.push(`${name}-${key}-${n}`);
    await until('all have arrived', () => first.taken.length >= expected.length, 15_000);
  }
  const arrived = () => first.taken.map(({ body }) => String(JSON.parse(body).id));
  t.strictSame(arrived().toSorted(), expected.toSorted(), 'each once');
  for (const key of KEYS) {
    const of = (ids: readonly string[]) => ids.filter((id) => id.startsWith(`made-0-${key}`));
    t.strictSame(of(arrived()), of(expected), `in the order of ${key}`);
  }
  t.match(await api(worker, 'GET', '/api/dead-letters'), { json: { waiting: 0 } });

  configure(second.url);
  await until('the worker has read it', async () =>
    JSON.stringify((await api(worker, 'GET', '/api/targets')).json).includes(new URL(second.url).origin),
  );
  t.equal((await send('made-0', 'a', 'moved')).status, 200);
  await until('it came to the other', () => second.taken.length === 1);
  t.equal(arrived().length, expected.length);
});
