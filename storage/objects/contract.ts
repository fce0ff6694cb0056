/** The contract of `ObjectStore` as tests: both drivers pass the same ones. Called from the driver's own test file. */
import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Test } from 'tap';
import { type ObjectStore, PART_BYTES, PART_BYTES_MIN, type Part } from './object-store.js';

/** Opens a store that is prepared and empty, for one test. */
type OpenObjects = (t: Test) => Promise<ObjectStore>;

const NOT_FOUND = { code: 'TETHER_OBJECT_NOT_FOUND', retryable: false };
const REFUSED = { code: 'TETHER_OBJECT_REFUSED', retryable: false };
const MIB = 1024 * 1024;

export const bytesOf = async (stream: Promise<Readable>) => buffer(await stream);
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The parts of `bytes`, all but the last of the least size. */
function split(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += PART_BYTES_MIN)
    parts.push(bytes.subarray(at, at + PART_BYTES_MIN));
  return parts;
}

export function testObjectStore(t: Test, open: OpenObjects): void {
  t.test('contract: an object comes back as it was put', async (t) => {
    const store = await open(t);
    const bytes = randomBytes(100_000);
    const view = bytes.subarray(10, 99_000);
    await store.put('uploads/a', view);
    t.ok((await bytesOf(store.read('uploads/a'))).equals(view));
    const stat = await store.stat('uploads/a');
    t.equal(stat?.bytes, view.length);
    t.ok(Math.abs((stat?.modifiedAt.getTime() ?? 0) - Date.now()) < 60_000, `${stat?.modifiedAt}`);
    await store.put('empty', Buffer.alloc(0));
    t.equal((await bytesOf(store.read('empty'))).length, 0);
    t.equal((await store.stat('empty'))?.bytes, 0);
    await store.put('largest', Buffer.alloc(PART_BYTES, 7));
    t.equal((await store.stat('largest'))?.bytes, PART_BYTES);
    await t.rejects(store.put('larger', Buffer.alloc(PART_BYTES + 1)), REFUSED);
  });

  t.test('contract: put replaces; delete is idempotent', async (t) => {
    const store = await open(t);
    await store.put('a', Buffer.from('one'));
    await store.put('a', Buffer.from('other'));
    t.equal(String(await bytesOf(store.read('a'))), 'other');
    await store.delete('a');
    await store.delete('a');
    t.equal(await store.stat('a'), undefined);
    await t.rejects(store.read('a'), NOT_FOUND);
    await t.rejects(store.read('a', { start: 1 }), NOT_FOUND);
    await t.rejects(store.read('a', { start: 1, end: 1 }), NOT_FOUND);
  });

  t.test('contract: ranges', async (t) => {
    const store = await open(t);
    const bytes = randomBytes(300_000);
    await store.put('a', bytes);
    for (const [start, end] of [
      [0, undefined],
      [0, 1],
      [1, 2],
      [200_000, undefined],
      [299_999, 300_000],
      [299_990, 400_000],
      [300_000, undefined],
      [300_000, 300_001],
      [500_000, 600_000],
      [7, 7],
    ] as const) {
      const range = end === undefined ? { start } : { start, end };
      t.ok((await bytesOf(store.read('a', range))).equals(bytes.subarray(start, end)), `${start} to ${end}`);
    }
    for (const range of [{ start: -1 }, { start: 0.5 }, { start: 2, end: 1 }, { start: Number.NaN }]) {
      await t.rejects(store.read('a', range), RangeError);
    }
  });

  t.test('contract: a reader may leave early', async (t) => {
    const store = await open(t);
    await store.put('a', Buffer.alloc(4 * MIB));
    for (let i = 0; i < 6; i++) {
      const stream = await store.read('a');
      if (i % 2 === 0) for await (const _ of stream) break;
      else stream.destroy();
    }
    t.equal((await bytesOf(store.read('a'))).length, 4 * MIB);
  });

  t.test('contract: 20 MiB in parts, put in any order', async (t) => {
    const store = await open(t);
    const bytes = randomBytes(20 * MIB + 5);
    const multipart = await store.beginMultipart('uploads/big');
    const parts: Part[] = [];
    for (const [index, part] of [...split(bytes).entries()].reverse()) {
      parts.unshift(await store.putPart('uploads/big', multipart, index + 1, part));
    }
    t.strictSame(await store.listParts('uploads/big', multipart), parts);
    t.equal(await store.stat('uploads/big'), undefined, 'nothing before it is complete');
    await store.completeMultipart('uploads/big', multipart, parts);
    t.equal(sha256(await bytesOf(store.read('uploads/big'))), sha256(bytes));
    const range = { start: PART_BYTES_MIN - 3, end: PART_BYTES_MIN + 3 };
    t.ok((await bytesOf(store.read('uploads/big', range))).equals(bytes.subarray(range.start, range.end)));
    t.strictSame(await store.listMultiparts('uploads/', 10), []);

    // Some stores say that it is gone, some that it is done: the object stays.
    await store
      .completeMultipart('uploads/big', multipart, parts)
      .catch((error) => t.match(error, NOT_FOUND));
    await store.abortMultipart('uploads/big', multipart);
    t.equal((await store.stat('uploads/big'))?.bytes, bytes.length);
    t.equal((await bytesOf(store.read('uploads/big', { start: bytes.length - 9 }))).length, 9);
  });

  t.test('contract: a multipart replaces an object, with numbers that have gaps', async (t) => {
    const store = await open(t);
    await store.put('a', Buffer.from('old'));
    const multipart = await store.beginMultipart('a');
    const parts = [
      await store.putPart('a', multipart, 2, Buffer.alloc(PART_BYTES_MIN, 2)),
      await store.putPart('a', multipart, 9_999, Buffer.from('end')),
    ];
    t.equal(String(await bytesOf(store.read('a'))), 'old');
    await store.completeMultipart('a', multipart, parts);
    t.equal((await bytesOf(store.read('a', { start: PART_BYTES_MIN - 1 }))).toString('latin1'), '\u0002end');
  });

  t.test('contract: a part that is put again replaces the one before', async (t) => {
    const store = await open(t);
    const multipart = await store.beginMultipart('a');
    const first = await store.putPart('a', multipart, 1, Buffer.from('first'));
    const second = await store.putPart('a', multipart, 1, Buffer.from('second'));
    t.strictSame(await store.listParts('a', multipart), [second]);
    await t.rejects(store.completeMultipart('a', multipart, [first]), REFUSED);
    t.equal(await store.stat('a'), undefined);
    await store.completeMultipart('a', multipart, [second]);
    t.equal(String(await bytesOf(store.read('a'))), 'second');
  });

  t.test('contract: parts that can be no object are refused, and the multipart goes on', async (t) => {
    const store = await open(t);
    const multipart = await store.beginMultipart('a');
    const parts: Part[] = [];
    for (const [index, bytes] of [PART_BYTES_MIN, PART_BYTES_MIN - 1, 1].entries()) {
      parts.push(await store.putPart('a', multipart, index + 1, Buffer.alloc(bytes)));
    }
    const [one, small, last] = parts;
    if (one === undefined || small === undefined || last === undefined) throw new Error('there are three');
    const ghost = { ...last, number: 4 };
    const wrong = [
      [],
      [last, one],
      [one, one],
      [one, small, last],
      [one, ghost],
      [one, { ...last, etag: 'x' }],
    ];
    for (const given of wrong) {
      await t.rejects(store.completeMultipart('a', multipart, given), REFUSED, JSON.stringify(given));
    }
    t.equal(await store.stat('a'), undefined);
    for (const number of [0, 10_001, 1.5, Number.NaN]) {
      await t.rejects(store.putPart('a', multipart, number, Buffer.from('x')), REFUSED);
    }
    await t.rejects(store.putPart('a', multipart, 5, Buffer.alloc(PART_BYTES + 1)), REFUSED);
    await store.completeMultipart('a', multipart, [one, last]);
    t.equal((await store.stat('a'))?.bytes, PART_BYTES_MIN + 1);
  });

  t.test('contract: what is aborted is gone, and aborting is idempotent', async (t) => {
    const store = await open(t);
    const multipart = await store.beginMultipart('a');
    const part = await store.putPart('a', multipart, 1, Buffer.from('x'));
    await store.abortMultipart('a', multipart);
    await store.abortMultipart('a', multipart);
    await t.rejects(store.putPart('a', multipart, 1, Buffer.from('x')), NOT_FOUND);
    await t.rejects(store.listParts('a', multipart), NOT_FOUND);
    await t.rejects(store.completeMultipart('a', multipart, [part]), NOT_FOUND);
    await store.abortMultipart('a', 'none-such');
    await t.rejects(store.putPart('a', 'none-such', 1, Buffer.from('x')), NOT_FOUND);
    t.equal(await store.stat('a'), undefined);
    t.strictSame(await store.listMultiparts('', 10), []);
  });

  t.test('contract: multiparts under way are listed, the oldest first', async (t) => {
    const store = await open(t);
    const keys = ['uploads/b', 'uploads/a', 'other/c', 'uploads/a'];
    const begun: string[] = [];
    for (const key of keys) begun.push(await store.beginMultipart(key));
    await store.putPart('uploads/b', begun[0] ?? '', 1, Buffer.from('x'));
    const found = await store.listMultiparts('uploads/', 10);
    t.strictSame(
      found.map(({ key, multipart }) => `${key} ${multipart}`).sort(),
      [0, 1, 3].map((index) => `${keys[index]} ${begun[index]}`).sort(),
    );
    for (const [index, { startedAt }] of found.entries()) {
      t.ok(Math.abs(startedAt.getTime() - Date.now()) < 60_000, `${startedAt}`);
      t.ok(startedAt >= (found[index - 1]?.startedAt ?? new Date(0)), 'in order');
    }
    t.equal((await store.listMultiparts('', 10)).length, 4);
    t.equal((await store.listMultiparts('', 2)).length, 2);
    for (const limit of [0, 1_001, Number.NaN]) await t.rejects(store.listMultiparts('', limit), RangeError);
  });

  t.test('contract: objects are listed in pages, in the order of their keys', async (t) => {
    const store = await open(t);
    const keys = ['a', 'a-b', 'a.b', 'a/b', 'a/b/c', 'a0', 'a_b', 'b/007', 'b/1e5', 'b/true'];
    for (const key of [...keys].reverse()) await store.put(key, Buffer.from(key));
    const listed = await store.list('', { limit: 1_000 });
    t.strictSame(
      listed.map(({ key }) => key),
      keys,
    );
    t.ok(listed.every(({ key, bytes }) => bytes === key.length));
    const paged: string[] = [];
    for (let after: string | undefined; ; after = paged.at(-1)) {
      const page = await store.list('a', after === undefined ? { limit: 2 } : { after, limit: 2 });
      paged.push(...page.map(({ key }) => key));
      if (page.length < 2) break;
    }
    t.strictSame(paged, keys.slice(0, 7));
    t.strictSame(
      (await store.list('a/', { limit: 10 })).map(({ key }) => key),
      ['a/b', 'a/b/c'],
    );
    t.strictSame(await store.list('none', { limit: 10 }), []);
    t.strictSame(await store.list('', { after: 'zz', limit: 10 }), []);
    for (const limit of [0, 1_001, 1.5]) await t.rejects(store.list('', { limit }), RangeError);
  });

  t.test('contract: keys that are not ours are refused', async (t) => {
    const store = await open(t);
    const keys = [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/..',
      'a/../b',
      'a/./b',
      '.a',
      '1',
      'a b',
      'a\\b',
    ];
    for (const key of [...keys, 'a\0', 'ä', 'a%2e', 'a=b', 'a~b', 'a?x', 'a#x', `a${'b'.repeat(200)}`]) {
      const name = JSON.stringify(key);
      await t.rejects(store.put(key, Buffer.from('x')), REFUSED, name);
      await t.rejects(store.read(key), REFUSED, name);
      await t.rejects(store.stat(key), REFUSED, name);
      await t.rejects(store.delete(key), REFUSED, name);
      await t.rejects(store.beginMultipart(key), REFUSED, name);
      await t.rejects(store.putPart(key, 'x', 1, Buffer.from('x')), REFUSED, name);
      await t.rejects(store.abortMultipart(key, 'x'), REFUSED, name);
      if (key !== '') await t.rejects(store.list('', { after: key, limit: 1 }), REFUSED, name);
    }
    for (const prefix of ['/', '../', 'a/../', 'a b', 'a\0']) {
      await t.rejects(store.list(prefix, { limit: 1 }), REFUSED);
      await t.rejects(store.listMultiparts(prefix, 1), REFUSED);
    }
    const longest = `a${'b'.repeat(199)}`;
    await store.put(longest, Buffer.from('x'));
    await store.abortMultipart(longest, await store.beginMultipart(longest));
    t.equal((await store.list('', { limit: 10 })).length, 1);
  });

  t.test('contract: a reader sees one object or the other, never a mixture', async (t) => {
    const store = await open(t);
    const versions = Array.from({ length: 6 }, (_, i) => Buffer.alloc(2 * MIB, i));
    await store.put('a', versions[0] ?? Buffer.alloc(0));
    let writing = true;
    const writers = Promise.all(versions.map((bytes) => store.put('a', bytes))).finally(() => {
      writing = false;
    });
    let reads = 0;
    do {
      const bytes = await bytesOf(store.read('a'));
      if (bytes.length !== 2 * MIB || !bytes.equals(Buffer.alloc(2 * MIB, bytes[0]))) t.fail('a mixture');
      reads++;
    } while (writing);
    await writers;
    t.ok(reads > 0, `${reads} reads`);
  });

  t.test('contract: a store that is closed is of no use', async (t) => {
    const store = await open(t);
    await store.close();
    await store.close();
    await t.rejects(store.put('a', Buffer.from('x')), REFUSED);
    await t.rejects(store.read('a'), REFUSED);
  });
}
