/**
 * What earlier releases have written, as bytes that nobody changes: every later release reads them. Nodes of two releases work side by side
 * while a cluster is upgraded, so what is said of writing holds as well: this release writes what the one before it reads.
 *
 * A form is added to this file by the release that is the first to write it; none is ever taken out.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openBlock, payloadIn } from '../../actors/archive/format.js';
import type { ActorRef } from '../../runtime/actor-ref.js';
import type { Announcement } from '../../runtime/cluster/membership.js';
import { decodeEnvelope, type Envelope, encodeEnvelope } from '../../runtime/envelope.js';
import { frameItems, writeFrameItem } from '../../runtime/frame.js';
import { AddressBase, Codec } from '../../runtime/kernel/codec.js';
import { silentLogger } from '../../runtime/logger.js';
import { partitionOf } from '../../runtime/partition.js';
import { replayDeadLetter } from '../../runtime/replay.js';
import { MemoryLog } from '../../runtime/testing/memory-log.js';
import { until } from '../../runtime/testing/until.js';
import { VirtualClock } from '../../runtime/testing/virtual-clock.js';
import { openFolder } from '../../storage/folder/index.js';
import { createClient, whenReady } from '../../storage/redis/client.js';
import { startTestRedis } from '../../storage/redis/test-redis-server.js';
import { parseRedisUrl } from '../../storage/redis/url.js';
import { RecentKeys } from '../../storage/redis-idempotency/recent-keys.js';
import { RedisLeases } from '../../storage/redis-leases/leases.js';
import { openRedisLog } from '../../storage/redis-log/open.js';

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Release 0.1.0: version 1 of the envelope. */
const WEBHOOK: Envelope = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  actor: 'payment',
  key: 'emp:44177a21403427eb96664a6d7e5d5d48',
  dedupe: 'sale:44177a21403427eb96664a6d7e5d5d48:approved',
  receivedAt: 1_700_000_000_123,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  payload: Buffer.from('unique_id=44177a21403427eb96664a6d7e5d5d48&status=approved'),
};
const WEBHOOK_BYTES = bytesOf(`
  9801d92430313839306135642d616339362d373734622d626363652d623330323039396138303537a77061796d656e74d924656d703a3434313737613231343033
  343237656239363636346136643765356435643438d92e73616c653a34343137376132313430333432376562393636363461366437653564356434383a61707072
  6f766564cb4278bcfe5687b000d93730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333
  312d3031c43a756e697175655f69643d3434313737613231343033343237656239363636346136643765356435643438267374617475733d617070726f766564`);
/** Texts that are no ASCII, empty ones, a small number, no payload. */
const OTHER: Envelope = {
  ...WEBHOOK,
  key: 'konto:Jürgen ✓',
  dedupe: '',
  traceparent: '',
  receivedAt: 0,
  payload: Buffer.alloc(0),
};
const OTHER_BYTES = bytesOf(`
  9801d92430313839306135642d616339362d373734622d626363652d623330323039396138303537a77061796d656e74b16b6f6e746f3a4ac3bc7267656e20e29c93
  a000a0c400`);
const FRAME_BYTES = Buffer.concat([bytesOf('04010000'), WEBHOOK_BYTES, bytesOf('47000000'), OTHER_BYTES]);
/** What `tellDurably` has put into a payload. */
const BODY_BYTES = bytesOf(`
  d472409aa474797065a6616d6f756e74a3626967a2746fa26174a474616773a3736574a56279746573a46e6f6e65a56974656d73a46d6f7665cd04e2d310000000
  00000000d4410092a76163636f756e74a137d7ff1d5353006553f10081a161920102d473009101c4020102c092d4724191a16e014102`);

t.test('envelopes, and frames of them', async (t) => {
  for (const [envelope, bytes] of [
    [WEBHOOK, WEBHOOK_BYTES],
    [OTHER, OTHER_BYTES],
  ] as const) {
    t.same(decodeEnvelope(bytes), envelope);
    t.equal(hexOf(encodeEnvelope(envelope)), hexOf(bytes));
  }
  t.strictSame([...frameItems(FRAME_BYTES)].map(hexOf), [WEBHOOK_BYTES, OTHER_BYTES].map(hexOf));
  const written = Buffer.alloc(FRAME_BYTES.length);
  writeFrameItem(written, writeFrameItem(written, 0, WEBHOOK_BYTES), OTHER_BYTES);
  t.equal(hexOf(written), hexOf(FRAME_BYTES));
});

t.test('bodies', async (t) => {
  const codec = new Codec((type, key) => ({ type, key }) as ActorRef);
  const address = Object.assign(Object.create(AddressBase.prototype), { type: 'account', key: '7' });
  const body = (to: unknown) => ({
    type: 'move',
    amount: 1_250,
    big: 2n ** 60n,
    to,
    at: new Date(1_700_000_000_123),
    tags: new Map([['a', [1, 2]]]),
    set: new Set([1]),
    bytes: Buffer.from([1, 2]),
    none: null,
    items: [{ n: 1 }, { n: 2 }],
  });
  t.same(codec.unpack(BODY_BYTES), body({ type: 'account', key: '7' }));
  t.equal(hexOf(codec.pack(body(address))), hexOf(BODY_BYTES));
});

/** Release 0.1.0: version 1 of a segment of the archive, with two blocks. */
const SEGMENT_BYTES = bytesOf(`
  5445544841524348010000005ea38c3ed381648a6b000000620000003f4e0bd50200000063ece48a5d33addc7bcfb9cd4c9cb31ac2ad1818184af3320b4b53e333536c4d
  4c0ccdcd138d0c4d0c8c4d8ccc53932ccdcccc4c12cd52cc534d534c534c2cd48a4b124b4a8b6d130b0a8af2cb525318514d8b60000200252ff7b6350000001e00000045
  c64de60100000063ece48a5d33addc7bcfb9cd4c9cb31a22b9181818aa951295ac940eef51aa05005445544852454e4402000000030000007d4c562b7e359cc9736503db
  e887203ee44e9ed75637b77f3a9110182966b8f2`);

t.test('payloads in a segment of the archive', async (t) => {
  const [first, last] = [SEGMENT_BYTES.subarray(16, 123), SEGMENT_BYTES.subarray(123, 176)].map(openBlock);
  if (first === undefined || last === undefined) throw new Error('there are two blocks');
  const id = (digit: number) => `01890a5d-ac96-774b-bcce-b302099a805${digit}`;
  t.ok(payloadIn(first, id(7), 20, 58).equals(WEBHOOK.payload));
  t.equal(payloadIn(first, id(8), 98, 0).length, 0);
  t.equal(String(payloadIn(last, id(9), 20, 10)), '{"a":"ü"}');
  const digest = createHash('sha256').update(SEGMENT_BYTES.subarray(0, -32)).digest();
  t.equal(hexOf(SEGMENT_BYTES.subarray(-32)), hexOf(digest));
});

t.test('a key has its partition in every release', async (t) => {
  t.strictSame(
    [WEBHOOK.key, OTHER.key, '', 'a'].map((key) => partitionOf(key, 64)),
    [57, 15, 11, 51],
  );
});

t.test('the log in Redis', async (t) => {
  const redis = await startTestRedis(t);
  const { client } = redis;
  await client.hset('tether:log', 'id', '0b4f9a0e-0d5c-4ee1-9d0a-3c9f2a6f2b11', 'partitions', '4');
  await client.sadd('tether:actors', 'payment');
  await client.hset('tether:{payment/2}:state', 'end', '7', 'committed', '4', 'epoch', '3');
  await client.xadd('tether:{payment/2}:frames', '5-0', 'n', '2', 'b', FRAME_BYTES);
  await client.xadd('tether:{payment/2}:frames', '7-0', 'n', '2', 'b', FRAME_BYTES);
  const log = await openRedisLog({ url: redis.url, partitions: 4 });
  t.teardown(() => log.close());
  t.equal(log.id, '0b4f9a0e-0d5c-4ee1-9d0a-3c9f2a6f2b11');
  t.strictSame(log.actors, ['payment']);
  const partition = log.open('payment')[2];
  if (partition === undefined) throw new Error('there are four');
  t.equal(await log.claim(partition), 4);
  t.strictSame([partition.committed, partition.end], [4, 7]);
  t.strictSame(
    (await partition.read(4, 1_000_000)).map(({ offset, count, body }) => [offset, count, hexOf(body)]),
    [
      [3, 2, hexOf(FRAME_BYTES)],
      [5, 2, hexOf(FRAME_BYTES)],
    ],
  );

  const heard: string[] = [];
  const listener = client.duplicate();
  t.teardown(async () => listener.disconnect());
  listener.on('message', (_channel: string, text: string) => heard.push(text));
  await listener.subscribe(`tether:appended/${log.id}`);
  const at = await new Promise<number>((appended, appendFailed) =>
    partition.append(WEBHOOK_BYTES, { appended, appendFailed }),
  );
  t.equal(at, 7);
  const [entry] = await client.xrangeBuffer('tether:{payment/2}:frames', '8-0', '8-0');
  const written = Buffer.concat([bytesOf('04010000'), WEBHOOK_BYTES]);
  t.same(entry?.[1].map(hexOf), [Buffer.from('n'), Buffer.from('1'), Buffer.from('b'), written].map(hexOf));
  await until('news of it are heard', () => heard.includes('payment/2:8'));
  await client.hset('tether:{payment/2}:state', 'end', '9');
  await client.publish(`tether:appended/${log.id}`, 'payment/1:0 payment/2:9');
  await until('news are understood', () => partition.end === 9);
});

t.test('leases, and what nodes say of themselves', async (t) => {
  const redis = await startTestRedis(t);
  const place = parseRedisUrl(redis.url);
  if (place === undefined) throw new Error('no URL');
  const [client, subscriber] = (['fails-fast', 'subscribes'] as const).map((patience) => {
    const client = createClient(place, { name: 'test', patience, replyMsMax: 1_000 });
    client.on('error', () => {});
    t.teardown(() => client.disconnect());
    return client;
  });
  if (client === undefined || subscriber === undefined) throw new Error('there are two');
  await whenReady(client, 5_000);
  const own: Announcement = { node: 'new', incarnation: 'i2', beat: 1, state: 'active' };
  const leases = new RedisLeases({
    client,
    subscriber,
    prefix: 'tether',
    holder: 'new/i2',
    ttlMs: 60_000,
  });
  await redis.client.set('tether:lease/3', 'old/i1', 'PX', 60_000);
  await redis.client.hset('tether:nodes', 'old', '{"incarnation":"i1","beat":41,"state":"leaving"}');
  t.strictSame(
    [...(await leases.announce(own))].sort((a, b) => (a.node < b.node ? -1 : 1)),
    [own, { node: 'old', incarnation: 'i1', beat: 41, state: 'leaving' }],
  );
  t.equal(await redis.client.hget('tether:nodes', 'new'), '{"incarnation":"i2","beat":1,"state":"active"}');
  t.equal(await leases.acquire(3), 'old/i1');
  t.equal(await leases.acquire(4), undefined);
  t.equal(await redis.client.get('tether:lease/4'), 'new/i2');
  // A later release may say more, and a node of it counts as one.
  await redis.client.hset(
    'tether:nodes',
    'later',
    '{"incarnation":"i3","beat":5,"state":"resting","zone":"b"}',
  );
  t.match(
    (await leases.announce(own)).find(({ node }) => node === 'later'),
    { incarnation: 'i3', beat: 5, state: 'active' },
  );
  const released: number[] = [];
  leases.onReleased((index) => released.push(index));
  await until('it is heard', async () => {
    await redis.client.publish('tether:released', '3');
    return released.length > 0;
  });
  t.equal(released[0], 3);
});

t.test('keys that Redis remembers', async (t) => {
  const redis = await startTestRedis(t);
  const place = parseRedisUrl(redis.url);
  if (place === undefined) throw new Error('no URL');
  const member = createHash('sha256').update('emp sale:1').digest().subarray(0, 16);
  await redis.client.sadd('tether:{seen/0}:1', member);
  const keys = new RecentKeys({
    place,
    prefix: 'tether',
    entriesMax: 100,
    replyMsMax: 1_000,
    clock: new VirtualClock(0, (length) => length - 1),
    logger: silentLogger,
  });
  t.teardown(() => keys.close());
  await until('it is known', async () => (await keys.known(['emp sale:1'])).size === 1);
});

t.test('a dead letter in a folder, and its way back on the log', async (t) => {
  const directory = t.testdir();
  await mkdir(join(directory, 'dead-letters'));
  await writeFile(
    join(directory, 'dead-letters', '66a4492bc18e4f932ae41e2adc75ef3f560629a9ae0cac45559aefc5acbb259e.rec'),
    bytesOf(`
      54544852011f965e299dd92430313839306135642d616339362d373734622d626363652d623330323039396138303537a77061796d656e74a16ba164cb4278bcfe
      5687b000a0c403783d31b65445544845525f524543454956455f54494d454f5554a8746f6f206c6f6e67a005cb4278bcfe56be8000c0`),
  );
  const folder = await openFolder({ directory });
  t.teardown(() => folder.close());
  const envelope = {
    ...{ id: WEBHOOK.id, actor: 'payment', key: 'k', dedupe: 'd', receivedAt: 1_700_000_000_123 },
    ...{ traceparent: '', payload: Buffer.from('x=1') },
  };
  t.same(await folder.deadLetters.get(WEBHOOK.id), {
    envelope,
    cause: { code: 'TETHER_RECEIVE_TIMEOUT', message: 'too long', stack: '' },
    attempts: 5,
    deadAt: 1_700_000_001_000,
    state: 'waiting',
    replayedAt: undefined,
  });
  const log = new MemoryLog(4);
  const parts = { store: folder.deadLetters, log, group: (_actor: string, key: string) => key };
  t.equal(await replayDeadLetter(WEBHOOK.id, parts), true);
  const partition = log.open('payment')[partitionOf('k', 4)];
  const [frame] = (await partition?.read(0, 1_000)) ?? [];
  t.same([...frameItems(frame?.body ?? Buffer.alloc(0))].map(decodeEnvelope), [envelope]);

  // Of one that a release could not decode, the payload is the envelope's bytes, and its id says which partition it was on.
  const id = '0a1b2c3d-0000-8000-8002-000000000007';
  await folder.deadLetters.put([
    {
      envelope: { ...envelope, id, dedupe: id, key: '', receivedAt: 0, payload: WEBHOOK_BYTES },
      cause: { code: 'TETHER_ENVELOPE_MALFORMED', message: '', stack: '' },
      attempts: 0,
      deadAt: 1,
    },
  ]);
  t.equal(await replayDeadLetter(id, parts), true);
  const [back] = (await log.open('payment')[2]?.read(0, 1_000)) ?? [];
  t.same([...frameItems(back?.body ?? Buffer.alloc(0))].map(decodeEnvelope), [WEBHOOK]);
});
