import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ManualClock, systemClock } from '../../runtime/clock.js';
import { until } from '../../runtime/testing/until.js';
import { bytesOf } from './contract.js';
import { ObjectNotFoundError, ObjectRefusedError, ObjectStoreUnavailableError } from './errors.js';
import { FolderObjectStore } from './folder/folder-store.js';
import { PART_BYTES, PART_BYTES_MIN, type Part } from './object-store.js';
import { ObjectWriter } from './object-writer.js';
import { PartBudget } from './part-budget.js';

const KIB = 1024;

/** A real store that counts its calls, and whose calls a test may hold up or let fail. */
class TriedStore extends FolderObjectStore {
  readonly calls: string[] = [];
  before: (call: string) => Promise<void> = async () => {};
  after: (call: string) => Promise<void> = async () => {};

  override put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#tried(`put ${bytes.length}`, () => super.put(key, bytes));
  }

  override beginMultipart(key: string): Promise<string> {
    return this.#tried('begin', () => super.beginMultipart(key));
  }

  override putPart(key: string, multipart: string, number: number, bytes: Uint8Array): Promise<Part> {
    return this.#tried(`part ${number} ${bytes.length}`, () => super.putPart(key, multipart, number, bytes));
  }

  override completeMultipart(key: string, multipart: string, parts: readonly Part[]): Promise<void> {
    return this.#tried('complete', () => super.completeMultipart(key, multipart, parts));
  }

  override abortMultipart(key: string, multipart: string): Promise<void> {
    return this.#tried('abort', () => super.abortMultipart(key, multipart));
  }

  async #tried<T>(call: string, work: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    await this.before(call);
    const result = await work();
    await this.after(call);
    return result;
  }
}

async function setUp(t: Test, clock = systemClock) {
  const directory = mkdtempSync(join(tmpdir(), 'tether-objects-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const store = new TriedStore(directory);
  await store.prepare();
  const budget = new PartBudget(4 * PART_BYTES, clock);
  const writer = new ObjectWriter(store, 'a', budget, clock);
  const left = () =>
    ['multiparts', 'temporary', 'objects'].flatMap((name) => readdirSync(join(directory, name)));
  return { store, budget, writer, left };
}

async function writeAll(writer: ObjectWriter, bytes: Buffer, chunkBytes = 64 * KIB): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes)
    await writer.write(bytes.subarray(at, at + chunkBytes));
}

const outage = () => new ObjectStoreUnavailableError('away');

t.test('of any length, in chunks of any length', async (t) => {
  for (const [bytes, chunkBytes, calls] of [
    [0, 1, ['put 0']],
    [1, 1, ['put 1']],
    [300 * KIB, 999, [`put ${300 * KIB}`]],
    [PART_BYTES, 64 * KIB, [`put ${PART_BYTES}`]],
    [PART_BYTES + 1, 100_000, ['begin', `part 1 ${PART_BYTES}`, 'part 2 1', 'complete']],
    [2 * PART_BYTES, 20 * 1024 * KIB, ['begin', `part 1 ${PART_BYTES}`, `part 2 ${PART_BYTES}`, 'complete']],
  ] as const) {
    const { store, budget, writer, left } = await setUp(t);
    const data = randomBytes(bytes);
    await writeAll(writer, data, chunkBytes);
    t.strictSame(await writer.finish(), { bytes });
    t.strictSame(store.calls.sort(), [...calls].sort());
    t.ok((await bytesOf(store.read('a'))).equals(data));
    t.strictSame([left(), budget.held], [['a'], 0]);
    await writer.abort();
    t.strictSame(left(), ['a'], 'an abort comes too late');
  }
});

t.test('a chunk is copied, and one comes after the other', async (t) => {
  const { store, writer } = await setUp(t);
  const chunk = Buffer.from('first');
  t.equal(writer.write(chunk), undefined);
  chunk.fill('x');
  await writer.finish();
  t.equal(String(await bytesOf(store.read('a'))), 'first');
  await t.rejects(async () => writer.write(chunk), /finished/);
  await t.rejects(writer.finish(), /finished/);
});

t.test('two parts are on their way at once, and a third waits', async (t) => {
  const { store, writer, budget } = await setUp(t);
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  store.before = (call) => (call.startsWith('part') ? held : Promise.resolve());
  const room = writer.write(Buffer.alloc(3 * PART_BYTES + 1));
  t.throws(() => writer.write(Buffer.alloc(1)), /one chunk after the other/);
  await t.rejects(writer.finish(), /last chunk/);
  await until('two are put', () => store.calls.length === 3);
  t.equal(budget.held, 3 * PART_BYTES);
  letGo();
  await room;
  await writer.finish();
  t.equal((await store.stat('a'))?.bytes, 3 * PART_BYTES + 1);
});

t.test('an outage is waited for, and no longer than it may last', async (t) => {
  const clock = new ManualClock();
  const { store, writer, budget, left } = await setUp(t, clock);
  let failures = 3;
  store.before = async (call) => {
    if (call.startsWith('part') && failures-- > 0) throw outage();
  };
  await writer.write(Buffer.alloc(PART_BYTES + 1));
  for (const tries of [2, 3, 4]) {
    await until('it waits', () => clock.pending === 1);
    clock.advance(5_000);
    await until(
      `${tries} tries`,
      () => store.calls.filter((call) => call.startsWith('part 1')).length === tries,
    );
  }
  store.before = async (call) => {
    if (call === 'complete') throw outage();
  };
  const finished = writer.finish();
  const refused = t.rejects(finished, { code: 'TETHER_OBJECTS_UNAVAILABLE', message: 'away' });
  const began = clock.now();
  let over = false;
  void refused.then(() => {
    over = true;
  });
  await until('it gives up', () => {
    if (clock.pending > 0) clock.advance(1_000);
    return over;
  });
  t.ok(clock.now() - began <= 30_000 && clock.now() - began > 20_000, `${clock.now() - began} ms`);
  await t.rejects(async () => writer.write(Buffer.alloc(1)), { message: 'away' });
  await writer.abort();
  t.strictSame([left(), budget.held], [[], 0]);
});

t.test('a refusal ends it at once', async (t) => {
  const { store, writer, budget, left } = await setUp(t);
  store.before = async (call) => {
    if (call.startsWith('part')) throw new ObjectRefusedError('no');
  };
  await t.rejects(writeAll(writer, Buffer.alloc(5 * PART_BYTES)), { code: 'TETHER_OBJECT_REFUSED' });
  t.ok(store.calls.filter((call) => call.startsWith('part')).length <= 2);
  await t.rejects(writer.finish(), { code: 'TETHER_OBJECT_REFUSED' });
  await writer.abort();
  t.strictSame([left(), budget.held], [[], 0]);
});

t.test('a completion whose answer is lost is found out', async (t) => {
  const { store, writer, budget } = await setUp(t);
  let lost = 0;
  store.after = async (call) => {
    if (call === 'complete' && lost++ === 0) throw outage();
  };
  await writeAll(writer, Buffer.alloc(PART_BYTES + 5));
  t.strictSame(await writer.finish(), { bytes: PART_BYTES + 5 });
  t.equal(store.calls.filter((call) => call === 'complete').length, 2);

  // The object that is there is an older one: nothing says that it is this.
  const again = new ObjectWriter(store, 'a', budget, systemClock);
  store.before = async (call) => {
    if (call === 'complete') throw new ObjectNotFoundError('the multipart is gone');
  };
  await writeAll(again, Buffer.alloc(PART_BYTES + 5));
  await t.rejects(again.finish(), { code: 'TETHER_OBJECT_NOT_FOUND' });
});

t.test('an abort leaves nothing, whenever it comes', async (t) => {
  const stages: Record<string, (writer: ObjectWriter) => Promise<unknown>> = {
    'before all': async () => {},
    'with a little': async (writer) => writer.write(Buffer.alloc(100)),
    'while parts are put': async (writer) => writer.write(Buffer.alloc(PART_BYTES * 2 + 1)),
    'while it finishes': async (writer) => {
      await writer.write(Buffer.alloc(PART_BYTES * 2 + 1));
      return { finishing: t.rejects(writer.finish(), { code: 'TETHER_OBJECT_WRITE_ABORTED' }) };
    },
  };
  for (const [stage, come] of Object.entries(stages)) {
    const { store, writer, budget, left } = await setUp(t);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    store.before = (call) => (call.startsWith('part 2') ? held : Promise.resolve());
    await come(writer);
    const aborted = Promise.all([writer.abort(), writer.abort()]);
    setImmediate(letGo);
    await aborted;
    t.strictSame([left(), budget.held, budget.waiting], [[], 0, 0], stage);
    await t.rejects(async () => writer.write(Buffer.alloc(1)), { code: 'TETHER_OBJECT_WRITE_ABORTED' });
  }
});

t.test('without memory a writer puts what can be a part, and then waits', async (t) => {
  const { store, budget, writer } = await setUp(t);
  await writer.write(Buffer.alloc(PART_BYTES_MIN));
  const others = Array.from({ length: 3 }, () => budget.open());
  for (const other of others) while (other.bytes.length < PART_BYTES && budget.tryGrow(other, false));
  const before = budget.held;
  await writer.write(Buffer.alloc(1));
  await until('the part is put', () => store.calls.includes(`part 1 ${PART_BYTES_MIN}`));
  t.ok(budget.held <= 4 * PART_BYTES, `${before}, then ${budget.held}`);
  for (const other of others) budget.close(other);
  await writer.finish();
  t.equal((await store.stat('a'))?.bytes, PART_BYTES_MIN + 1);
});
