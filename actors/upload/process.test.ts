/** What becomes of a file: row by row, in slices, after interruptions of each kind, and when the file is to blame. */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { ObjectStoreUnavailableError } from '../../storage/objects/errors.js';
import type { ByteRange, ObjectStore } from '../../storage/objects/object-store.js';
import { PostgresConflictError } from '../../storage/postgres/errors.js';
import type { Pool } from '../../storage/postgres/pool.js';
import { objectKeyOf } from './model.js';
import { madeFile, openBench } from './test/bench.js';
import { madeIban } from './test/made.js';

t.setTimeout(120_000);

const bench = await openBench(t);
const { pool, objects } = bench;

t.beforeEach(() => pool.query('TRUNCATE uploads, debtors, upload_rejects, payments, blacklist CASCADE'));

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);
/** About 128 rows of it make a piece, and with `batchRows` of 1 a batch. */
const WIDE = 2_000;
const wide = { batchRows: 1 };

/** That each row has one outcome, and that the counts are those of the outcomes. */
async function isWhole(id: string, rows: number, accepted: number): Promise<boolean> {
  const outcomes = await bench.outcomes(id);
  const look = await bench.look(id);
  return (
    outcomes.length === rows &&
    outcomes.every(([line], n) => line === n + 2) &&
    look?.total === rows &&
    look.accepted === accepted &&
    outcomes.filter(([, outcome]) => outcome === 'accepted').length === accepted
  );
}

t.test('a small file, from its bytes to the tables', async (t) => {
  const file = `iban,first_name,last_name,amount,email,note\r
${madeIban(1)},Ann,Debtor,"1.234,50",ann@made.example,"a\nb"\r
not-an-iban,Bob,Debtor,7,,\r
${madeIban(1)},Ann,Debtor,3,,\r

${madeIban(2)},Eve,Debtor,50000.01,nobody,\r
${madeIban(3)},Cem,Ünal,0.10,,\r
`;
  const id = await bench.store('acme', file);
  t.equal(await bench.run(id), 1);
  t.strictSame(await bench.outcomes(id), [
    [2, 'accepted'],
    [4, 'iban-malformed'],
    [5, 'duplicate-in-file line 2'],
    [7, 'amount-too-large, email-malformed'],
    [8, 'accepted'],
  ]);
  t.match(await bench.look(id), {
    state: 'completed',
    total: 5,
    accepted: 2,
    invalid: 2,
    skipped: 1,
    processed: Buffer.byteLength(file),
    failure_code: null,
  });
  const { rows } = await pool.query(
    'SELECT iban, owner, amount, currency, first_name, last_name, email, country, extra FROM debtors ORDER BY line',
  );
  t.match(rows, [
    {
      iban: madeIban(1),
      owner: 'acme',
      amount: '123450',
      currency: 'EUR',
      first_name: 'Ann',
      email: 'ann@made.example',
      country: 'DE',
    },
    { amount: '10', first_name: 'Cem', extra: null },
  ]);
  const { rows: times } = await pool.query(
    'SELECT started_at <= finished_at AS ended FROM uploads WHERE stored_at <= started_at',
  );
  t.strictSame(times, [{ ended: true }]);
});

t.test('what is done is not done again', async (t) => {
  const id = await bench.store('acme', madeFile(range(5)));
  await bench.run(id);
  const look = await bench.look(id);
  t.equal(await bench.run(id), 1);
  t.strictSame(await bench.look(id), look);
  const kept = await bench.store('acme', madeFile(range(5)));
  await pool.query('UPDATE uploads SET process = false WHERE id = $1', [kept]);
  await bench.run(kept);
  t.match(await bench.look(kept), { state: 'stored', total: 0 }, 'only to be kept');
  const early = await bench.store('acme', madeFile(range(5)));
  await pool.query(`UPDATE uploads SET state = 'receiving' WHERE id = $1`, [early]);
  await bench.run(early);
  t.match(await bench.look(early), { state: 'receiving' });
  t.equal(await bench.run('01900000-0000-7000-8000-000000000000'), 1, 'removed');
});

t.test('a file in slices comes to the same as in one', async (t) => {
  const numbers = range(1_000).map((n) => (n % 10 === 0 ? -1 : n % 7 === 0 ? 7 : n));
  const whole = await bench.store('one', madeFile(numbers, WIDE));
  t.equal(await bench.run(whole), 1);
  const inBatches = await bench.store('three', madeFile(numbers, WIDE));
  t.equal(await bench.run(inBatches, { resources: wide }), 1, 'batches go on from one another');
  t.strictSame(await bench.outcomes(inBatches), await bench.outcomes(whole));
  const sliced = await bench.store('two', madeFile(numbers, WIDE));
  const slices = await bench.run(sliced, { resources: wide, isTimeOver: () => true });
  t.ok(slices >= 5, `${slices} slices`);
  t.strictSame(await bench.outcomes(sliced), await bench.outcomes(whole));
  const { version, ...look } = (await bench.look(sliced)) ?? { version: 0 };
  t.match(await bench.look(whole), look);
  t.ok(version > slices, 'each batch is told');
});

t.test('files that are to blame fail, with what their client needs to know', async (t) => {
  const cases: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['empty', '\n\n', /./],
    ['wrong-header', 'a;b\n1;2\n', /IBAN/],
    ['not-a-table', 'IBAN;Name;Amount\nx;y\0;1\n', /Line 2/],
    ['unclosed-quote', `${madeFile([1, 2])}"${madeIban(3)};x;1\n`, /Line 4/],
  ];
  for (const [reason, file, detail] of cases) {
    const id = await bench.store('acme', file);
    await bench.run(id);
    const look = await bench.look(id);
    t.match(look, { state: 'failed', failure_code: reason }, reason);
    t.match(look?.failure_detail, detail);
    t.equal(look?.total, (await bench.outcomes(id)).length);
    t.equal(await bench.run(id), 1, 'and it stays so');
  }
});

t.test('a file that goes wrong late: what came before is written', async (t) => {
  const id = await bench.store('acme', `${madeFile(range(1_000), WIDE)}"${madeIban(5_000)};x;1\n`);
  await bench.run(id, { resources: { batchRows: 300 } });
  const look = await bench.look(id);
  t.match(look, { state: 'failed', failure_code: 'unclosed-quote' });
  t.ok((look?.total ?? 0) > 800, `${look?.total} rows`);
  t.ok(await isWhole(id, look?.total ?? 0, look?.total ?? 0));
});

t.test('an object that is not what was stored', async (t) => {
  const gone = await bench.store('acme', madeFile([1]));
  await objects.delete(objectKeyOf(gone));
  await bench.run(gone);
  t.match(await bench.look(gone), { state: 'failed', failure_code: 'file-missing' });
  const changed = await bench.store('acme', madeFile([1]));
  await objects.put(objectKeyOf(changed), Buffer.from(madeFile([1, 2])));
  await bench.run(changed);
  t.match(await bench.look(changed), { state: 'failed', failure_code: 'file-changed', total: 0 });
});

/** The object store, away for what lies behind so many bytes of a stream. */
function failing(failAfter: () => number, before = async () => {}): ObjectStore {
  return Object.assign(Object.create(objects) as ObjectStore, {
    stat: (key: string) => objects.stat(key),
    async read(key: string, where?: ByteRange) {
      const stream = await objects.read(key, where);
      const chunks = async function* () {
        let bytes = 0;
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > failAfter()) {
            await before();
            throw new ObjectStoreUnavailableError('away');
          }
          yield chunk;
        }
      };
      return Readable.from(chunks(), { objectMode: false });
    },
  });
}

t.test('the object store fails in the midst of a file: thrown, and gone on with', async (t) => {
  const id = await bench.store('acme', madeFile(range(1_000), WIDE));
  // One slice without trouble: what the file is, is found out in a reading of its own.
  await t.rejects(bench.run(id, { resources: wide, isTimeOver: () => true, slicesMax: 1 }), /1 slices/);
  let failAfter = 700_000;
  let interruptions = 0;
  for (let done = false; !done; ) {
    done = await bench.run(id, { resources: { ...wide, objects: failing(() => failAfter) } }).then(
      () => true,
      (error: unknown) => {
        t.match(error, { code: 'TETHER_OBJECTS_UNAVAILABLE', outage: true });
        interruptions++;
        failAfter += 100_000;
        return false;
      },
    );
    if (interruptions > 20) break;
  }
  t.ok(interruptions > 1);
  t.match(await bench.look(id), { state: 'completed' });
  t.ok(await isWhole(id, 1_000, 1_000));
});

t.test('whatever is thrown, no transaction is left under way', async (t) => {
  const id = await bench.store('acme', madeFile(range(1_000), WIDE));
  await t.rejects(bench.run(id, { resources: wide, isTimeOver: () => true, slicesMax: 1 }), /1 slices/);
  let begun = () => {};
  const copying = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let committed = false;
  const slow = intercepted(
    async (sql) => {
      if (!sql.includes('COPY debtors')) return;
      begun();
      for (let turns = 0; turns < 50; turns++) await setImmediate();
    },
    async (sql) => {
      committed ||= sql === 'COMMIT';
    },
  );
  const resources = {
    ...wide,
    pool: slow,
    objects: failing(
      () => 300_000,
      () => copying,
    ),
  };
  await t.rejects(bench.run(id, { resources }), { code: 'TETHER_OBJECTS_UNAVAILABLE' });
  t.ok(committed);
});

/** A pool that does something before a statement, or after it. */
function intercepted(before: (sql: string) => Promise<void>, after = async (_sql: string) => {}): Pool {
  const around = async <Result>(sql: string, run: () => Promise<Result>) => {
    await before(sql);
    const result = await run();
    await after(sql);
    return result;
  };
  return {
    statementMsMax: pool.statementMsMax,
    get counts() {
      return pool.counts;
    },
    end: () => pool.end(),
    query: (sql, values) => around(sql, () => pool.query(sql, values)),
    async connect() {
      const connection = await pool.connect();
      return {
        query: (sql, values) => around(sql, () => connection.query(sql, values)),
        copyFrom: (sql, chunks) => around(sql, () => connection.copyFrom(sql, chunks)),
        release: (destroy) => connection.release(destroy),
      };
    },
  };
}

for (const [step, before] of [
  ['FROM blacklist', true],
  ['COPY debtors', true],
  ['COPY debtors', false],
  ['UPDATE uploads', true],
  ['COMMIT', true],
  ['COMMIT', false],
] as const) {
  t.test(`Postgres crashes ${before ? 'before' : 'after'} ${step} in the midst of a file`, async (t) => {
    const id = await bench.store('acme', madeFile(range(800), WIDE));
    let met = 0;
    const crash = async (sql: string) => {
      if (sql.includes(step) && ++met === 4) await bench.database.stop();
    };
    const failing = before ? intercepted(crash) : intercepted(async () => {}, crash);
    await t.rejects(bench.run(id, { resources: { ...wide, pool: failing } }), {
      code: 'TETHER_POSTGRES_UNAVAILABLE',
    });
    await t.rejects(bench.run(id), { code: 'TETHER_POSTGRES_UNAVAILABLE' }, 'while it is away');
    await bench.database.start();
    const look = await bench.look(id);
    t.match(look, { state: 'processing' });
    t.ok(look !== undefined && look.total > 0 && look.total < 800, `${look?.total} rows`);
    t.ok(await isWhole(id, look?.total ?? 0, look?.total ?? 0), 'all of the batches that are there');
    await bench.run(id, { resources: wide });
    t.match(await bench.look(id), { state: 'completed' });
    t.ok(await isWhole(id, 800, 800));
  });
}

t.test('cancelled in the midst of a file: all is taken back', async (t) => {
  const other = await bench.store('other', madeFile(range(100, 10_000)));
  const id = await bench.store(
    'acme',
    madeFile(
      range(800).map((n) => (n % 3 === 0 ? -1 : n)),
      WIDE,
    ),
  );
  let batches = 0;
  const cancelling = intercepted(async (sql) => {
    if (!sql.includes('COPY debtors') || ++batches !== 3) return;
    await bench.run(other);
    await pool.query(
      `UPDATE debtors SET transaction_id = 'tx-' || line WHERE upload_id = $1 AND line IN (3, 4)`,
      [id],
    );
    await pool.query(`UPDATE uploads SET state = 'cancelling' WHERE id = $1`, [id]);
  });
  await bench.run(id, { resources: { ...wide, pool: cancelling } });
  t.equal(batches, 3);
  t.match(await bench.look(id), { state: 'cancelled', total: 2, accepted: 2, invalid: 0, skipped: 0 });
  t.strictSame(
    await bench.outcomes(id),
    [
      [3, 'accepted'],
      [4, 'accepted'],
    ],
    'for these a payment is under way',
  );
  t.ok(await isWhole(other, 100, 100), 'nothing of others');
});

t.test('cancelled before it began, after it was done, and in steps', async (t) => {
  const early = await bench.store('acme', madeFile([1]));
  await pool.query(`UPDATE uploads SET state = 'cancelling' WHERE id = $1`, [early]);
  await bench.run(early);
  t.match(await bench.look(early), { state: 'cancelled', total: 0 });

  const id = await bench.store('acme', madeFile(range(60_000).map((n) => (n % 2 === 0 ? -1 : n))));
  await bench.run(id);
  await pool.query(`UPDATE uploads SET state = 'cancelling' WHERE id = $1`, [id]);
  await pool.query(`UPDATE debtors SET transaction_id = 'tx' WHERE upload_id = $1 AND line = 3`, [id]);
  const slices = await bench.run(id, { isTimeOver: () => true });
  t.ok(slices >= 4, `${slices} slices`);
  t.match(await bench.look(id), { state: 'cancelled', total: 1, accepted: 1 });
  t.strictSame(await bench.outcomes(id), [[3, 'accepted']]);
});

t.test('a conflict after a batch was written is a pause, before it an error', async (t) => {
  const id = await bench.store('acme', madeFile(range(500), WIDE));
  let copies = 0;
  const conflicting = (every: number) =>
    intercepted(async (sql) => {
      if (sql.includes('COPY debtors') && ++copies % every === 0)
        throw new PostgresConflictError('made', '40001');
    });
  await t.rejects(bench.run(id, { resources: { ...wide, pool: conflicting(1) } }), {
    code: 'TETHER_POSTGRES_CONFLICT',
  });
  await t.rejects(bench.run(id, { resources: { ...wide, pool: conflicting(1) }, isTimeOver: () => true }), {
    code: 'TETHER_POSTGRES_CONFLICT',
  });
  copies = 0;
  const slices = await bench.run(id, { resources: { ...wide, pool: conflicting(2) } });
  t.ok(slices > 1, `${slices} slices`);
  t.ok(await isWhole(id, 500, 500));
});
