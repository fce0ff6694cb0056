/** A node notes its start with what changed since the last, without a secret, and removes entries that are old, and no others. */
import t from 'tap';
import { silentLogger } from '../runtime/logger.js';
import { AuditTable } from '../storage/postgres/index.js';
import { createPool } from '../storage/postgres/pool.js';
import { startTestPostgres } from '../storage/postgres/test-server.js';
import { configView } from './config-view.js';
import { NodeAudit } from './node-audit.js';

const DAY_MS = 86_400_000;
const { pool, url } = await startTestPostgres(t);
const table = new AuditTable(pool);

async function start(env: Record<string, string>, keepDays = 0, node = 'a/127.0.0.1:8080') {
  const keys = configView(
    { resolvedEnv: env, secretFiles: new Map([['TETHER_REDIS_URL' as const, '/run/secrets/redis']]) },
    new Map(),
    [],
  );
  const audit = new NodeAudit({
    table,
    keys,
    version: '1.0.0',
    keepDays,
    logger: silentLogger,
    now: Date.now,
  });
  audit.begin(node);
  await audit.stop();
}

t.test('a start is noted beside the one before', async (t) => {
  await start({ TETHER_THREADS: '2', TETHER_API_TOKEN: 'a-token-of-some-length' });
  await start({ TETHER_THREADS: '9' }, 0, 'b/127.0.0.1:8080');
  await start({ TETHER_THREADS: '4', TETHER_API_TOKEN: 'another-token-of-some' });
  const entries = await table.list({ limit: 10 });
  const settings = {
    version: '1.0.0',
    TETHER_API_TOKEN: 'secret',
    TETHER_REDIS_URL: 'secret, of /run/secrets/redis',
  };
  t.match(entries[0], { client: 'system', action: 'node.start', target: 'a/127.0.0.1:8080' });
  t.strictSame(entries[0]?.before, { ...settings, TETHER_THREADS: '2' });
  t.strictSame(entries[0]?.after, { ...settings, TETHER_THREADS: '4' });
  t.equal(entries[2]?.before, null);
  t.notMatch(JSON.stringify(entries), 'token-of-some');
});

t.test('what is older than it is to be kept is removed, and nothing where all is kept', async (t) => {
  const entry = { client: 'ann', action: 'pool.change', target: 'payment', before: null, after: null };
  for (const days of [400, 31, 29]) await table.record({ ...entry, at: Date.now() - days * DAY_MS });
  const old = async () => (await table.list({ action: 'pool.change', limit: 10 })).length;
  await start({});
  t.equal(await old(), 3);
  t.equal(await table.removeOlder(30, 1), 1, 'a bounded number');
  await start({}, 30);
  t.equal(await old(), 1);
  t.equal(await table.removeOlder(30, 10), 0);
});

t.test('Postgres away stops nothing', async (t) => {
  const own = createPool({ url, connectionsMax: 1, applicationName: 'tether test', logger: silentLogger });
  await own.end();
  const lines: string[] = [];
  const note = (_: unknown, message: string) => void lines.push(message);
  const audit = new NodeAudit({
    ...{ table: new AuditTable(own), keys: [], version: '1.0.0', keepDays: 1, now: Date.now },
    logger: { ...silentLogger, error: note, warn: note },
  });
  audit.begin('a');
  await audit.stop();
  t.match(lines, [/the start is not in the audit log/, /were not removed/]);
});
