/** A node with an archive, as a user starts it: a webhook that is old leaves Postgres, and is shown as before. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { createPool, embeddedPostgresUrl } from '../../storage/postgres/index.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { objectsDir, postgresDir } from '../data-dir.js';
import { isAlive, startNodeProcess } from './node-process.js';

t.setTimeout(60_000);

const API_TOKEN = 'a-token-of-some-length';
const ID = createHash('md5').update('a payment').digest('hex');
const SIGNATURE = createHash('sha1').update(`${ID}test-api-password-1`).digest('hex');
const BODY = `unique_id=${ID}&status=approved&amount=4999&currency=EUR&signature=${SIGNATURE}`;

t.test('out of Postgres, and back over the API', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tether-archive-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const dataDir = join(directory, 'data');
  await copyTestData(postgresDir(dataDir));
  const port = await freePort();
  const start = async (env: Readonly<Record<string, string>>) => {
    const node = startNodeProcess({
      port,
      dataDir,
      env: { TETHER_API_TOKEN: API_TOKEN, TETHER_THREADS: '1', ...env },
    });
    t.teardown(async () => {
      if (isAlive(node.pid)) await node.killTree((pids) => pids);
    });
    await node.ready;
    const onDatabase = async (sql: string) => {
      const url = (await embeddedPostgresUrl(postgresDir(dataDir))) ?? '';
      const pool = createPool({
        url,
        connectionsMax: 1,
        applicationName: 'tether test',
        logger: silentLogger,
      });
      try {
        return (await pool.query(sql)).rows;
      } finally {
        await pool.end();
      }
    };
    const api = async (method: string, path: string) => {
      const headers = { authorization: `Bearer ${API_TOKEN}` };
      const answer = await fetch(`${node.url}${path}`, { method, headers });
      return { status: answer.status, json: (await answer.json()) as { readonly events?: unknown[] } };
    };
    return { node, onDatabase, api };
  };

  const first = await start({});
  const sent = await fetch(`${first.node.url}/webhooks/emp/dev`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: BODY,
  });
  t.equal(sent.status, 200);
  // Over the API: the node answers before it has made its tables.
  await until(
    'it takes effect',
    async () => (await first.api('GET', '/api/events')).json.events?.length === 1,
  );
  await first.onDatabase(`UPDATE events SET processed_at = now() - interval '1 day'`);
  t.equal(await first.node.stop('SIGTERM'), 0);

  const second = await start({ TETHER_ARCHIVE_AFTER_MS: '60000' });
  await until(
    'it is archived',
    async () => (await second.onDatabase('SELECT 1 FROM events WHERE payload IS NULL')).length === 1,
    // Its thread stands back: on a busy machine it gets little.
    30_000,
  );
  t.match(readdirSync(join(objectsDir(dataDir), 'objects')), { length: 1 });
  const [event] = await second.onDatabase('SELECT id, segment FROM events');
  const path = `/api/events/${event?.id}`;
  t.match(await second.api('GET', path), {
    status: 200,
    json: {
      event: { segment: event?.segment, bytes: BODY.length },
      payload: { bytes: BODY.length },
      payloadMissing: null,
    },
  });
  t.match(await second.api('POST', `${path}/reveal`), { status: 200, json: { payloadText: BODY } });
  t.equal(await second.node.stop('SIGTERM'), 0);
});
