/**
 * The statements with which release 0.1.0 writes and reads IBANs, as they stood in it, on the tables of this one: nodes of both run side by side while a
 * cluster is upgraded. It does not find what is sealed, so keys come when all nodes are upgraded; but it neither fails nor breaks anything.
 */
import t from 'tap';
import { inTransaction } from '../../storage/postgres/pool.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { convertTable, IBAN_TABLES } from './index.js';
import { madeKeys } from './test/keyring.js';

const COPY = `COPY debtors (upload_id, owner, line, iban, bic, first_name, last_name, amount, currency, email, phone, street,
  postcode, city, country, national_id, birth_date, external_reference, extra) FROM STDIN`;
const HITS = `
  SELECT d.iban FROM debtors d WHERE d.iban = ANY ($1::text[]) AND d.transaction_id IS NOT NULL
  UNION ALL SELECT iban FROM blacklist WHERE iban = ANY ($1::text[])
  UNION ALL SELECT iban FROM debtors WHERE iban = ANY ($1::text[]) AND owner = 'acme' AND transaction_id IS NULL`;
const EXISTS = `SELECT EXISTS (SELECT FROM blacklist WHERE iban IS NOT NULL) AS ibans,
  EXISTS (SELECT FROM debtors WHERE transaction_id IS NOT NULL) AS attempted`;
const LIST = `
  INSERT INTO blacklist (endpoint, payment_id, transaction_id, reason_code, iban)
  SELECT b.endpoint, b.payment_id, b.transaction_id, b.reason_code, coalesce(d.iban, b.iban) AS iban
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
    AS b (endpoint, payment_id, transaction_id, reason_code, iban, n)
  LEFT JOIN LATERAL (SELECT iban FROM debtors WHERE transaction_id = b.transaction_id OFFSET 0) d ON true
  ORDER BY coalesce(d.iban, b.iban) COLLATE "C", b.n
  ON CONFLICT DO NOTHING RETURNING iban`;

t.test('release 0.1.0 on these tables', async (t) => {
  const { pool } = await startTestPostgres(t);
  const upload = '01890a5d-ac96-774b-bcce-b302099a8057';
  const copy = (line: number, iban: string) =>
    inTransaction(pool, (client) =>
      client.copyFrom(COPY, [
        Buffer.from(
          `${upload}\tacme\t${line}\t${iban}\t${Array.from({ length: 15 }, () => '\\N').join('\t')}\n`,
        ),
      ]),
    );
  const list = (payment: string, transaction: string | null, iban: string | null) =>
    pool.query(LIST, [['emp'], [payment], [transaction], ['AC04'], [iban]]);
  const hits = async (...ibans: string[]) => (await pool.query(HITS, [ibans])).rows.map(({ iban }) => iban);

  t.equal(await copy(2, 'PLAIN1'), 1);
  await t.rejects(
    copy(3, 'PLAIN1'),
    { code: 'TETHER_POSTGRES_QUERY', sqlstate: '23505' },
    'an IBAN waits once',
  );
  t.equal((await list('p1', null, 'PLAIN2')).rowCount, 1);
  t.equal((await list('p2', null, 'PLAIN2')).rowCount, 0, 'and is listed once');
  t.equal((await list('p3', null, null)).rowCount, 1);
  t.equal((await list('p3', null, null)).rowCount, 0, 'as a payment without one is');
  t.strictSame(await hits('PLAIN1', 'PLAIN2', 'PLAIN3'), ['PLAIN2', 'PLAIN1']);

  const keys = madeKeys('a');
  const { signal } = new AbortController();
  for (const table of IBAN_TABLES) await convertTable(pool, table, { keys, to: 'sealed', signal });
  t.equal(await copy(4, 'PLAIN3'), 1, 'plain rows go on beside sealed ones');
  await t.rejects(copy(5, 'PLAIN3'), { code: 'TETHER_POSTGRES_QUERY', sqlstate: '23505' });
  await pool.query(`UPDATE debtors SET transaction_id = 'tx' WHERE line = 2`);
  t.match(
    (await list('p4', 'tx', null)).rows,
    [{ iban: null }],
    'whose IBAN it cannot read: the payment stands for him',
  );
  t.equal(
    (await list('p1', null, 'PLAIN4')).rowCount,
    1,
    'a sealed entry of a payment does not stand for one without',
  );
  t.strictSame(
    await hits('PLAIN1', 'PLAIN2', 'PLAIN3', 'PLAIN4'),
    ['PLAIN4', 'PLAIN3'],
    'what is sealed it does not see',
  );
  t.strictSame((await pool.query(EXISTS)).rows, [{ ibans: true, attempted: true }]);

  for (const table of IBAN_TABLES) {
    t.match(await convertTable(pool, table, { keys, to: 'sealed', signal }), {
      changed: 1,
      twice: { count: 0 },
    });
  }
});
