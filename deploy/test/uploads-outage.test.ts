/** A node whose files are in S3, while S3 is down, slow, or breaks off: nothing is lost, nothing is there by half, webhooks do not notice. */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { openObjectStore } from '../../storage/objects/open.js';
import { startFaultProxy } from '../../storage/objects/test-fault-proxy.js';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { DebtorFile } from './debtor-file.js';
import { LaneLoad } from './lane-load.js';
import { idOf, UploadNode } from './upload-node.js';

const MIB = 1024 * 1024;
/** What Linux may hold of one connection on this machine, both sides: as much as 36 MiB, when its buffers have grown. */
const SOCKET_BYTES_MAX = ['rmem', 'wmem']
  .map((name) => Number(readFileSync(`/proc/sys/net/ipv4/tcp_${name}`, 'utf8').trim().split(/\s+/)[2]))
  .reduce((sum, bytes) => sum + bytes);
/** Of a body on its way to a part: the writer's two parts and the one that fills, what threads hold, and two connections. */
const HELD_BYTES_MAX = 32 * MIB + 2 * SOCKET_BYTES_MAX;

t.setTimeout(240_000);
// Both mostly wait.
t.jobs = 2;

const server = await startTestS3Server(t);

/** A node that is not started yet, the proxy before its S3, and the store as it is by itself, whatever the proxy does. */
async function setting(t: Test, bucket: string) {
  const proxy = await startFaultProxy(t, server.port);
  const store = await openObjectStore({ driver: 's3', url: server.url(bucket) });
  t.teardown(() => store.close());
  const node = await UploadNode.make(t, { TETHER_S3_URL: server.url(bucket, proxy.port) });
  const keys = async () => (await store.list('uploads/', { limit: 1_000 })).map(({ key }) => key);
  return { proxy, store, node, keys };
}

t.test(
  'S3 is down at the start: webhooks are served, uploads get 503, and later they work',
  { buffered: true },
  async (t) => {
    const { proxy, node, keys } = await setting(t, 'down');
    await proxy.set({ kind: 'refuse' });
    await node.start();
    const pool = await node.pool();
    const [small, large] = [await DebtorFile.make(1_000, 0), await DebtorFile.make(90_000, 1)];
    const refused = Promise.all([small, large].map(({ bytes }) => node.post(bytes)));
    const load = new LaneLoad({ urls: [node.url], lanes: 4, random: () => 0.5 });
    await until('webhooks are acknowledged', () => load.acknowledged.total > 200, 25_000);
    await load.stop();
    for (const { status, headers, body } of await refused) {
      t.equal(status, 503);
      t.ok(Number(headers['retry-after']) > 0);
      t.match(JSON.parse(body), { type: /unavailable/ });
    }
    await until('the webhooks are processed', async () => {
      const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM events');
      return rows[0]?.count === load.acknowledged.total;
    });

    await proxy.set({ kind: 'pass' });
    const began = performance.now();
    let id = '';
    await until(
      'an upload is taken',
      async () => {
        const posted = await node.post(small.bytes);
        if (posted.status !== 503) id = idOf(posted);
        return posted.status === 201;
      },
      60_000,
    );
    t.comment(`${Math.round(performance.now() - began)} ms after S3 is back`);
    t.match(await node.untilState(id, ['completed']), { counts: small.counts });
    t.strictSame(await keys(), [`uploads/${id}`], 'of those before nothing is there');
  },
);

t.test('S3 fails while files come in and are read', { buffered: true }, async (t) => {
  const { proxy, store, node, keys } = await setting(t, 'failing');
  await node.start();
  const pool = await node.pool();

  t.test('connections break in mid-part while a file comes in: it goes through, whole', async (t) => {
    const large = await DebtorFile.make(80_000, 1);
    await proxy.set({ kind: 'reset', afterBytes: 3 * MIB });
    const before = proxy.accepted;
    const posted = node.post(large.bytes);
    await until('some were reset', () => proxy.accepted > before + 3, 25_000);
    await proxy.set({ kind: 'pass' });
    const id = idOf(await posted);
    t.match(await node.untilState(id, ['completed']), { sha256: large.sha256, counts: large.counts });
    t.strictSame(await large.wrongRows(pool, id), []);
  });

  t.test('S3 is slow: the client is held back, and the file goes through', async (t) => {
    const line = Buffer.from(`${'x'.repeat(1_023)}\n`.repeat(64));
    const size = Math.ceil((HELD_BYTES_MAX + 64 * MIB) / line.length) * line.length;
    let sent = 0;
    const body = Readable.from(
      (function* () {
        for (; sent < size; sent += line.length) yield line;
      })(),
    );
    await proxy.set({ kind: 'slow', bytesPerSecond: 4 * MIB });
    const before = proxy.bytes;
    // Kept only: what is in it does not matter.
    const posted = node.post(body, { query: '?process=false' });
    let most = 0;
    await until(
      'some of it is kept',
      () => {
        most = Math.max(most, sent - (proxy.bytes - before));
        return proxy.bytes - before > 12 * MIB;
      },
      30_000,
    );
    t.ok(most < HELD_BYTES_MAX, `at most ${Math.round(most / MIB)} MiB of it were under way`);
    t.ok(sent < size, 'the client was held back');
    await proxy.set({ kind: 'pass' });
    const id = idOf(await posted);
    t.equal((await store.stat(`uploads/${id}`))?.bytes, size);
  });

  t.test('S3 goes down while the actor reads: it waits, and goes on', async (t) => {
    const large = await DebtorFile.make(100_000, 2);
    const id = idOf(await node.post(large.bytes));
    await proxy.set({ kind: 'refuse' });
    await until('the node says so', async () => (await node.readiness()).includes('upload waits'), 30_000);
    const waiting = await node.upload(id);
    t.notOk(['completed', 'failed'].includes(waiting.state), waiting.state);
    await proxy.set({ kind: 'pass' });
    t.match(await node.untilState(id, ['completed', 'failed'], 60_000), {
      state: 'completed',
      counts: large.counts,
    });
    t.strictSame(await large.wrongRows(pool, id), []);
  });

  t.test('S3 goes silent while the actor reads, and while a file comes in', async (t) => {
    const large = await DebtorFile.make(60_000, 3);
    const other = await DebtorFile.make(60_000, 4);
    const id = idOf(await node.post(large.bytes));
    await proxy.set({ kind: 'stall' });
    const posted = node.post(other.bytes);
    await until('the node says so', async () => (await node.readiness()).includes('upload waits'), 40_000);
    await proxy.set({ kind: 'pass' });
    const second = idOf(await posted);
    t.match(await node.untilState(id, ['completed', 'failed'], 60_000), {
      state: 'completed',
      counts: large.counts,
    });
    t.match(await node.untilState(second, ['completed', 'failed'], 60_000), {
      state: 'completed',
      counts: other.counts,
    });
    for (const [sent, upload] of [
      [large, id],
      [other, second],
    ] as const) {
      t.strictSame(await sent.wrongRows(pool, upload), []);
    }
  });

  t.test('in the end the store has what rows know, whole', async (t) => {
    const { rows } = await pool.query<{ key: string; bytes: number }>(
      'SELECT object_key AS key, bytes::int FROM uploads WHERE stored_at IS NOT NULL ORDER BY key',
    );
    t.strictSame(
      await keys(),
      rows.map(({ key }) => key),
    );
    for (const { key, bytes } of rows) t.equal((await store.stat(key))?.bytes, bytes);
    t.strictSame(await store.listMultiparts('', 100), []);
    t.equal(await node.process.stop('SIGINT'), 0);
  });
});
