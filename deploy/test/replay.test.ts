/** A running node: webhooks that no route took are replayed to an actor once there is one, by the command line; forced, they come once more. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import { isAlive, startNodeProcess } from './node-process.js';
import { spawnCli } from './spawn-cli.js';

t.setTimeout(120_000);

const SECRET = 'a-secret-of-some-length';
const PATH_TOKEN = 'a-path-token-of-some-length';
const API_TOKEN = 'an-api-token-of-some-length';
const COUNT = 12;
/** Has one effect for each deduplication key, as long as it lives. */
const ACTOR = `
import { defineActor } from 'tether';
const seen = new Set();
export default defineActor({
  type: 'ledger', scope: 'key',
  receive(messages, { logger }) {
    for (const { dedupe, body } of messages) {
      if (seen.has(dedupe)) continue;
      seen.add(dedupe);
      logger.info({ id: body.id, key: body.key, replay: body.replay }, 'booked');
    }
  },
});`;

function endpoints(routes?: object[]): string {
  const options = { signature: 'header:x-signature', id: 'body:/id', key: 'body:/order', type: 'body:/type' };
  const entry = { name: 'acme', provider: 'hmac', token: PATH_TOKEN, secrets: [SECRET], options };
  return JSON.stringify({ endpoints: [{ ...entry, ...(routes === undefined ? {} : { routes }) }] });
}

t.test('what no route took goes where there is one now', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tether-replay-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const modules = t.testdir({ 'ledger.js': ACTOR });
  const dataDir = join(directory, 'data');
  await copyTestData(postgresDir(dataDir));
  const file = join(directory, 'endpoints.yaml');
  writeFileSync(file, endpoints());
  const env = {
    TETHER_API_TOKEN: API_TOKEN,
    TETHER_ENDPOINTS: file,
    TETHER_ACTORS: join(modules, '*.js'),
    TETHER_THREADS: '1',
  };
  const node = startNodeProcess({ port: await freePort(), dataDir, env });
  t.teardown(async () => {
    if (isAlive(node.pid)) await node.killTree((pids) => pids);
  });
  await node.ready;
  const tether = async (...args: string[]) => {
    const { code, stdout, stderr } = await spawnCli(args, {
      TETHER_URL: node.url,
      TETHER_API_TOKEN: API_TOKEN,
    });
    t.equal(code, 0, stderr);
    return { stdout, stderr };
  };
  // To look again and again; the command takes most of a second of a core each time.
  const api = async (path: string) => {
    const answer = await fetch(`${node.url}${path}`, { headers: { authorization: `Bearer ${API_TOKEN}` } });
    return (await answer.json()) as { readonly events?: unknown[]; readonly state?: string };
  };
  for (let n = 0; n < COUNT; n++) {
    const body = JSON.stringify({ id: `evt_${10 + n}`, order: `o${n % 3}`, type: 'paid' });
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    const answer = await fetch(`${node.url}/webhooks/acme/${PATH_TOKEN}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-signature': signature },
      body,
    });
    t.equal(answer.status, 200);
  }
  const kept = async () => (await api('/api/events?endpoint=acme&status=unrouted')).events?.length;
  await until('they are kept', async () => (await kept()) === COUNT, 20_000);

  writeFileSync(file, endpoints([{ when: "type == 'paid'", to: 'ledger' }]));
  process.kill(node.pid, 'SIGHUP');
  await until('the node has the route', () =>
    node.output().includes('other endpoints of the file are served'),
  );
  const replay = async (...flags: string[]) => {
    const started = await tether('replay', 'start', '--all', '--endpoint', 'acme', ...flags);
    t.match(started.stderr, /^12 events are told to the actors of their routes/);
    const id = started.stdout.trim();
    await until('it is done', async () => (await api(`/api/replays/${id}`)).state === 'done', 20_000);
    const shown = JSON.parse((await tether('replay', 'show', id, '--json')).stdout);
    t.match(shown, { told: COUNT, leftOut: {}, total: COUNT });
    return id;
  };
  const booked = () =>
    node
      .output()
      .split('\n')
      .filter((line) => line.includes('"msg":"booked"'))
      .map((line) => JSON.parse(line));
  const first = await replay();
  await until('all are booked', () => booked().length === COUNT);
  await replay();
  const forced = await replay('--forced', '--yes');
  await until('once more', () => booked().length === 2 * COUNT);
  for (const [id, from] of [
    [first, 0],
    [forced, COUNT],
  ] as const) {
    const lines = booked().slice(from, from + COUNT);
    t.ok(lines.every(({ replay }) => replay.id === id && replay.forced === from > 0));
    for (const key of ['o0', 'o1', 'o2']) {
      const own = lines.filter((line) => line.key === key).map((line) => line.id);
      t.strictSame(own, [...own].sort(), 'in order');
      t.equal(own.length, COUNT / 3);
    }
  }
  t.match((await tether('audit', '--action', 'replay.create')).stdout, /replay\.create/);
  t.equal(await node.stop('SIGINT'), 0);
});
