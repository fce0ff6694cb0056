/** Targets as people are shown them, with what really waits in Postgres, and no secret. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { targetSchema } from '../../actors/forward/target-settings.js';
import { WaitingDeliveries } from '../../actors/forward/waiting.js';
import { silentLogger } from '../../runtime/logger.js';
import { createPool } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { NodeTargets } from './node-targets.js';

const { pool, url } = await startTestPostgres(t);
const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const target = (name: string, more: object = {}) =>
  targetSchema.parse({
    name,
    url: `https://${name}.example:8443/hunter2?key=hunter2`,
    secrets: [SECRET],
    ...more,
  });
const targets = [
  target('crm'),
  target('erp', { headers: { authorization: 'Bearer hunter2' }, ca: ['hunter2'], ratePerSecond: 5 }),
];

t.test('what waits, since when, and how the last attempt ended; also of a target that is gone', async (t) => {
  const waiting = new WaitingDeliveries(pool, 'forward', undefined);
  const put = (key: string, since: number, dueAt: number, reason: string) => {
    const message = { key, dedupe: key, receivedAt: since, traceparent: '', payload: Buffer.alloc(1) };
    return waiting.put({ ...message, id: randomUUID() }, { attempts: 1, since, dueAt, reason }, []);
  };
  await put('erp:shop:a', 1_000_000, 3_000_000, 'status 500');
  await put('erp:shop:a', 2_000_000, 2_000_000, '');
  await put('erp:shop:b', 1_500_000, 2_500_000, 'timeout');
  await put('old:shop:a', 1_000_000, 2_000_000, 'there is no such target');
  const list = await new NodeTargets(pool, () => targets).list();
  t.match(list, {
    waitingKnown: true,
    targets: [
      { name: 'crm', known: true, origin: 'https://crm.example:8443', waiting: null },
      {
        name: 'erp',
        headers: ['authorization'],
        settings: { ratePerSecond: 5, concurrency: 10, ca: 1 },
        waiting: {
          count: 3,
          more: false,
          since: new Date(1_000_000).toISOString(),
          dueAt: new Date(2_000_000).toISOString(),
          reason: 'timeout',
        },
      },
      { name: 'old', known: false, origin: '', waiting: { count: 1, reason: 'there is no such target' } },
    ],
  });
  t.notMatch(JSON.stringify(list), /hunter2|whsec_/);
  t.not(
    list.targets[0]?.secrets[0]?.digest,
    list.targets[1]?.secrets[0]?.digest,
    'a digest is of its target',
  );
});

t.test('while Postgres is away, what is configured', async (t) => {
  const away = new URL(url);
  away.port = '1';
  const gone = createPool({
    url: away.href,
    connectionsMax: 1,
    applicationName: 'test',
    logger: silentLogger,
    connectMsMax: 500,
  });
  t.teardown(() => gone.end());
  const list = await new NodeTargets(gone, () => targets).list();
  t.match(list, {
    waitingKnown: false,
    targets: [
      { name: 'crm', waiting: null },
      { name: 'erp', waiting: null },
    ],
  });
});
