/** The contract of `DeadLetterStore` as tests: every driver passes the same ones. Called from the driver's own test file. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { DeadLetter, DeadLetterSelection, DeadLetterStore } from '../runtime/stores/dead-letter.js';

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

/** Of one that waits. */
const WAITING = {
  state: 'waiting',
  replayedAt: undefined,
  droppedAt: undefined,
  droppedBy: undefined,
} as const;
const REPLAYED = { state: 'replayed' } as const;

const markOf = ({ envelope, deadAt }: DeadLetter) => ({ id: envelope.id, deadAt });

/** Opens a store that is empty, for one test; `now` is its clock. */
export type OpenDeadLetters = (t: Test, now: () => number) => Promise<DeadLetterStore>;

export function testDeadLetterStore(t: Test, open: OpenDeadLetters): void {
  t.test('contract: a letter comes back as it was put', async (t) => {
    const store = await open(t, Date.now);
    const put = letter({ key: 'a\0b\\0c\\\\', dedupe: '\0', traceparent: '00-ab-cd-01' });
    await store.put([put]);
    t.strictSame(await store.get(put.envelope.id), { ...put, ...WAITING });
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
    t.equal(await store.settle([markOf(put)], REPLAYED), 1);
    t.equal(await store.settle([markOf(put)], REPLAYED), 0, 'none that waits');
    t.equal(await store.settle([markOf(letter())], REPLAYED), 0);
    t.equal(await store.settle([{ id: 'no id', deadAt: 1 }], REPLAYED), 0);
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
    t.strictSame(await store.get(id), { ...again, ...WAITING });
    t.equal(await store.count(), 1);
  });

  t.test('contract: a letter that dies again before its replay is marked keeps waiting', async (t) => {
    const store = await open(t, Date.now);
    const put = letter();
    const { id } = put.envelope;
    await store.put([put]);
    await store.put([{ ...put, deadAt: 1_001 }]);
    t.equal(await store.settle([markOf(put)], REPLAYED), 0);
    t.equal(await store.count(), 1);
    t.equal(await store.settle([{ id, deadAt: 1_001 }], REPLAYED), 1);
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
    await store.settle([{ id: first, deadAt: 1 }], REPLAYED);
    t.strictSame(await ids({ actor: 'payment', state: 'waiting', limit: 10 }), [second]);
    t.strictSame(await ids({ state: 'replayed', limit: 10 }), [first]);
    for (const limit of [0, 1_001, 1.5, Number.NaN]) {
      await t.rejects(store.list({ limit }), RangeError, `limit ${limit}`);
    }
  });

  t.test('contract: dropped, kept with who and when, and dead once more', async (t) => {
    const store = await open(t, () => 5_000);
    const put = letter();
    await store.put([put, letter()]);
    t.equal(await store.settle([markOf(put)], { state: 'dropped', by: 'anna\0' }), 1);
    t.equal(await store.settle([markOf(put)], REPLAYED), 0, 'what is dropped is not replayed');
    const dropped = await store.get(put.envelope.id);
    t.match(dropped, {
      ...put,
      state: 'dropped',
      replayedAt: undefined,
      droppedAt: 5_000,
      droppedBy: /^anna.$/s,
    });
    t.equal(await store.count(), 1);
    t.equal((await store.list({ state: 'dropped', limit: 10 })).length, 1);
    t.equal((await store.choose({}, 10)).length, 1);
    await store.put([{ ...put, deadAt: 6_000 }]);
    t.strictSame(await store.get(put.envelope.id), { ...put, deadAt: 6_000, ...WAITING });
    t.equal(await store.count(), 2);
  });

  t.test('contract: every part of a selection, in lists, choices and summaries', async (t) => {
    const store = await open(t, () => 9);
    const cause = { code: 'TETHER_OTHER', message: '', stack: '' };
    const a = letter({ id: '01890a5d-0000-7000-8000-000000000003', key: 'emp:1' }, 10);
    const b = {
      ...letter({ id: '01890a5d-0000-7000-8000-000000000002', key: 'emp:2' }, 20),
      cause,
      attempts: 1,
    };
    const c = letter({ id: '01890a5d-0000-7000-8000-000000000001', key: 'emp2:1', actor: 'upload' }, 20);
    const done = letter({ key: 'emp:1' }, 30);
    await store.put([a, b, c, done]);
    await store.settle([markOf(done)], REPLAYED);
    const names = new Map([a, b, c, done].map(({ envelope }, i) => [envelope.id, 'abcd'.charAt(i)]));
    const list = async (selection: DeadLetterSelection) =>
      (await store.list({ ...selection, limit: 10 })).map(({ envelope }) => names.get(envelope.id)).join('');
    const choose = async (selection: DeadLetterSelection) =>
      (await store.choose(selection, 10)).map(({ id }) => names.get(id)).join('');
    const total = async (selection: DeadLetterSelection) => (await store.summary(selection)).total;
    const cases: [DeadLetterSelection, string, string][] = [
      [{}, 'acbd', 'cba'],
      [{ ids: [a.envelope.id, done.envelope.id, 'no id', randomUUID()] }, 'ad', 'a'],
      [{ ids: [] }, '', ''],
      [{ endpoint: 'emp' }, 'abd', 'ba'],
      [{ endpoint: 'em' }, '', ''],
      [{ endpoint: '%' }, '', ''],
      [{ code: 'TETHER_OTHER' }, 'b', 'b'],
      [{ deadFrom: 20 }, 'cbd', 'cb'],
      [{ deadBefore: 20 }, 'a', 'a'],
      [{ deadFrom: 10.5, deadBefore: 20.5 }, 'cb', 'cb'],
      [{ state: 'replayed' }, 'd', ''],
      [{ actor: 'upload', key: 'emp2:1', state: 'waiting' }, 'c', 'c'],
    ];
    for (const [selection, listed, chosen] of cases) {
      const name = JSON.stringify(selection);
      t.equal(await list(selection), listed, name);
      t.equal(await choose(selection), chosen, name);
      t.equal(await total(selection), listed.length, name);
    }
    t.strictSame(await store.choose({}, 1), [markOf(c)]);
    t.strictSame(await store.summary({ state: 'waiting' }), {
      total: 3,
      keys: 3,
      oldest: 10,
      latest: 20,
      codes: [
        { code: 'TETHER_TEST', count: 2, atOnce: 0 },
        { code: 'TETHER_OTHER', count: 1, atOnce: 1 },
      ],
      actors: [
        { actor: 'payment', count: 2 },
        { actor: 'upload', count: 1 },
      ],
    });
    t.equal((await store.summary({})).keys, 3);
    const none = { total: 0, keys: 0, oldest: undefined, latest: undefined, codes: [], actors: [] };
    t.strictSame(await store.summary({ actor: 'nobody' }), none);
    t.strictSame((await store.getMany([b.envelope.id, 'no id', randomUUID()])).map(markOf), [markOf(b)]);
    const ids = Array.from({ length: 10_001 }, () => 'id');
    await t.rejects(store.summary({ ids }), RangeError);
    await t.rejects(store.choose({}, 100_002), RangeError);
    await t.rejects(store.getMany(ids), RangeError);
    await t.rejects(
      store.settle(
        ids.map((id) => ({ id, deadAt: 1 })),
        REPLAYED,
      ),
      RangeError,
    );
  });

  t.test('contract: page after page, each letter once', async (t) => {
    const store = await open(t, Date.now);
    const letters = Array.from({ length: 23 }, (_, i) => letter({}, 1_000 + (i % 4)));
    await store.put(letters);
    const seen: string[] = [];
    for (let after: ReturnType<typeof markOf> | undefined; ; ) {
      const page = await store.list({ limit: 5, ...(after === undefined ? {} : { after }) });
      seen.push(...page.map(({ envelope }) => envelope.id));
      const last = page.at(-1);
      if (last === undefined) break;
      after = markOf(last);
    }
    t.equal(seen.length, 23);
    t.strictSame(new Set(seen), new Set(letters.map(({ envelope }) => envelope.id)));
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
