/** Tables that are brought from one form into another, on a real Postgres, beside those who write and lock rows. */
import t, { type Test } from 'tap';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { convertTable, countForms, IBAN_TABLES, type IbanKeys } from './index.js';
import { blacklistPlace, debtorPlace } from './places.js';
import { openIban } from './seal.js';
import { keyText, madeKeys } from './test/keyring.js';

const { pool } = await startTestPostgres(t);
const { signal } = new AbortController();
const UPLOAD = '01890a5d-ac96-774b-bcce-b302099a8057';
const iban = (n: number) => `DE00${String(n).padStart(18, '0')}`;
const [a, ba, b] = [madeKeys('a'), madeKeys('b', 'a'), madeKeys('b')];

t.beforeEach(async () => {
  await pool.query('TRUNCATE debtors, blacklist RESTART IDENTITY');
  await pool.query(
    `INSERT INTO debtors (upload_id, owner, line, iban, transaction_id)
     SELECT CASE WHEN n < 20 THEN $1::uuid END, CASE WHEN n < 10 THEN 'acme' END, n, 'DE00' || lpad(n::text, 18, '0'),
       CASE WHEN n % 3 = 0 THEN 'tx-' || n END
     FROM generate_series(1, 25) n`,
    [UPLOAD],
  );
  await pool.query(
    `INSERT INTO blacklist (reason_code, endpoint, payment_id, iban)
     SELECT 'x', CASE WHEN n < 3 THEN 'emp' END, CASE WHEN n < 3 THEN 'p' || n END, 'DE00' || lpad(n::text, 18, '0') FROM generate_series(1, 4) n
     UNION ALL SELECT 'x', 'emp', 'p9', NULL`,
  );
});

const convert = async (keys: IbanKeys, to: 'sealed' | 'plain' = 'sealed', stepRows = 7) => {
  const shares: number[] = [];
  const results = [];
  for (const table of IBAN_TABLES)
    results.push(
      await convertTable(pool, table, { keys, to, signal, stepRows, onStep: (share) => shares.push(share) }),
    );
  return { results, shares, changed: results.map(({ changed }) => changed) };
};
const counts = async () =>
  Object.fromEntries(
    (await Promise.all(IBAN_TABLES.map((table) => countForms(pool, table, signal)))).flatMap((rows, n) =>
      rows.map(({ form, key, rows: many }) => [`${IBAN_TABLES[n]} ${form}${key && ` ${key}`}`, many]),
    ),
  );
const readBack = async (keys: IbanKeys | undefined) => {
  const { rows: debtors } = await pool.query(
    'SELECT id::text, upload_id, line::text, owner, iban, iban_sealed FROM debtors ORDER BY debtors.id',
  );
  const { rows: listed } = await pool.query(
    'SELECT id::text, endpoint, payment_id, iban, iban_sealed FROM blacklist WHERE num_nonnulls(iban, iban_sealed) > 0 ORDER BY blacklist.id',
  );
  return [
    ...debtors.map((row) => row.iban ?? openIban(keys, row.iban_sealed, debtorPlace(row as never))),
    ...listed.map((row) => row.iban ?? openIban(keys, row.iban_sealed, blacklistPlace(row as never))),
  ];
};
const range = (to: number) => Array.from({ length: to }, (_, n) => iban(n + 1));
const ALL = [...range(25), ...range(4)];

/** All that a dump of the tables has. */
async function dump(t: Test): Promise<string> {
  const texts = await Promise.all(
    IBAN_TABLES.map((table) => pool.query(`SELECT ${table}::text AS row FROM ${table}`)),
  );
  t.ok(texts.every(({ rows }) => rows.length > 0));
  return texts.flatMap(({ rows }) => rows.map(({ row }) => row)).join('\n');
}

t.test('plain, sealed, rotated, and back', async (t) => {
  t.match(await dump(t), /DE000/);
  const { changed, shares } = await convert(a);
  t.strictSame(changed, [4, 25]);
  t.strictSame(shares.at(-1), 1);
  t.strictSame(await counts(), { 'blacklist sealed a': 4, 'blacklist none': 1, 'debtors sealed a': 25 });
  t.notMatch(await dump(t), /DE00/, 'no IBAN in plain text');
  t.strictSame(await readBack(a), ALL);
  t.strictSame((await convert(a)).changed, [0, 0], 'what is done is left alone');

  t.strictSame((await convert(ba)).changed, [4, 25]);
  t.strictSame(await counts(), { 'blacklist sealed b': 4, 'blacklist none': 1, 'debtors sealed b': 25 });
  t.strictSame(await readBack(b), ALL, 'the older key is not needed any more');
  const { rows } = await pool.query(`SELECT encode(iban_index, 'hex') AS index FROM debtors ORDER BY id`);
  t.strictSame(
    rows.map(({ index }) => index),
    range(25).map((each) => b.current.indexOf(each)),
  );

  t.strictSame((await convert(b, 'plain')).changed, [4, 25]);
  t.strictSame(await readBack(undefined), ALL);
  t.strictSame(await counts(), { 'blacklist none': 1, 'blacklist plain': 4, 'debtors plain': 25 });
});

t.test('the same key by another name, and another key by the same', async (t) => {
  await convert(a);
  const secret = keyText('a').slice(1);
  const { IbanKeys } = await import('./keys.js');
  const renamed = IbanKeys.parse(`n${secret}`);
  if (renamed === undefined) throw new Error('no key');
  t.match((await convert(renamed)).results[1], { changed: 0, unknown: new Map([['a', 25]]) });
  const other = IbanKeys.parse(`a${keyText('b').slice(1)}`);
  if (other === undefined) throw new Error('no key');
  t.match((await convert(other)).results[1], { changed: 0, broken: { count: 25 } });
  t.equal((await readBack(a)).length, ALL.length, 'and nothing is lost');
});

t.test('rows that cannot be brought into the form are told and stay', async (t) => {
  await convert(a);
  // A swap of two rows, and one that was changed.
  await pool.query(
    `UPDATE debtors d SET iban_sealed = o.iban_sealed FROM debtors o WHERE d.id IN (1, 2) AND o.id = 3 - d.id`,
  );
  await pool.query(
    `UPDATE blacklist SET iban_sealed = set_byte(iban_sealed, 20, 255 - get_byte(iban_sealed, 20)) WHERE id = 3`,
  );
  // Two waiting rows of one client with one IBAN, in two forms: no index sees it.
  await pool.query(`INSERT INTO debtors (owner, iban) VALUES ('acme', $1)`, [iban(4)]);
  const { results } = await convert(ba);
  t.match(results, [
    { table: 'blacklist', changed: 3, broken: { count: 1, ids: ['3'] } },
    {
      table: 'debtors',
      changed: 23,
      broken: { count: 2, ids: ['1', '2'] },
      twice: { count: 1, ids: ['26'] },
    },
  ]);
  t.match(await counts(), { 'debtors plain': 1, 'debtors sealed a': 2, 'debtors sealed b': 23 });

  t.match((await convert(madeKeys('c'))).results[1], {
    changed: 1,
    unknown: new Map([
      ['a', 2],
      ['b', 23],
    ]),
    twice: { count: 0 },
  });
});

t.test('rows that somebody has locked hold nobody up, and are left for another run', async (t) => {
  const connection = await pool.connect();
  t.teardown(() => connection.release(true));
  await connection.query('BEGIN');
  await connection.query('SELECT FROM debtors WHERE id IN (5, 6) FOR UPDATE');
  t.match((await convert(a)).results[1], { changed: 23, locked: 2 });
  await connection.query('COMMIT');
  t.match((await convert(a)).results[1], { changed: 2, locked: 0 });
});

t.test('one that is stopped goes on where it ended', async (t) => {
  const stop = new AbortController();
  const options = { keys: a, to: 'sealed', stepRows: 5, signal: stop.signal } as const;
  const { changed } = await convertTable(pool, 'debtors', { ...options, onStep: () => stop.abort() });
  t.equal(changed, 5);
  t.equal((await convert(a)).changed[1], 20);
});
