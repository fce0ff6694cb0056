/** The contract of `SnapshotStore` as tests: every driver passes the same ones. Called from the driver's own test file. */
import type { Test } from 'tap';
import type { Snapshot, SnapshotStore } from '../runtime/stores/snapshot.js';

/** Opens the store, again and again on the same data; empty the first time. */
export function testSnapshotStore(t: Pick<Test, 'test'>, open: () => Promise<SnapshotStore>): void {
  const position = { log: 'a-log', partition: 3, offset: 2 ** 40 + 1 };
  const snapshot = (state: string, change: Partial<Snapshot> = {}): Snapshot => ({
    version: 1,
    state: Buffer.from(state),
    position,
    ...change,
  });

  t.test('contract: a snapshot comes back as it was saved, the latest', async (t) => {
    const store = await open();
    t.equal(await store.load('a', 'k'), undefined);
    await store.save('a', 'k', snapshot('one'));
    t.strictSame(await store.load('a', 'k'), snapshot('one'));
    const second = snapshot('', { version: Number.MAX_SAFE_INTEGER, position: undefined });
    await store.save('a', 'k', second);
    t.strictSame(await store.load('a', 'k'), second);
    const first = snapshot('x', { version: -1, position: { log: 'b', partition: 0, offset: 0 } });
    await store.save('a', 'k', first);
    t.strictSame(await store.load('a', 'k'), first);
    await store.delete('a', 'k');
    t.equal(await store.load('a', 'k'), undefined);
    await store.delete('a', 'k');
    await store.close();
  });

  t.test('contract: it survives closing', async (t) => {
    const store = await open();
    await store.save('a', 'kept', snapshot('kept'));
    await store.save('a', 'deleted', snapshot('deleted'));
    await store.delete('a', 'deleted');
    await store.close();
    await store.close();
    const again = await open();
    t.strictSame(await again.load('a', 'kept'), snapshot('kept'));
    t.equal(await again.load('a', 'deleted'), undefined);
    await again.close();
  });

  t.test('contract: any actor and key has its own, whatever is in its name', async (t) => {
    const store = await open();
    const names: readonly (readonly [string, string])[] = [
      ['a', 'bc'],
      ['ab', 'c'],
      ['abc', ''],
      ['', 'abc'],
      ['a', '../b'],
      ['a', 'B'],
      ['a', 'b'],
      ['a', '\0'],
      ['a', '\\0'],
      ['a', '\\'],
      ['a', "' OR 1=1 --"],
      ['a', 'ключ 🔑'],
      ['a', 'long'.repeat(5_000)],
      ['a', `${'long'.repeat(5_000)}er`],
    ];
    for (const [i, [actor, key]] of names.entries()) await store.save(actor, key, snapshot(`${i}`));
    for (const [i, [actor, key]] of names.entries()) {
      t.strictSame(await store.load(actor, key), snapshot(`${i}`), JSON.stringify([actor, key.slice(0, 20)]));
    }
    for (const [actor, key] of names) await store.delete(actor, key);
    await store.close();
  });

  t.test('contract: a large state, and a view of a larger buffer', async (t) => {
    const store = await open();
    const large = Buffer.alloc(3 * 1024 * 1024, 'large');
    await store.save('a', 'large', snapshot('', { state: large }));
    t.ok(large.equals((await store.load('a', 'large'))?.state ?? Buffer.alloc(0)));
    const view = new Uint8Array([9, 9, 0, 255, 9]).subarray(2, 4);
    await store.save('a', 'large', snapshot('', { state: view }));
    t.strictSame((await store.load('a', 'large'))?.state, Buffer.from([0, 255]));
    await store.delete('a', 'large');
    await store.close();
  });

  t.test('contract: saves of one key take effect in order, those of others beside them', async (t) => {
    const store = await open();
    const saves: Promise<void>[] = [];
    for (let i = 0; i < 40; i++) saves.push(store.save('a', `many${i}`, snapshot(`${i}`)));
    await Promise.all(saves);
    for (let i = 0; i < 5; i++) await store.save('a', 'many0', snapshot(`again ${i}`));
    t.strictSame((await store.load('a', 'many0'))?.state, Buffer.from('again 4'));
    t.strictSame((await store.load('a', 'many39'))?.state, Buffer.from('39'));
    for (let i = 0; i < 40; i++) await store.delete('a', `many${i}`);
    await store.close();
  });

  t.test('contract: numbers that would not come back are refused', async (t) => {
    const store = await open();
    for (const change of [
      { version: 1.5 },
      { version: Number.NaN },
      { version: 2 ** 53 },
      { position: { ...position, partition: -1 } },
      { position: { ...position, partition: 2 ** 31 } },
      { position: { ...position, offset: Number.NaN } },
    ]) {
      await t.rejects(store.save('a', 'refused', snapshot('', change)), RangeError);
    }
    t.equal(await store.load('a', 'refused'), undefined);
    await store.close();
  });
}
