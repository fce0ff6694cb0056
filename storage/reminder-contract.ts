/** The contract of `ReminderStore` as tests: every driver passes the same ones. Called from the driver's own test file. */
import type { Test } from 'tap';
import type { Reminder, ReminderStore } from '../runtime/stores/reminder.js';

const LAST = 2 ** 48 - 1;

export function reminder(change: Partial<Reminder> = {}): Reminder {
  return {
    ...{ actor: 'a', key: 'k', name: 'n', dueAt: 1_700_000_000_123, everyMs: undefined },
    body: Buffer.from('body'),
    ...change,
  };
}

/** Opens the store, again and again on the same data; empty the first time. Each test leaves it empty. */
export function testReminderStore(t: Pick<Test, 'test'>, open: () => Promise<ReminderStore>): void {
  const remove = async (store: ReminderStore, reminders: readonly Reminder[]): Promise<void> => {
    for (const { actor, key, name } of reminders) await store.delete(actor, key, name);
    if ((await store.next()) !== undefined) throw new Error('the test leaves a reminder');
    await store.close();
  };
  const namesOf = (reminders: readonly Reminder[]): string[] => reminders.map(({ name }) => name);

  t.test('contract: a reminder comes back as it was put, and replaces the one of its name', async (t) => {
    const store = await open();
    t.equal(await store.next(), undefined);
    t.strictSame(await store.due(LAST, 10), []);
    const first = reminder({ everyMs: 1_000 });
    await store.put(first);
    t.strictSame(await store.due(LAST, 10), [first]);
    t.strictSame(await store.list('a', 'k'), [first]);
    t.equal(await store.next(), first.dueAt);
    const second = reminder({ dueAt: LAST, body: new Uint8Array([9, 0, 255, 9]).subarray(1, 3) });
    await store.put(second);
    t.strictSame(await store.list('a', 'k'), [{ ...second, body: Buffer.from([0, 255]) }]);
    t.equal(await store.next(), LAST);
    t.equal(await store.delete('a', 'k', 'n'), true);
    t.equal(await store.delete('a', 'k', 'n'), false);
    t.strictSame(await store.list('a', 'k'), []);
    await remove(store, []);
  });

  t.test('contract: what is due, the earliest first, at most so many', async (t) => {
    const store = await open();
    const all = [5, 3, 1, 4, 2].map((dueAt) => reminder({ name: `${dueAt}`, dueAt }));
    for (const each of all) await store.put(each);
    t.strictSame(namesOf(await store.due(3, 10)), ['1', '2', '3'], 'its own millisecond included');
    t.strictSame(namesOf(await store.due(LAST, 2)), ['1', '2']);
    t.strictSame(await store.due(0, 10), []);
    t.equal(await store.next(), 1);
    await store.put(reminder({ name: '1', dueAt: 10 }));
    t.equal(await store.next(), 2);
    t.strictSame(namesOf(await store.due(LAST, 10)), ['2', '3', '4', '5', '1']);
    await remove(store, all);
  });

  t.test('contract: advance moves on or deletes, unless it was changed', async (t) => {
    const store = await open();
    const first = reminder({ dueAt: 10, everyMs: 1_000 });
    await store.put(first);
    t.equal(await store.advance(reminder({ dueAt: 11, everyMs: 1_000 }), 20), false, 'another time');
    t.equal(await store.advance(reminder({ dueAt: 10 }), 20), false, 'another period');
    t.equal(await store.advance(reminder({ name: 'none', dueAt: 10 }), 20), false);
    t.equal(await store.advance(first, 1_010), true);
    t.equal(await store.advance(first, 1_010), false, 'not twice');
    t.strictSame(await store.list('a', 'k'), [{ ...first, dueAt: 1_010 }]);
    t.equal(await store.advance({ ...first, dueAt: 1_010 }, undefined), true);
    t.strictSame(await store.list('a', 'k'), []);
    t.equal(await store.advance({ ...first, dueAt: 1_010 }, undefined), false);
    const once = reminder({ dueAt: 5 });
    await store.put(once);
    t.equal(await store.advance({ ...once, everyMs: 1_000 }, undefined), false, 'it was periodic before');
    t.equal(
      await store.advance({ ...once, body: Buffer.alloc(0) }, undefined),
      true,
      'the body does not matter',
    );
    await remove(store, []);
  });

  t.test('contract: two that advance one reminder: one of them does', async (t) => {
    const store = await open();
    const once = reminder();
    await store.put(once);
    const ends = await Promise.all(Array.from({ length: 5 }, () => store.advance(once, undefined)));
    t.equal(ends.filter(Boolean).length, 1);
    await remove(store, []);
  });

  t.test('contract: a list is of one key, by name', async (t) => {
    const store = await open();
    const names = ['b', 'a', '\0', '\\0', '🔑', '\uFFEE', '../x', 'x'.repeat(200)];
    const own = names.map((name) => reminder({ name }));
    const others = [reminder({ key: 'other' }), reminder({ actor: 'ak', key: '' })];
    const long = reminder({ key: 'long'.repeat(5_000) });
    for (const each of [...own, ...others, long]) await store.put(each);
    t.strictSame(namesOf(await store.list('a', 'k')), [...names].sort());
    t.strictSame(await store.list('a', 'other'), others.slice(0, 1));
    t.strictSame(await store.list('a', long.key), [long]);
    t.strictSame(await store.list('a', 'none'), []);
    await remove(store, [...own, ...others, long]);
  });

  t.test('contract: it survives closing', async (t) => {
    const store = await open();
    const kept = reminder({ name: 'kept', dueAt: 7, everyMs: 60_000 });
    const moved = reminder({ name: 'moved', dueAt: 3 });
    for (const each of [kept, moved, reminder({ name: 'gone' })]) await store.put(each);
    await store.advance(moved, 4);
    await store.delete('a', 'k', 'gone');
    await store.close();
    await store.close();
    const again = await open();
    t.strictSame(await again.due(LAST, 10), [{ ...moved, dueAt: 4 }, kept]);
    t.strictSame(namesOf(await again.list('a', 'k')), ['kept', 'moved']);
    t.equal(await again.next(), 4);
    await remove(again, [kept, moved]);
  });

  t.test('contract: many at once', async (t) => {
    const store = await open();
    const many = Array.from({ length: 100 }, (_, i) => reminder({ name: `${i}`, dueAt: (i * 37) % 100 }));
    await Promise.all(many.map((each) => store.put(each)));
    t.strictSame(
      (await store.due(49, 100)).map(({ dueAt }) => dueAt),
      Array.from({ length: 50 }, (_, i) => i),
    );
    t.equal((await Promise.all(many.map((each) => store.advance(each, undefined)))).every(Boolean), true);
    await remove(store, []);
  });
}
