/**
 * A cluster as an operator meets it: roles, a node that dies, one that leaves, and what happens while Redis or Postgres is away
 * (`docs/explanation/when-a-part-is-away.md` has it in a table).
 *
 * CLUSTER_TIMES=1 holds it to its times as well; they are those of a machine that does nothing else (`npm run test:cluster`).
 */
import t, { type Test } from 'tap';
import type { PartitionView, Status } from '../../gateway/index.js';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { startEmbeddedPostgres } from '../../storage/postgres/index.js';
import {
  type ClusterNodes,
  PARTITIONS,
  sendNotification,
  startCluster,
  untilShared,
} from './cluster-nodes.js';
import { checkLanes } from './lane-check.js';
import { LaneLoad } from './lane-load.js';
import { lagOf, metricOf } from './node-metrics-text.js';

const IS_TIMED = process.env.CLUSTER_TIMES === '1';
const TAKE_OVER_MS_MAX = 5_000;
const PAUSE_MS_MAX = 500;
/** A lease lasts 2.7 s from a renewal that was answered, and is renewed every second: while Redis answers sooner than this none is lost. */
const LEASE_LOST_MS_MIN = 1_500;
const API_TOKEN = 'token-of-a-test-0123456789';

t.setTimeout(240_000);

const upload = (url: string) =>
  fetch(`${url}/uploads?filename=d.csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'text/csv' },
    body: 'first_name,last_name,iban,amount\nAda,Byron,DE89370400440532013000,1.00\n',
    signal: AbortSignal.timeout(20_000),
  });

/** Writes to Redis ten times a second. `end` tells how long it went without an answer, at most; a machine that stands still shows as well. */
function watchSilence({ redis }: ClusterNodes) {
  let isOver = false;
  const watched = (async () => {
    let longest = 0;
    while (!isOver) {
      const began = performance.now();
      await redis.client.set('silence', '1', 'PX', 60_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      longest = Math.max(longest, performance.now() - began - 100);
    }
    return Math.round(longest);
  })();
  watched.catch(() => undefined);
  return {
    end: (): Promise<number> => {
      isOver = true;
      return watched;
    },
  };
}

async function eventsOf({ postgres }: ClusterNodes): Promise<number> {
  const { rows } = await postgres.pool.query<{ count: number }>('select count(*)::int as count from events');
  return rows[0]?.count ?? 0;
}

t.test('a gateway takes webhooks and files, workers do the work', async (t) => {
  const s3 = await startTestS3Server(t);
  const cluster = await startCluster(t, 3);
  const env = { TETHER_S3_URL: s3.url('shared'), TETHER_API_TOKEN: API_TOKEN };
  const [gateway = '', worker = ''] = cluster.urls;
  const started = await cluster.start(0, { ...env, TETHER_ROLE: 'gateway' });
  t.match(started.output(), /as a gateway, log in Redis/);
  t.match(started.output(), /Durability commit: .*every second/);
  for (let n = 0; n < 100; n++) t.equal((await sendNotification(gateway, n)).status, 200);
  t.equal(await lagOf(gateway), 100, 'nobody works yet');
  const headers = { authorization: `Bearer ${API_TOKEN}` };
  const posted = await upload(gateway);
  t.equal(posted.status, 201, await posted.clone().text());
  const { id } = (await posted.json()) as { readonly id: string };

  await until('the gateway says that nobody reads', async () => {
    const status = (await (await fetch(`${gateway}/api/status`, { headers })).json()) as Status;
    return status.findings[0]?.code === 'cluster-without-workers';
  });
  await Promise.all([1, 2].map((at) => cluster.start(at, { ...env, TETHER_ROLE: 'worker' })));
  await untilShared(cluster, [1, 2]);
  await until('all is done', async () => (await eventsOf(cluster)) === 100);
  await until('the gateway sees it', async () => (await lagOf(gateway)) === 0);
  await until('the file is read', async () => {
    const answer = await fetch(`${gateway}/uploads/${id}`, { headers });
    return ((await answer.json()) as { readonly state: string }).state === 'completed';
  });
  t.equal((await sendNotification(worker, 1)).status, 404, 'a worker takes none');
  t.equal(await metricOf(gateway, 'tether_cluster_partitions_owned'), 0);
  // Whichever node is asked, by a balancer say: it names all of them, and who reads each partition.
  for (const url of [worker, gateway]) {
    const ask = async <Answer>(path: string) =>
      (await (await fetch(url + path, { headers })).json()) as Answer;
    const { cluster: seen, findings } = await ask<Pick<Status, 'cluster' | 'findings'>>('/api/status');
    t.equal(seen?.nodes.length, 2);
    t.equal(seen?.gateways.length, 1);
    t.notOk(findings.some(({ code }) => code === 'cluster-without-workers'));
    await until('each partition has an owner', async () => {
      const { partitions } = await ask<{ readonly partitions: readonly PartitionView[] }>('/api/partitions');
      const owners = new Set(partitions.map(({ owner }) => owner));
      const actors = new Set(partitions.map(({ actor }) => actor));
      if (!actors.has('payment') || !actors.has('upload')) return false;
      return partitions.length === actors.size * PARTITIONS && owners.size === 2 && !owners.has(null);
    });
  }
  for (const at of [1, 2, 0]) t.equal(await cluster.node(at).stop('SIGTERM'), 0);
});

t.test(
  'what a node had that dies is done by the others, and a planned hand-over is not noticed',
  async (t) => {
    const cluster = await startCluster(t, 3, ['--appendfsync', 'always']);
    await Promise.all([0, 1, 2].map((at) => cluster.start(at)));
    await untilShared(cluster, [0, 1, 2]);
    const silence = watchSilence(cluster);
    t.teardown(() => silence.end());
    const load = new LaneLoad({
      urls: cluster.urls,
      lanes: 24,
      random: Math.random,
      ratePerSecond: 200,
      answerMsMax: 2_000,
    });
    await until('the load runs', () => load.acknowledged.total > 100);

    await cluster.node(0).killTree((pids) => pids);
    const killedAt = Date.now();
    await until(
      'the others have all of it',
      async () => (await cluster.owned()).reduce((sum, each) => sum + each, 0) === PARTITIONS,
      30_000,
    );
    const tookMs = Date.now() - killedAt;
    t.comment(`taken over ${tookMs} ms after the kill`);
    if (IS_TIMED) t.ok(tookMs < TAKE_OVER_MS_MAX, `${tookMs} ms`);
    await until('they have caught up', async () => (await lagOf(cluster.urls[1] ?? '')) < 20, 20_000);

    const from = new Date();
    t.equal(await cluster.node(1).stop('SIGTERM'), 0);
    await until('one has everything', async () => (await cluster.owned())[2] === PARTITIONS, 10_000);
    const to = new Date();
    await load.stop();
    await until('all is done', async () => (await lagOf(cluster.urls[2] ?? '')) === 0, 20_000);
    const silentMs = await silence.end();
    t.comment(`Redis was silent for ${silentMs} ms at most`);
    const said = cluster.node(1).output();
    t.notMatch(said, /did not end in order/);
    if (silentMs < LEASE_LOST_MS_MIN) t.notMatch(said, /ended before it was given back/);
    const { rows } = await cluster.postgres.pool.query<{ ms: number; count: number }>(
      `select max(extract(epoch from processed_at - received_at) * 1000)::int as ms, count(*)::int as count
     from events where received_at between $1 and $2`,
      [from, to],
    );
    t.comment(`the longest of ${rows[0]?.count} waited ${rows[0]?.ms} ms`);
    if (IS_TIMED) t.ok((rows[0]?.ms ?? 0) < PAUSE_MS_MAX, `${rows[0]?.ms} ms`);
    await checkLanes(t, cluster.postgres.pool, load.acknowledged);
  },
);

t.test('a part is away, and comes back', async (t) => {
  const cluster = await startCluster(t, 2, ['--appendfsync', 'always', '--maxmemory', '24mb']);
  await Promise.all([0, 1].map((at) => cluster.start(at, { TETHER_API_TOKEN: API_TOKEN })));
  await untilShared(cluster, [0, 1]);
  await t.test('Redis: nothing is acknowledged falsely, and it mends by itself', (t) =>
    withoutRedis(t, cluster),
  );
  await t.test(
    'Postgres: webhooks are acknowledged until Redis is full, then refused, and all of it is done later',
    (t) => withoutPostgres(t, cluster),
  );
});

async function withoutRedis(t: Test, cluster: ClusterNodes): Promise<void> {
  const [url = '', other = ''] = cluster.urls;
  t.equal((await sendNotification(url, 1)).status, 200);
  await until('it is done', async () => (await eventsOf(cluster)) === 1);
  await cluster.redis.kill();
  await until('it is noticed', async () => (await fetch(`${url}/readyz`)).status === 503);
  const refused = await sendNotification(url, 2);
  t.equal(refused.status, 503);
  const file = await upload(url);
  t.equal(file.status, 503, await file.text());
  t.ok(Number(refused.headers.get('retry-after')) > 0);
  t.match(await (await fetch(`${url}/readyz`)).text(), /"log":"away"/);
  t.equal((await fetch(`${url}/livez`)).status, 200, 'nobody restarts it for that');
  await until(
    'what they had has ended',
    async () => (await cluster.owned()).every((each) => each === 0),
    10_000,
  );
  await cluster.redis.start();
  for (const each of [url, other])
    await until('it is there again', async () => (await fetch(`${each}/readyz`)).status === 200);
  t.equal((await sendNotification(url, 2)).status, 200);
  await until('it is done', async () => (await eventsOf(cluster)) === 2, 15_000);
  await untilShared(cluster, [0, 1]);
}

async function withoutPostgres(t: Test, cluster: ClusterNodes): Promise<void> {
  const before = await eventsOf(cluster);
  await stopPostgres(t, cluster);
  let sent = 0;
  const text = 'x'.repeat(40_000);
  const end = Date.now() + 60_000;
  // Each looks at the memory of Redis by itself: what one has seen as full may be just below when the other looks, which then takes more.
  const refusing = new Set<string>();
  while (refusing.size < cluster.urls.length && Date.now() < end) {
    const taking = cluster.urls.filter((url) => !refusing.has(url));
    const url = taking[sent % taking.length] ?? '';
    const answer = await sendNotification(url, before + 1 + sent, { message: text });
    if (answer.status === 200) sent++;
    else if ((await answer.text()).includes('problem:log-full')) refusing.add(url);
    else t.comment(`${url} answered ${answer.status} for another reason`);
  }
  t.equal(refusing.size, cluster.urls.length, 'until Redis is full');
  t.ok(sent > 100, `${sent} were taken`);
  await until('both say so', async () => {
    const said = await Promise.all(cluster.urls.map(async (url) => (await fetch(`${url}/readyz`)).text()));
    return said.every((text) => text.includes('"log":"full"'));
  });
  await startPostgres(t, cluster);
  await until(
    'all of it is done',
    async () => (await eventsOf(cluster).catch(() => 0)) === before + sent,
    60_000,
  );
  await until(
    'there is room',
    async () => (await sendNotification(cluster.urls[0] ?? '', before + 1 + sent)).status === 200,
    20_000,
  );
  await until('and it goes on', async () => (await eventsOf(cluster)) === before + sent + 1, 20_000);
  for (const url of cluster.urls) t.equal(await metricOf(url, 'tether_dead_letters_written_total'), 0);
}

async function stopPostgres(t: Test, { postgres }: ClusterNodes): Promise<void> {
  await postgres.server.stop();
  t.comment('Postgres is stopped');
}

async function startPostgres(t: Test, { postgres }: ClusterNodes): Promise<void> {
  const port = Number(new URL(postgres.url).port);
  const server = await startEmbeddedPostgres({ dataDir: postgres.dataDir, port, logger: silentLogger });
  t.teardown(() => server.stop());
}
