/** A node that is cut off from Redis or from Postgres, while the others are well: packets are lost, no connection ends. */
import t from 'tap';
import { until } from '../../runtime/testing/until.js';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { PARTITIONS, sendNotification, startCluster, untilShared } from './cluster-nodes.js';
import { checkLanes } from './lane-check.js';
import { LaneLoad } from './lane-load.js';
import { lagOf } from './node-metrics-text.js';

t.setTimeout(180_000);

const send = async (url: string, n: number) => (await sendNotification(url, n)).status;
const readyOf = async (url: string) => (await fetch(`${url}/readyz`)).status;

/** The same URL by another port. */
function through(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = `${port}`;
  return changed.href;
}

t.test('one node is cut off from Redis: it says so, and others do its part', async (t) => {
  const cluster = await startCluster(t, 2, ['--appendfsync', 'always']);
  const proxy = await startFaultProxy(t, cluster.redis.port);
  await cluster.start(0, { TETHER_REDIS_URL: through(cluster.redis.url, proxy.port) });
  await cluster.start(1);
  await untilShared(cluster, [0, 1]);
  const [cut = '', other = ''] = cluster.urls;
  const load = new LaneLoad({ urls: [other], lanes: 16, random: Math.random, ratePerSecond: 100 });
  await until('the load runs', () => load.acknowledged.total > 50);

  await proxy.set({ kind: 'stall' });
  const cutAt = Date.now();
  await until('the other has everything', async () => (await cluster.owned())[1] === PARTITIONS, 20_000);
  t.comment(`taken over ${Date.now() - cutAt} ms after the cut`);
  await until('the one that is cut off is not ready', async () => (await readyOf(cut)) === 503, 20_000);
  const askedAt = performance.now();
  t.equal(await send(cut, 1), 503);
  t.ok(performance.now() - askedAt < 1_000, 'and refuses at once');
  t.equal((await cluster.owned())[0], 0, 'it has let go of its part');
  t.equal(await readyOf(other), 200);

  await proxy.set({ kind: 'pass' });
  await untilShared(cluster, [0, 1]);
  t.equal(await send(cut, 1), 200);
  await load.stop();
  await until('all is done', async () => (await lagOf(other)) === 0, 20_000);
  await checkLanes(t, cluster.postgres.pool, load.acknowledged);
});

t.test(
  'one node is cut off from Postgres: it takes messages, and its part waits until it is ended',
  async (t) => {
    const cluster = await startCluster(t, 2, ['--appendfsync', 'always']);
    const proxy = await startFaultProxy(t, Number(new URL(cluster.postgres.url).port));
    await cluster.start(0, {
      TETHER_DATABASE_URL: through(cluster.postgres.url, proxy.port),
      TETHER_DRAIN_MS_MAX: '2000',
    });
    await cluster.start(1);
    await untilShared(cluster, [0, 1]);
    const [cut = '', other = ''] = cluster.urls;
    await proxy.set({ kind: 'stall' });
    const SENT = 64;
    for (let n = 0; n < SENT; n++) t.equal(await send(cut, n), 200);
    t.equal(await readyOf(cut), 200);
    const events = async () =>
      (await cluster.postgres.pool.query<{ count: number }>('select count(*)::int as count from events'))
        .rows[0]?.count;
    await until("the other's part is done", async () => Number(await events()) > 0);
    // In order it would wait for the answers that do not come.
    await cluster.node(0).killTree((pids) => pids);
    await until('the other does the rest', async () => (await events()) === SENT, 30_000);
    t.equal(await lagOf(other), 0);
  },
);
