/** Batches whose IBANs are sealed: what is written, what is found in tables where other forms stand, and nothing lost while forms change. */
import t from 'tap';
import type { Pool, Transaction } from '../../../storage/postgres/pool.js';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import { convertTable, debtorPlace, IBAN_TABLES, type IbanKeys, openIban } from '../../ibans/index.js';
import { madeKeys } from '../../ibans/test/keyring.js';
import { intercepted } from '../../payment/test/harness.js';
import type { Debtor } from '../debtor/debtor.js';
import type { Position } from '../file/table-file.js';
import { COLUMNS, lookAt, madeDebtor, madeIban, madeUpload, outcomesOf, START } from '../test/made.js';
import { Batch } from './batch.js';
import { writeBatch } from './write-batch.js';

const { pool } = await startTestPostgres(t);
const [a, ab, ba, b, c] = [['a'], ['a', 'b'], ['b', 'a'], ['b'], ['c']].map((ids) => madeKeys(...ids));
const { signal } = new AbortController();
const at = (line: number): Position => ({ byte: line * 10, line });

t.beforeEach(() => pool.query('TRUNCATE uploads, debtors, upload_rejects, payments, blacklist CASCADE'));

async function upload(
  keys: IbanKeys | undefined,
  owner: string,
  debtors: readonly Debtor[],
  on: Pool = pool,
): Promise<string> {
  const uploadId = await madeUpload(pool, owner);
  const batch = new Batch(uploadId, owner, COLUMNS, { keys });
  for (const [n, debtor] of debtors.entries()) batch.add(2 + n, { outcome: 'valid', debtor });
  await writeBatch(on, { uploadId, owner, from: START, next: at(2 + debtors.length) }, batch);
  return uploadId;
}
const sealAll = async (keys: IbanKeys | undefined) => {
  if (keys === undefined) throw new Error('no keys');
  for (const table of IBAN_TABLES) await convertTable(pool, table, { keys, to: 'sealed', signal });
};
const listed = (n: number) =>
  pool.query(`INSERT INTO blacklist (reason_code, iban) VALUES ('x', $1)`, [madeIban(n)]);
const outcomes = async (uploadId: string) => (await outcomesOf(pool, uploadId)).map(([, outcome]) => outcome);

t.test('a sealed row opens in its place, and no table has the IBAN', async (t) => {
  await listed(3);
  await sealAll(a);
  // Rows without what COPY has to escape, and with it.
  const odd = madeDebtor(2, { extra: { note: 'a\tb\\' }, lastName: 'x\\y' });
  const uploadId = await upload(a, 'acme', [madeDebtor(1), odd, madeDebtor(3), madeDebtor(1)]);
  const { rows } = await pool.query(
    `SELECT id::text, upload_id, line::text, owner, iban, iban_sealed, encode(iban_index, 'hex') AS index, last_name, extra
     FROM debtors ORDER BY line`,
  );
  t.match(rows, [
    { line: '2', iban: null, index: a?.current.indexOf(madeIban(1)), last_name: 'Debtor 1', extra: null },
    { line: '3', iban: null, index: a?.current.indexOf(madeIban(2)), last_name: 'x\\y', extra: odd.extra },
  ]);
  t.strictSame(
    rows.map((row) => openIban(a, row.iban_sealed, debtorPlace(row as never))),
    [1, 2].map(madeIban),
  );
  const { rows: rejects } = await pool.query('SELECT reasons FROM upload_rejects ORDER BY line');
  t.strictSame(
    rejects.map(({ reasons }) => reasons[0]),
    [
      { code: 'blacklisted-iban', column: 'IBAN', value: `${madeIban(3).slice(0, 4)}…0003` },
      { code: 'duplicate-in-file', column: 'IBAN', value: 'line 2' },
    ],
  );
  t.match(await lookAt(pool, uploadId), { total: 4, accepted: 2, skipped: 2 });
  for (const table of ['debtors', 'blacklist', 'upload_rejects', 'uploads']) {
    const { rows: all } = await pool.query<{ text: string }>(`SELECT ${table}::text AS text FROM ${table}`);
    t.ok(all.length > 0);
    for (const { text } of all) t.notMatch(text, /DE\d{4}/, table);
  }
});

t.test('no statement holds an IBAN when all rows are sealed', async (t) => {
  await listed(9);
  await sealAll(a);
  await upload(a, 'acme', [madeDebtor(1)]);
  const said: string[] = [];
  const spied: Pool = {
    ...pool,
    counts: pool.counts,
    async connect() {
      const connection = await pool.connect();
      return {
        ...connection,
        query: ((sql: string, values?: readonly unknown[]) => {
          said.push(sql, JSON.stringify(values ?? []));
          return connection.query(sql, values);
        }) as Transaction['query'],
        copyFrom: (sql, chunks) => {
          const all = [...(chunks as Iterable<Uint8Array>)];
          said.push(sql, Buffer.concat(all).toString());
          return connection.copyFrom(sql, all);
        },
      };
    },
  };
  await upload(a, 'acme', [madeDebtor(1), madeDebtor(2), madeDebtor(9)], spied);
  t.ok(said.some((text) => text.includes('COPY debtors')));
  for (const text of said) t.notMatch(text, /DE\d{4}/);
});

t.test('who has not the keys writes nothing, and waits', async (t) => {
  const first = await upload(a, 'acme', [madeDebtor(1)]);
  for (const keys of [undefined, b]) {
    await t.rejects(upload(keys, 'acme', [madeDebtor(2)]), { code: 'TETHER_IBAN_KEY_UNKNOWN', outage: true });
  }
  await pool.query(`UPDATE debtors SET transaction_id = 'tx'`);
  await t.rejects(upload(undefined, 'other', [madeDebtor(1)]), { code: 'TETHER_IBAN_KEY_UNKNOWN' });
  await pool.query('TRUNCATE debtors');
  await listed(4);
  await sealAll(c);
  await t.rejects(upload(undefined, 'acme', [madeDebtor(4)]), { code: 'TETHER_IBAN_KEY_UNKNOWN' });
  const { rows } = await pool.query('SELECT count(*)::int AS n FROM debtors');
  t.strictSame(rows, [{ n: 0 }]);
  t.match(await lookAt(pool, first), { accepted: 1 });
});

t.test('every key of a table is seen, wherever it stands in the index', async (t) => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const [n, id] of ids.entries()) {
    await listed(n);
    await sealAll(madeKeys(id));
  }
  for (const missing of ids) {
    const keys = madeKeys(...ids.filter((id) => id !== missing));
    await t.rejects(upload(keys, 'acme', [madeDebtor(50)]), { code: 'TETHER_IBAN_KEY_UNKNOWN' }, missing);
  }
  const uploadId = await upload(
    madeKeys(...ids),
    'acme',
    [0, 1, 2, 3, 4, 5].map((n) => madeDebtor(n)),
  );
  t.strictSame(await outcomes(uploadId), [...ids.map(() => 'blacklisted-iban'), 'accepted']);
});

t.test('a row that takes another form between two statements is found all the same', async (t) => {
  await listed(1);
  await upload(undefined, 'acme', [madeDebtor(2), madeDebtor(3)]);
  await pool.query(`UPDATE debtors SET transaction_id = 'tx' WHERE line = 3`);
  await pool.query(
    `INSERT INTO payments (endpoint, id, status, transaction_id, version) VALUES ('emp', 'p', 'chargebacked', 'tx', 1)`,
  );
  let sealed = 0;
  const between = intercepted(pool, async (sql, run) => {
    const result = await run();
    if (sql.includes('AS bics') && sealed++ === 0) await sealAll(a);
    return result;
  });
  const uploadId = await upload(
    a,
    'acme',
    [madeDebtor(1), madeDebtor(2), madeDebtor(3), madeDebtor(4)],
    between,
  );
  t.equal(sealed, 3, 'it looks again, and once more after what waits is a conflict');
  t.strictSame(
    (await outcomes(uploadId)).map((outcome) => outcome.split(' ')[0]),
    ['blacklisted-iban', 'duplicate-of-upload', 'charged-back', 'accepted'],
  );
});

t.test(
  'a row that leaves the form of the batch before the index is asked is found all the same',
  async (t) => {
    const cases: readonly (readonly [IbanKeys | undefined, IbanKeys | undefined])[] = [
      [undefined, a],
      [ab, ba],
    ];
    for (const [own, next] of cases) {
      await pool.query('TRUNCATE debtors');
      const first = await upload(own, 'acme', [madeDebtor(1)]);
      const before = intercepted(pool, async (sql, run) => {
        if (sql.startsWith('COPY debtors')) await sealAll(next);
        return run();
      });
      const written = upload(own, 'acme', [madeDebtor(1), madeDebtor(2)], before);
      if (own === undefined) {
        await t.rejects(written, { code: 'TETHER_IBAN_KEY_UNKNOWN' }, 'it cannot know any more');
      } else {
        t.strictSame(await outcomes(await written), [
          `duplicate-of-upload upload ${first}, line 2`,
          'accepted',
        ]);
      }
    }
  },
);

t.test('keys change while uploads are written: an IBAN stands once for its owner', async (t) => {
  const BATCHES = 8;
  const ROWS = 30;
  const all = BATCHES * ROWS;
  // As nodes that are restarted one after the other: some put the new key in front already.
  const rings = [ab, ba, ab, ba];
  const owners = ['acme', 'acme', 'acme', 'other'];
  await upload(undefined, 'acme', [madeDebtor(0), madeDebtor(1)]);
  const uploads = await Promise.all(owners.map((owner) => madeUpload(pool, owner)));
  let isWritten = false;
  const written = Promise.all(
    uploads.map(async (uploadId, which) => {
      const owner = owners[which] ?? '';
      for (let n = 0; n < BATCHES; n++) {
        const from = n === 0 ? START : at(2 + n * ROWS);
        const batch = new Batch(uploadId, owner, COLUMNS, { keys: rings[which] });
        for (let k = 0; k < ROWS; k++) {
          const number = ((n * ROWS + k) * ([1, 7, 11, 13][which] ?? 1)) % all;
          batch.add(from.line + k, { outcome: 'valid', debtor: madeDebtor(number) });
        }
        await writeBatch(pool, { uploadId, owner, from, next: at(2 + (n + 1) * ROWS) }, batch);
      }
    }),
  ).finally(() => {
    isWritten = true;
  });
  let runs = 0;
  while (!isWritten && runs < 1_000) {
    await sealAll(ba);
    runs++;
  }
  await written;
  t.ok(runs > 1);
  const results = [];
  for (const table of IBAN_TABLES)
    if (ba !== undefined) results.push(await convertTable(pool, table, { keys: ba, to: 'sealed', signal }));
  t.match(results[1], { unknown: new Map(), broken: { count: 0 }, twice: { count: 0 }, locked: 0 });
  const { rows } = await pool.query(
    `SELECT owner, count(*)::int AS rows, count(DISTINCT iban_index)::int AS ibans,
       count(*) FILTER (WHERE encode(substring(iban_index FROM 1 FOR 4), 'hex') = $1)::int AS rotated
     FROM debtors GROUP BY owner ORDER BY owner`,
    [ba?.current.tag],
  );
  t.strictSame(
    rows,
    ['acme', 'other'].map((owner) => ({ owner, rows: all, ibans: all, rotated: all })),
  );
});
