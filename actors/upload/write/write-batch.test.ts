import t from 'tap';
import { startTestPostgres } from '../../../storage/postgres/test-server.js';
import type { Debtor } from '../debtor/debtor.js';
import type { Position } from '../file/table-file.js';
import { COLUMNS, lookAt, madeDebtor, madeIban, madeUpload, outcomesOf, START } from '../test/made.js';
import { Batch } from './batch.js';
import { SKIP_REASONS } from './skips.js';
import { writeBatch } from './write-batch.js';

const { pool } = await startTestPostgres(t);

t.beforeEach(() => pool.query('TRUNCATE uploads, debtors, upload_rejects, payments, blacklist CASCADE'));

const at = (line: number): Position => ({ byte: line * 10, line });

function batchOf(id: string, owner: string, debtors: readonly Debtor[], firstLine = 2): Batch {
  const batch = new Batch(id, owner, COLUMNS);
  for (const [n, debtor] of debtors.entries()) batch.add(firstLine + n, { outcome: 'valid', debtor });
  return batch;
}

/** Writes debtors as an upload of its own. */
async function upload(owner: string, debtors: readonly Debtor[]): Promise<string> {
  const uploadId = await madeUpload(pool, owner);
  await writeBatch(
    pool,
    { uploadId, owner, from: START, next: at(2 + debtors.length) },
    batchOf(uploadId, owner, debtors),
  );
  return uploadId;
}

/** As whoever collects from debtors does it, and the payment actor with the notifications. */
async function attempt(uploadId: string, n: number, status?: string, daysAgo = 0): Promise<void> {
  const transaction = `tx-${uploadId}-${n}`;
  await pool.query('UPDATE debtors SET transaction_id = $1 WHERE upload_id = $2 AND iban = $3', [
    transaction,
    uploadId,
    madeIban(n),
  ]);
  if (status === undefined) return;
  await pool.query(
    `INSERT INTO payments (endpoint, id, status, transaction_id, version, created_at)
     VALUES ('emp', $1, $2, $3, 1, now() - $4 * interval '1 day')`,
    [`id-${transaction}`, status, transaction, daysAgo],
  );
}

t.test('a row comes into its table with all that it has', async (t) => {
  const full = madeDebtor(1, {
    bic: 'MADEDEFF',
    firstName: "O'Ann\\",
    email: 'Ann@Example.com',
    phone: '+49 1\t2',
    street: 'Made Street 1',
    postcode: '01234',
    city: 'Köln',
    nationalId: 'X1',
    birthDate: '1990-02-28',
    externalReference: '\\N',
    extra: { note: 'a "b" \\ c\n', größe: '1' },
  });
  const uploadId = await madeUpload(pool, 'acme');
  const batch = batchOf(uploadId, 'acme', [full, madeDebtor(2)]);
  const reasons = [{ code: 'amount-malformed', column: 'Betrag\t€', value: '1x' }];
  batch.add(4, { outcome: 'invalid', reasons });
  const { counts } = await writeBatch(pool, { uploadId, owner: 'acme', from: START, next: at(5) }, batch);
  t.strictSame(counts, { total: 3, accepted: 2, invalid: 1, skipped: 0 });
  const { rows } = await pool.query(
    'SELECT d.*, birth_date::text FROM debtors d WHERE upload_id = $1 ORDER BY line',
    [uploadId],
  );
  t.match(rows, [
    {
      transaction_id: null,
      iban: full.iban,
      upload_id: uploadId,
      line: '2',
      owner: 'acme',
      first_name: "O'Ann\\",
      last_name: 'Debtor 1',
      amount: '1001',
      currency: 'EUR',
      email: 'Ann@Example.com',
      phone: '+49 1\t2',
      street: 'Made Street 1',
      postcode: '01234',
      city: 'Köln',
      country: 'DE',
      national_id: 'X1',
      birth_date: '1990-02-28',
      bic: 'MADEDEFF',
      external_reference: '\\N',
      extra: full.extra,
    },
    { line: '3', email: null, birth_date: null, external_reference: null, extra: null },
  ]);
  t.strictSame((await pool.query('SELECT outcome, line, reasons FROM upload_rejects')).rows, [
    { outcome: 'invalid', line: '4', reasons },
  ]);
  t.match(await lookAt(pool, uploadId), { ...counts, state: 'processing', version: 2, processed: 50 });
});

t.test('a batch of invalid rows only, and one of none', async (t) => {
  const uploadId = await madeUpload(pool, 'acme');
  const batch = new Batch(uploadId, 'acme', COLUMNS);
  batch.add(2, { outcome: 'invalid', reasons: [{ code: 'iban-missing', column: 'iban', value: '' }] });
  await writeBatch(pool, { uploadId, owner: 'acme', from: START, next: at(3) }, batch);
  await writeBatch(
    pool,
    { uploadId, owner: 'acme', from: at(3), next: at(4) },
    new Batch(uploadId, 'acme', COLUMNS),
  );
  t.match(await lookAt(pool, uploadId), { total: 1, invalid: 1, version: 3, processed: 40 });
});

for (const entries of [0, 1_000]) {
  t.test(`each reason to skip a row, with ${entries} more entries on the blacklist`, async (t) => {
    await pool.query(
      `INSERT INTO blacklist (reason_code, bic, email, name)
     SELECT 'x', CASE k WHEN 0 THEN 'MORE' || n END, CASE k WHEN 1 THEN n || '@more.example' END, CASE k WHEN 2 THEN 'MORE ' || n END
     FROM generate_series(1, $1::int) n, generate_series(0, 2) k`,
      [entries],
    );
    await pool.query(
      `INSERT INTO blacklist (reason_code, iban, bic, email, name) VALUES
       ('x', $1, NULL, NULL, NULL), ('x', NULL, 'LISTDEFF', NULL, NULL), ('x', NULL, 'LISTDEMMXXX', NULL, NULL),
       ('x', NULL, 'LISTDEHH123', NULL, NULL), ('x', NULL, NULL, 'ann@listed.example', NULL),
       ('x', NULL, NULL, NULL, 'ANN LISTED')`,
      [madeIban(1)],
    );
    const earlier = await upload(
      'acme',
      [10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((n) => madeDebtor(n)),
    );
    const others = await upload(
      'other',
      [20, 21, 22].map((n) => madeDebtor(n)),
    );
    await attempt(earlier, 10, 'second_chargebacked', 400);
    await attempt(earlier, 11, 'approved', 400);
    await attempt(earlier, 12, 'declined', 29);
    await attempt(earlier, 13, 'declined', 31);
    await attempt(earlier, 14, 'refunded', 31);
    await attempt(earlier, 15);
    await attempt(earlier, 16, 'success', 1);
    await attempt(others, 20, 'chargebacked', 1);
    await attempt(others, 21, 'approved', 1);
    const uploadId = await upload('acme', [
      madeDebtor(1),
      madeDebtor(2, { bic: 'LISTDEFFXXX' }),
      madeDebtor(3, { bic: 'LISTDEMM' }),
      madeDebtor(4, { bic: 'LISTDEHH123' }),
      madeDebtor(5, { bic: 'LISTDEHH' }),
      madeDebtor(6, { email: 'ANN@listed.EXAMPLE' }),
      madeDebtor(7, { lastName: 'Listed' }),
      ...[10, 11, 12, 13, 14, 15, 16, 17, 20, 21, 22].map((n) => madeDebtor(n)),
      madeDebtor(30),
      madeDebtor(30),
      madeDebtor(1),
    ]);
    t.strictSame(await outcomesOf(pool, uploadId), [
      [2, 'blacklisted-iban'],
      [3, 'blacklisted-bic'],
      [4, 'blacklisted-bic'],
      [5, 'blacklisted-bic'],
      [6, 'accepted'],
      [7, 'blacklisted-email'],
      [8, 'blacklisted-name'],
      [9, 'charged-back'],
      [10, 'recovered'],
      [11, 'attempted-recently'],
      [12, 'accepted'],
      [13, 'accepted'],
      [14, `duplicate-of-upload upload ${earlier}, line 7`],
      [15, 'recovered'],
      [16, `duplicate-of-upload upload ${earlier}, line 9`],
      [17, 'charged-back'],
      [18, 'accepted'],
      [19, 'accepted'],
      [20, 'accepted'],
      [21, 'duplicate-in-file line 20'],
      [22, 'blacklisted-iban'],
    ]);
    t.match(await lookAt(pool, uploadId), { total: 21, accepted: 6, skipped: 15, invalid: 0 });
  });
}

t.test('of several reasons the first counts', async (t) => {
  // Everything is true of the same debtor, and is taken away one after the other.
  const debtor = madeDebtor(1, { bic: 'LISTDEFF', email: 'a@listed.example', lastName: 'Listed' });
  const first = await upload('acme', [debtor]);
  await attempt(first, 1, 'chargebacked', 1);
  await pool.query(
    `INSERT INTO debtors (upload_id, owner, line, iban, transaction_id)
     SELECT upload_id, owner, line, iban, 'paid' FROM debtors`,
  );
  await pool.query(
    `INSERT INTO payments (endpoint, id, status, transaction_id, version) VALUES ('emp', 'paid', 'approved', 'paid', 1)`,
  );
  const waiting = await madeUpload(pool, 'acme');
  await pool.query(`INSERT INTO debtors (upload_id, owner, line, iban) VALUES ($1, 'acme', 7, $2)`, [
    waiting,
    debtor.iban,
  ]);
  await pool.query(
    `INSERT INTO blacklist (reason_code, iban, bic, email, name) VALUES ('i', $1, NULL, NULL, NULL), ('b', NULL, 'LISTDEFF', NULL, NULL),
       ('e', NULL, NULL, 'a@listed.example', NULL), ('n', NULL, NULL, NULL, 'ANN LISTED')`,
    [debtor.iban],
  );
  const takenAway: readonly string[] = [
    `DELETE FROM blacklist WHERE reason_code = 'i'`,
    `DELETE FROM blacklist WHERE reason_code = 'b'`,
    `DELETE FROM blacklist WHERE reason_code = 'e'`,
    `DELETE FROM blacklist WHERE reason_code = 'n'`,
    `UPDATE payments SET status = 'declined' WHERE status = 'chargebacked'`,
    `UPDATE payments SET status = 'declined' WHERE status = 'approved'`,
    `UPDATE payments SET created_at = now() - interval '31 days'`,
  ];
  const seen: string[] = [];
  for (const statement of [...takenAway, `DELETE FROM debtors WHERE upload_id = '${waiting}'`]) {
    const id = await upload('acme', [debtor]);
    seen.push(...(await outcomesOf(pool, id)).map(([, outcome]) => outcome.split(' ')[0] ?? ''));
    await pool.query(statement);
  }
  t.strictSame(
    seen,
    Object.keys(SKIP_REASONS).filter((code) => code !== 'duplicate-in-file'),
  );
  const second = await upload('acme', [debtor, debtor]);
  t.strictSame(await outcomesOf(pool, second), [
    [2, 'accepted'],
    [3, 'duplicate-in-file line 2'],
  ]);
});

t.test('a reason says in which column, and shows little of the value', async (t) => {
  await pool.query(
    `INSERT INTO blacklist (reason_code, iban, bic, email, name) VALUES ('x', $1, NULL, NULL, NULL),
       ('x', NULL, 'LISTDEFF', NULL, NULL), ('x', NULL, NULL, 'ann@listed.example', NULL), ('x', NULL, NULL, NULL, 'ANN LISTED')`,
    [madeIban(1)],
  );
  const uploadId = await upload('acme', [
    madeDebtor(1),
    madeDebtor(2, { bic: 'LISTDEFF' }),
    madeDebtor(3, { email: 'ann@listed.example' }),
    madeDebtor(4, { lastName: 'Listed' }),
    madeDebtor(5),
    madeDebtor(5),
  ]);
  const { rows } = await pool.query<{ reason: unknown }>(
    'SELECT reasons -> 0 AS reason FROM upload_rejects WHERE upload_id = $1 ORDER BY line',
    [uploadId],
  );
  t.strictSame(
    rows.map(({ reason }) => reason),
    [
      { code: 'blacklisted-iban', column: 'IBAN', value: `${madeIban(1).slice(0, 4)}…0001` },
      { code: 'blacklisted-bic', column: 'BIC', value: 'L…' },
      { code: 'blacklisted-email', column: 'E-Mail', value: 'a…@listed.example' },
      { code: 'blacklisted-name', column: 'Name', value: 'A…' },
      { code: 'duplicate-in-file', column: 'IBAN', value: 'line 6' },
    ],
  );
});

t.test('a duplicate of an earlier batch names its line, also when it was attempted meanwhile', async (t) => {
  const uploadId = await upload('acme', [madeDebtor(1), madeDebtor(2)]);
  await attempt(uploadId, 2);
  const step = { uploadId, owner: 'acme', from: at(4), next: at(6) };
  await writeBatch(pool, step, batchOf(uploadId, 'acme', [madeDebtor(2), madeDebtor(1)], 4));
  t.strictSame((await outcomesOf(pool, uploadId)).slice(2), [
    [4, 'duplicate-in-file line 3'],
    [5, 'duplicate-in-file line 2'],
  ]);
});

t.test('of workers at the same position one writes', async (t) => {
  const uploadId = await madeUpload(pool, 'acme');
  const step = { uploadId, owner: 'acme', from: START, next: at(12) };
  const debtors = Array.from({ length: 10 }, (_, n) => madeDebtor(n));
  const results = await Promise.allSettled(
    [0, 1, 2].map(() => writeBatch(pool, step, batchOf(uploadId, 'acme', debtors))),
  );
  t.strictSame(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
  for (const result of results) {
    if (result.status === 'rejected')
      t.match(result.reason, { code: 'TETHER_UPLOAD_MOVED', retryable: true });
  }
  t.match(await lookAt(pool, uploadId), { total: 10, accepted: 10, version: 2 });
  t.equal((await outcomesOf(pool, uploadId)).length, 10);
});

t.test('what is no more being processed takes nothing in', async (t) => {
  for (const state of ['stored', 'cancelling', 'cancelled', 'failed', 'completed'] as const) {
    const uploadId = await madeUpload(pool, 'acme', { state });
    const step = { uploadId, owner: 'acme', from: START, next: at(3) };
    const batch = batchOf(uploadId, 'acme', [madeDebtor(1)]);
    await t.rejects(writeBatch(pool, step, batch), { code: 'TETHER_UPLOAD_MOVED' }, state);
    t.strictSame(await outcomesOf(pool, uploadId), []);
    t.match(await lookAt(pool, uploadId), { state, total: 0, version: 1 });
  }
});

t.test('uploads of one owner at once accept an IBAN once, and those of others their own', async (t) => {
  const owners = ['acme', 'acme', 'acme', 'other'];
  const uploads = await Promise.all(owners.map((owner) => madeUpload(pool, owner)));
  const BATCHES = 12;
  const ROWS = 40;
  await Promise.all(
    uploads.map(async (uploadId, which) => {
      const owner = owners[which] ?? '';
      let from = START;
      for (let n = 0; n < BATCHES; n++) {
        // The same IBANs, in another order in each.
        const numbers = Array.from(
          { length: ROWS },
          (_, k) => ((n * ROWS + k) * ([1, 7, 11, 13][which] ?? 1)) % (BATCHES * ROWS),
        );
        const next = at(from.line + ROWS);
        const batch = batchOf(
          uploadId,
          owner,
          numbers.map((each) => madeDebtor(each)),
          from.line,
        );
        await writeBatch(pool, { uploadId, owner, from, next }, batch);
        from = next;
      }
    }),
  );
  const { rows } = await pool.query<{ owner: string; rows: number; ibans: number }>(
    'SELECT owner, count(*)::int AS rows, count(DISTINCT iban)::int AS ibans FROM debtors GROUP BY owner ORDER BY owner',
  );
  const all = BATCHES * ROWS;
  t.strictSame(rows, [
    { owner: 'acme', rows: all, ibans: all },
    { owner: 'other', rows: all, ibans: all },
  ]);
  for (const uploadId of uploads) {
    const look = await lookAt(pool, uploadId);
    t.equal(look?.total, all);
    t.equal((await outcomesOf(pool, uploadId)).length, all);
  }
});

t.test('duplicates are found whether they are looked for first or not', async (t) => {
  const earlier = await madeUpload(pool, 'acme');
  const debtors = [madeDebtor(1), madeDebtor(2), madeDebtor(3)];
  const first = { uploadId: earlier, owner: 'acme', from: START, next: at(3) };
  const one = await writeBatch(pool, first, batchOf(earlier, 'acme', [madeDebtor(2)]));
  t.equal(one.hasDuplicates, false);
  for (const lookFirst of [false, true]) {
    const uploadId = await madeUpload(pool, 'acme');
    const step = { uploadId, owner: 'acme', from: START, next: at(5), lookFirst };
    const { counts, hasDuplicates } = await writeBatch(pool, step, batchOf(uploadId, 'acme', debtors));
    t.match(counts, lookFirst ? { accepted: 0, skipped: 3 } : { accepted: 2, skipped: 1 });
    t.equal(hasDuplicates, true);
    t.match((await outcomesOf(pool, uploadId))[1], [3, /^duplicate-of-upload/]);
  }
});

t.test('a waiting IBAN that came in by another way is a conflict, and found by the next try', async (t) => {
  const uploadId = await madeUpload(pool, 'acme');
  const step = { uploadId, owner: 'acme', from: START, next: at(3), lookFirst: true };
  const connection = await pool.connect();
  t.teardown(() => connection.release(true));
  await connection.query('BEGIN');
  await connection.query(`INSERT INTO debtors (owner, iban) VALUES ('acme', $1)`, [madeIban(1)]);
  const written = writeBatch(pool, step, batchOf(uploadId, 'acme', [madeDebtor(1)]));
  const refused = t.rejects(written, { code: 'TETHER_POSTGRES_CONFLICT', sqlstate: '23505' });
  for (let waiting = 0; waiting === 0; ) {
    const { rows } = await connection.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
    );
    waiting = rows[0]?.n ?? 0;
  }
  await connection.query('COMMIT');
  await refused;
  await writeBatch(pool, step, batchOf(uploadId, 'acme', [madeDebtor(1)]));
  t.match(await outcomesOf(pool, uploadId), [[2, 'duplicate-of-upload']]);
});
