/** The contract of `DeadLetterStore` as tests: every driver passes the same ones. Called from the driver's own test file. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { DeadLetter, DeadLetterStore } from '../runtime/stores/dead-letter.js';

export function letter(change: Partial<DeadLetter['envelope']> = {}, deadAt = 1_000): DeadLetter {
  return {
    envelope: {
      id: randomUUID(),
      actor: 'payment',
      key: 'emp:1',
      dedupe: 'processing:1::approved',
      receivedAt: 1_700_000_000_123,
      traceparent: '',
      payload: Buffer.from([0, 1, 254, 255]),
      ...change,
    },
    cause: { code: 'TETHER_TEST', message: 'no', stack: 'Error: no\n  at test' },
    attempts: 5,
    deadAt,
  };
}

/** Opens a store that is empty, for one test; `now` is its clock. */
export type OpenDeadLetters = (t: Test, now: () => number) => Promise<DeadLetterStore>;

export function testDeadLetterStore(t: Test, open: OpenDeadLetters): void {
  t.test('contract: a letter comes back as it was put', async (t) => {
    const store = await open(t, Date.now);
    const put = letter({ key: 'a\0b\\0c\\\\', dedupe: '\0', traceparent: '00-ab-cd-01' });
    await store.put([put]);
    t.strictSame(await store.get(put.envelope.id), { ...put, state: 'waiting', replayedAt: undefined });
    t.strictSame(
      (await store.list({ key: put.envelope.key, limit: 1 })).map(({ envelope }) => envelope.id),
      [put.envelope.id],
    );
    t.equal(await store.get(randomUUID()), undefined);
    t.equal(await store.get("' OR 1=1"), undefined);
    t.equal(await store.get('../x'), undefined);
  });

  t.test('contract: a view of a larger buffer is put alone', async (t) => {
    const store = await open(t, Date.now);
    const put = letter({ payload: new Uint8Array([9, 9, 1, 2, 9]).subarray(2, 4) });
    await store.put([put]);
    t.strictSame((await store.get(put.envelope.id))?.envelope.payload, Buffer.from([1, 2]));
  });

  t.test('contract: many at once, twice, and none', async (t) => {
    const store = await open(t, Date.now);
    const letters = Array.from({ length: 150 }, (_, i) => letter({ payload: Buffer.alloc(300, i) }));
    await store.put(letters);
    await store.put(letters);
    t.equal(await store.count(), 150);
    await store.put([]);
  });

  t.test('contract: one put keeps the latest of a letter that is in it twice', async (t) => {
    const store = await open(t, Date.now);
    const put = letter();
    await store.put([put, { ...put, attempts: 6, deadAt: 2_000 }, put]);
    t.match(await store.get(put.envelope.id), { attempts: 6, deadAt: 2_000 });
    t.equal(await store.count(), 1);
  });

  t.test('contract: replayed, and dead once more', async (t) => {
    const store = await open(t, () => 5_000);
    const put = letter();
    const { id } = put.envelope;
    await store.put([put]);
    t.equal(await store.markReplayed(id, put.deadAt), true);
    t.equal(await store.markReplayed(id, put.deadAt), false, 'none that waits');
    t.equal(await store.markReplayed(randomUUID(), put.deadAt), false);
    t.match(await store.get(id), { state: 'replayed', replayedAt: 5_000 });
    t.equal(await store.count(), 0);

    // Of a machine whose clock is behind.
    const again = {
      ...put,
      cause: { code: 'TETHER_OTHER', message: 'again', stack: '' },
      attempts: 2,
      deadAt: 400,
    };
    await store.put([again]);
    t.strictSame(await store.get(id), { ...again, state: 'waiting', replayedAt: undefined });
    t.equal(await store.count(), 1);
  });

  t.test('contract: a letter that dies again before its replay is marked keeps waiting', async (t) => {
    const store = await open(t, Date.now);
    const put = letter();
    const { id } = put.envelope;
    await store.put([put]);
    await store.put([{ ...put, deadAt: 1_001 }]);
    t.equal(await store.markReplayed(id, put.deadAt), false);
    t.equal(await store.count(), 1);
    t.equal(await store.markReplayed(id, 1_001), true);
  });

  t.test('contract: lists the letters that fit, in the order of their deaths', async (t) => {
    const store = await open(t, Date.now);
    const letters = [letter({ actor: 'upload' }, 3), letter({ key: 'emp:2' }, 2), letter({}, 1)];
    await store.put(letters);
    const [upload, second, first] = letters.map(({ envelope }) => envelope.id);
    if (first === undefined) throw new Error('there are letters');
    const ids = async (filter: Parameters<typeof store.list>[0]) =>
      (await store.list(filter)).map(({ envelope }) => envelope.id);
    t.strictSame(await ids({ limit: 1_000 }), [first, second, upload]);
    t.strictSame(await ids({ limit: 2 }), [first, second]);
    t.strictSame(await ids({ actor: 'payment', limit: 10 }), [first, second]);
    t.strictSame(await ids({ key: 'emp:2', limit: 10 }), [second]);
    await store.markReplayed(first, letters[2]?.deadAt ?? 0);
    t.strictSame(await ids({ actor: 'payment', state: 'waiting', limit: 10 }), [second]);
    t.strictSame(await ids({ state: 'replayed', limit: 10 }), [first]);
    for (const limit of [0, 1_001, 1.5, Number.NaN]) {
      await t.rejects(store.list({ limit }), RangeError, `limit ${limit}`);
    }
  });

  t.test('contract: a cause is bounded and never hinders a put', async (t) => {
    const store = await open(t, Date.now);
    const put = letter();
    const cause = { code: 'C\0', message: `\0\uD800${'m'.repeat(100_000)}`, stack: '€'.repeat(100_000) };
    await store.put([{ ...put, cause, attempts: Number.MAX_SAFE_INTEGER }]);
    const kept = await store.get(put.envelope.id);
    t.match(kept?.cause.code, /^C.$/su);
    t.equal(kept?.cause.message.length, 2_000);
    t.match(kept?.cause.message, /^..m+…$/su);
    t.equal(kept?.cause.stack.length, 8_000);
  });
}
