/** An S3 server that is away, silent, slow, or fails in the middle: by a proxy in front of a real one. */
import { randomBytes, randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { systemClock } from '../../../runtime/clock.js';
import { until } from '../../../runtime/testing/until.js';
import { bytesOf, sha256 } from '../contract.js';
import { PART_BYTES } from '../object-store.js';
import { ObjectWriter } from '../object-writer.js';
import { PartBudget } from '../part-budget.js';
import { startFaultProxy } from '../test-fault-proxy.js';
import { startTestS3Server } from '../test-s3-server.js';
import { type S3Limits, S3ObjectStore } from './s3-store.js';
import { parseS3Url } from './url.js';

const MIB = 1024 * 1024;
const UNAVAILABLE = { code: 'TETHER_OBJECTS_UNAVAILABLE', outage: true, retryable: true };

function openAt(t: Test, url: string, limits: Partial<S3Limits>): S3ObjectStore {
  const { location } = parseS3Url(url);
  if (location === undefined) throw new Error('the URL is good');
  const store = new S3ObjectStore(location, { limits });
  t.teardown(() => store.close());
  return store;
}

/** How long a call took that has to fail. */
async function failing(t: Test, call: Promise<unknown>, message: RegExp): Promise<number> {
  const began = performance.now();
  await t.rejects(call, { ...UNAVAILABLE, message });
  return performance.now() - began;
}

t.test('s3 with faults', async (t) => {
  const server = await startTestS3Server(t);
  const proxy = await startFaultProxy(t, server.port);
  const prefix = () => `bucket/t${randomUUID()}`;
  const open = (t: Test, limits: Partial<S3Limits> = {}) =>
    openAt(t, server.url(prefix(), proxy.port), limits);
  await openAt(t, server.url(prefix()), {}).prepare();

  t.test('a server that is away', async (t) => {
    const store = open(t);
    await store.put('a', Buffer.from('x'));
    await proxy.set({ kind: 'refuse' });
    t.ok((await failing(t, store.put('a', Buffer.from('y')), /ECONNREFUSED/)) < 2_000, 'tells at once');
    await failing(t, store.read('a'), /ECONNREFUSED/);
    await failing(t, store.stat('a'), /ECONNREFUSED/);
    await failing(t, store.prepare(), /ECONNREFUSED/);
    await failing(t, store.listMultiparts('', 1), /ECONNREFUSED/);
    await proxy.set({ kind: 'pass' });
    t.equal(String(await bytesOf(store.read('a'))), 'x', 'and is used again when it is back');
  });

  t.test('a server that accepts and is silent', async (t) => {
    const url = server.url(prefix(), proxy.port);
    const patient = openAt(t, url, {});
    await patient.put('a', Buffer.alloc(4 * MIB));
    const store = openAt(t, url, { idleMs: 300 });
    const reading = await store.read('a');
    await proxy.set({ kind: 'stall' });
    for (const call of [
      () => store.put('a', Buffer.from('y')),
      () => store.putPart('a', 'x', 1, Buffer.alloc(MIB)),
      () => store.read('a'),
      () => store.stat('a'),
    ]) {
      const ms = await failing(t, call(), /silent for 300 ms/);
      t.ok(ms > 250 && ms < 2_000, `${Math.round(ms)} ms`);
    }
    await t.rejects(bytesOf(Promise.resolve(reading)), UNAVAILABLE, 'a stream that is read, too');
    await proxy.set({ kind: 'pass' });
    t.equal((await patient.stat('a'))?.bytes, 4 * MIB);
  });

  t.test('a call that never ends, though it is not silent', async (t) => {
    const store = open(t, { putMs: 500 });
    await proxy.set({ kind: 'slow', bytesPerSecond: 100_000 });
    t.ok((await failing(t, store.put('a', Buffer.alloc(2 * MIB)), /not within 500 ms/)) < 2_000);
    await proxy.set({ kind: 'pass' });
    t.equal(await store.stat('a'), undefined, 'nothing of it is there');
  });

  t.test('a reader that pauses is not taken for a server that is silent', async (t) => {
    const bytes = randomBytes(6 * MIB);
    const url = server.url(prefix(), proxy.port);
    await openAt(t, url, {}).put('a', bytes);
    const stream = await openAt(t, url, { idleMs: 500 }).read('a');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      if (chunks.length === 0) await new Promise((resolve) => setTimeout(resolve, 1_000));
      chunks.push(chunk);
    }
    t.ok(Buffer.concat(chunks).equals(bytes));
  });

  t.test('an object that breaks off while it is read is an error, never a short object', async (t) => {
    const store = open(t);
    await store.put('a', Buffer.alloc(6 * MIB));
    await proxy.set({ kind: 'slow', bytesPerSecond: 4 * MIB });
    const stream = await store.read('a');
    await new Promise((resolve) => stream.once('data', resolve));
    await proxy.set({ kind: 'refuse' });
    await t.rejects(bytesOf(Promise.resolve(stream)), UNAVAILABLE);
    await proxy.set({ kind: 'pass' });
  });

  t.test('a part that fails in its middle is put again by its writer', async (t) => {
    const store = open(t);
    const writer = new ObjectWriter(store, 'a', new PartBudget(3 * PART_BYTES, systemClock), systemClock);
    const bytes = randomBytes(20 * MIB + 17);
    await proxy.set({ kind: 'reset', afterBytes: 3 * MIB });
    let healed = false;
    const before = proxy.accepted;
    for (let at = 0; at < bytes.length; at += 64 * 1024) {
      if (!healed && at > PART_BYTES + 5 * MIB) {
        await until('a part was cut off, and tried again', () => proxy.accepted > before + 3);
        await proxy.set({ kind: 'pass' });
        healed = true;
      }
      await writer.write(bytes.subarray(at, at + 64 * 1024));
    }
    t.strictSame(await writer.finish(), { bytes: bytes.length });
    t.ok(healed);
    t.equal(sha256(await bytesOf(store.read('a'))), sha256(bytes));
    t.strictSame(await store.listMultiparts('', 10), []);
  });

  t.test('an outage that outlasts the writer ends it; its abort leaves no part', async (t) => {
    const store = open(t);
    const budget = new PartBudget(3 * PART_BYTES, systemClock);
    const writer = new ObjectWriter(store, 'a', budget, systemClock, { outageMsMax: 500 });
    await writer.write(Buffer.alloc(PART_BYTES + 1));
    await until('a part is there', async () => {
      const [multipart] = await store.listMultiparts('', 10);
      return multipart !== undefined && (await store.listParts('a', multipart.multipart)).length === 1;
    });
    await proxy.set({ kind: 'refuse' });
    await writer.write(Buffer.alloc(PART_BYTES));
    await t.rejects(writer.finish(), UNAVAILABLE);
    await t.rejects(async () => writer.write(Buffer.alloc(1)), UNAVAILABLE, 'and says so again');
    await proxy.set({ kind: 'pass' });
    await writer.abort();
    t.strictSame(await store.listMultiparts('', 10), []);
    t.equal(await store.stat('a'), undefined);
    t.equal(budget.held, 0);
  });

  t.test('a slow server slows the writer down, in bounded memory', async (t) => {
    const store = open(t);
    const budget = new PartBudget(3 * PART_BYTES, systemClock);
    const writer = new ObjectWriter(store, 'a', budget, systemClock);
    await proxy.set({ kind: 'slow', bytesPerSecond: 12 * MIB });
    let [written, heldMax, waited] = [0, 0, 0];
    const chunk = Buffer.alloc(64 * 1024, 1);
    const before = proxy.bytes;
    while (written < 36 * MIB) {
      const room = writer.write(chunk);
      if (room !== undefined) {
        waited++;
        await room;
      }
      written += chunk.length;
      heldMax = Math.max(heldMax, budget.held);
      const ahead = written - (proxy.bytes - before);
      if (ahead > 4 * PART_BYTES) t.fail(`${ahead} bytes ahead of the server`);
    }
    t.ok(waited > 0, `waited ${waited} times`);
    t.ok(heldMax <= 3 * PART_BYTES, `${heldMax} bytes were held`);
    await writer.abort();
    await proxy.set({ kind: 'pass' });
    t.equal(budget.held, 0);
    t.strictSame(await store.listMultiparts('', 10), []);
  });
});
