/**
 * Random files of two owners over a few IBANs, plain and sealed with one key after the other, one after the other, with random trouble at random statements and pauses, against a
 * model in memory that takes one row after the other. `TEST_SEED` repeats a run.
 */
import fc from 'fast-check';
import t from 'tap';
import { testSeed } from '../../runtime/testing/seed.js';
import { PostgresConflictError, PostgresUnavailableError } from '../../storage/postgres/errors.js';
import type { Pool } from '../../storage/postgres/pool.js';
import { convertTable, IBAN_TABLES, type IbanKeys } from '../ibans/index.js';
import { madeKeys } from '../ibans/test/keyring.js';
import { openBench } from './test/bench.js';
import { madeIban } from './test/made.js';

t.setTimeout(120_000);

const RUNS = Number(process.env.RUNS ?? 15);
const STATUSES = ['approved', 'declined', 'chargebacked', 'refunded'] as const;

const row = fc.record({
  iban: fc.nat({ max: 15 }),
  valid: fc.constantFrom(true, true, true, undefined),
  listed: fc.constantFrom(undefined, undefined, undefined, undefined, 'bic', 'email', 'name'),
});
type FileRow = {
  readonly iban: number;
  readonly valid: true | undefined;
  readonly listed: string | undefined;
};
const step = fc.record({
  owner: fc.constantFrom('acme', 'acme', 'other'),
  rows: fc.array(row, { minLength: 1, maxLength: 60, size: 'max' }),
  /** Of the accepted debtors of this file, what happens to every second one afterwards. */
  payments: fc.array(
    fc.record({ status: fc.constantFrom(...STATUSES, undefined), daysAgo: fc.constantFrom(0, 29, 31, 400) }),
    { minLength: 1, maxLength: 5, size: 'max' },
  ),
  /** Statements until the next trouble. */
  trouble: fc.array(fc.nat({ max: 40 }), { maxLength: 4 }),
  pauses: fc.boolean(),
  /** How far the keys have come, when they have not come farther: see `RINGS`. */
  ring: fc.nat({ max: 3 }),
  /** Whether all rows are sealed afterwards with the first key. */
  sealed: fc.boolean(),
});

/** Plain rows at first, then a key, then another one beside it, then that one in front. A row of any time is found at any later time. */
const RINGS = [undefined, madeKeys('a'), madeKeys('a', 'b'), madeKeys('b', 'a')];
const listedIban = 15;

interface ModelDebtor {
  readonly owner: string;
  readonly upload: string;
  readonly line: number;
  payment?: { readonly status: string; readonly daysAgo: number } | undefined;
}

/** As it is said in words: one row after the other, one question after the other. */
class Model {
  readonly debtors = new Map<number, ModelDebtor[]>();

  judge(owner: string, upload: string, line: number, { iban, valid, listed }: FileRow): string {
    if (valid === undefined) return 'amount-negative';
    if (iban === listedIban) return 'blacklisted-iban';
    if (listed !== undefined) return `blacklisted-${listed}`;
    const earlier = this.debtors.get(iban) ?? [];
    const own = earlier.filter((debtor) => debtor.owner === owner);
    if (earlier.some(({ payment }) => payment?.status === 'chargebacked')) return 'charged-back';
    if (own.some(({ payment }) => payment?.status === 'approved')) return 'recovered';
    if (own.some(({ payment }) => payment !== undefined && payment.daysAgo < 30)) return 'attempted-recently';
    const waits = own.find(({ payment }) => payment === undefined);
    if (waits?.upload === upload) return `duplicate-in-file line ${waits.line}`;
    if (waits !== undefined) return `duplicate-of-upload upload ${waits.upload}, line ${waits.line}`;
    this.debtors.set(iban, [...earlier, { owner, upload, line }]);
    return 'accepted';
  }
}

function fileOf(rows: readonly FileRow[]): string {
  const lines = rows.map(({ iban, valid, listed }) =>
    [
      madeIban(iban),
      listed === 'name' ? 'Ann Listed' : 'Ann Debtor',
      valid ? '10,00' : '-10,00',
      listed === 'bic' ? 'LISTDEFF' : '',
      listed === 'email' ? 'ann@listed.example' : '',
      'n'.repeat(3_900),
      'n'.repeat(3_900),
      'n'.repeat(3_900),
      'n'.repeat(3_900),
    ].join(';'),
  );
  return `IBAN;Name;Amount;BIC;Email;a;b;c;d\n${lines.join('\n')}\n`;
}

t.test('tables and model agree', async (t) => {
  const seed = testSeed(t);
  const bench = await openBench(t);
  const { pool } = bench;

  /** Troubles come one after the other, each after so many statements; before the statement takes effect, or after. */
  function troubled(after: readonly number[]): Pool {
    const left = [...after];
    const around = async <Result>(run: () => Promise<Result>) => {
      const [next] = left;
      if (next === undefined) return run();
      if (next > 0) {
        left[0] = next - 1;
        return run();
      }
      left.shift();
      if (left.length % 2 === 0) throw new PostgresUnavailableError('made before');
      await run();
      throw left.length % 4 === 1
        ? new PostgresConflictError('made after', '40001')
        : new PostgresUnavailableError('made after');
    };
    return {
      statementMsMax: pool.statementMsMax,
      get counts() {
        return pool.counts;
      },
      end: () => pool.end(),
      query: (sql, values) => around(() => pool.query(sql, values)),
      async connect() {
        const connection = await pool.connect();
        return {
          query: (sql, values) => around(() => connection.query(sql, values)),
          copyFrom: (sql, chunks) => around(() => connection.copyFrom(sql, chunks)),
          release: (destroy) => connection.release(destroy),
        };
      },
    };
  }

  async function finish(
    id: string,
    trouble: readonly number[],
    pauses: boolean,
    ibanKeys: IbanKeys | undefined,
  ): Promise<void> {
    const resources = { batchRows: 1, pool: troubled(trouble), ibanKeys };
    for (let tries = 0; ; tries++) {
      try {
        await bench.run(id, { resources, isTimeOver: () => pauses });
        return;
      } catch (error) {
        if (tries > trouble.length) throw error;
      }
    }
  }

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6, size: 'max' }), async (steps) => {
      await pool.query('TRUNCATE uploads, debtors, upload_rejects, payments, blacklist CASCADE');
      await pool.query(
        `INSERT INTO blacklist (reason_code, iban, bic, email, name) VALUES ('x', $1, NULL, NULL, NULL),
           ('x', NULL, 'LISTDEFFXXX', NULL, NULL), ('x', NULL, NULL, 'ann@listed.example', NULL),
           ('x', NULL, NULL, NULL, 'ANN LISTED')`,
        [madeIban(listedIban)],
      );
      const model = new Model();
      let at = 0;
      for (const { owner, rows, payments, trouble, pauses, ring, sealed } of steps) {
        const id = await bench.store(owner, fileOf(rows));
        at = Math.max(at, ring);
        const keys = RINGS[at];
        await finish(id, trouble, pauses, keys);
        if (keys !== undefined && sealed) await sealAll(keys);
        const expected = rows.map((each, n) => [n + 2, model.judge(owner, id, n + 2, each)] as const);
        t.strictSame(await bench.outcomes(id), expected);
        const count = (of: (outcome: string) => boolean) =>
          expected.filter(([, outcome]) => of(outcome)).length;
        const accepted = count((outcome) => outcome === 'accepted');
        const invalid = count((outcome) => outcome === 'amount-negative');
        t.match(await bench.look(id), {
          state: 'completed',
          total: rows.length,
          accepted,
          invalid,
          skipped: rows.length - accepted - invalid,
        });
        if (!t.passing()) throw new Error('tables and model differ');
        await attempt(model, id, payments);
      }
    }),
    // Made smaller, a failure would always fail: what t has seen stays.
    { seed, numRuns: RUNS, endOnFailure: true },
  );

  async function sealAll(keys: IbanKeys): Promise<void> {
    const { signal } = new AbortController();
    for (const table of IBAN_TABLES) {
      const { unknown, broken, twice, locked } = await convertTable(pool, table, {
        keys,
        to: 'sealed',
        signal,
      });
      t.strictSame([unknown.size, broken.count, twice.count, locked], [0, 0, 0, 0]);
    }
  }

  /** Payments of every second debtor that this upload brought. */
  async function attempt(
    model: Model,
    upload: string,
    payments: readonly { readonly status: string | undefined; readonly daysAgo: number }[],
  ): Promise<void> {
    let n = 0;
    for (const debtor of [...model.debtors.values()].flat()) {
      if (debtor.upload !== upload || n++ % 2 !== 0) continue;
      const { status, daysAgo } = payments[((n / 3) % payments.length) | 0] ?? {
        status: undefined,
        daysAgo: 0,
      };
      const transaction = `${upload}-${debtor.line}`;
      await pool.query('UPDATE debtors SET transaction_id = $1 WHERE upload_id = $2 AND line = $3', [
        transaction,
        upload,
        debtor.line,
      ]);
      if (status === undefined) continue;
      debtor.payment = { status, daysAgo };
      await pool.query(
        `INSERT INTO payments (endpoint, id, status, transaction_id, version, created_at)
         VALUES ('emp', $1, $2, $1, 1, now() - $3 * interval '1 day')`,
        [transaction, status, daysAgo],
      );
    }
  }
});
