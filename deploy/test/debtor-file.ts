/** A made file of debtors for tests of a whole node, and what has to be in Postgres when it is processed. */
import { createHash } from 'node:crypto';
import { type DebtorIdentity, debtorPlace, type IbanKeys, openIban } from '../../actors/ibans/index.js';
import {
  type DebtorCsvOptions,
  debtorCells,
  debtorCsvCounts,
  debtorRowKind,
  makeDebtorCsv,
} from '../../actors/upload/debtor/test/make-debtor-csv.js';
import type { Queryable } from '../../storage/postgres/pool.js';

export class DebtorFile {
  readonly rows: number;
  readonly options: DebtorCsvOptions;
  readonly bytes: Buffer;
  readonly sha256: string;

  private constructor(rows: number, options: DebtorCsvOptions, bytes: Buffer) {
    this.rows = rows;
    this.options = options;
    this.bytes = bytes;
    this.sha256 = createHash('sha256').update(bytes).digest('hex');
  }

  /** In memory: for files of some megabytes. @param seed files of different seeds share no account */
  static async make(rows: number, seed: number): Promise<DebtorFile> {
    const options = { seed, invalidShare: 0.02, duplicateShare: 0.01 };
    const chunks: Buffer[] = [];
    for await (const chunk of makeDebtorCsv(rows, options)) chunks.push(chunk);
    return new DebtorFile(rows, options, Buffer.concat(chunks));
  }

  get counts(): UploadCounts {
    return expectedCounts(this.rows, this.options);
  }

  /** What is wrong with the rows of a completed upload of this file: none lost, none there twice, each the right one. */
  async wrongRows(pool: Queryable, uploadId: string, keys?: IbanKeys): Promise<readonly string[]> {
    const { rows } = await pool.query<
      DebtorRow & Omit<DebtorIdentity, 'line'> & { iban_sealed: Buffer | null }
    >(
      `SELECT line::int, iban, amount::int, external_reference AS reference, id::text, upload_id, owner, iban_sealed
       FROM debtors WHERE upload_id = $1 ORDER BY debtors.line, debtors.id`,
      [uploadId],
    );
    const debtors = rows.map((row): DebtorRow => {
      const { line, iban, amount, reference, iban_sealed: sealed } = row;
      // With keys all are sealed, without none is.
      const opened =
        keys && openIban(keys, sealed ?? Buffer.alloc(0), debtorPlace({ ...row, line: `${line}` }));
      return { line, iban: opened ?? iban, amount, reference };
    });
    const { rows: rejects } = await pool.query<RejectRow>(
      'SELECT line::int, outcome FROM upload_rejects WHERE upload_id = $1 ORDER BY line',
      [uploadId],
    );
    const wrong: string[] = [];
    let debtor = 0;
    let reject = 0;
    for (let index = 0; index < this.rows && wrong.length < 10; index++) {
      const kind = debtorRowKind(index, this.options);
      // The header is line 1.
      const line = index + 2;
      if (kind === 'valid') {
        const [iban = '', amount = '', , , , , , , , reference = ''] = debtorCells(index, this.options);
        const right = { line, iban, amount: Number(amount.replace('.', '')), reference };
        const found = debtors[debtor++];
        if (JSON.stringify(found) !== JSON.stringify(right)) {
          wrong.push(`debtor ${JSON.stringify(found)}, not ${JSON.stringify(right)}`);
        }
      } else {
        const right = { line, outcome: kind === 'invalid' ? 'invalid' : 'skipped' };
        const found = rejects[reject++];
        if (JSON.stringify(found) !== JSON.stringify(right)) {
          wrong.push(`reject ${JSON.stringify(found)}, not ${JSON.stringify(right)}`);
        }
      }
    }
    if (debtors.length !== debtor && wrong.length === 0)
      wrong.push(`${debtors.length} debtors, not ${debtor}`);
    if (rejects.length !== reject && wrong.length === 0)
      wrong.push(`${rejects.length} rejects, not ${reject}`);
    return wrong;
  }
}

/** Of an upload's JSON. */
export interface UploadCounts {
  readonly total: number;
  readonly accepted: number;
  readonly invalid: number;
  readonly skipped: number;
}

interface DebtorRow {
  readonly line: number;
  readonly iban: string;
  readonly amount: number;
  readonly reference: string;
}

interface RejectRow {
  readonly line: number;
  readonly outcome: string;
}

export function expectedCounts(rows: number, options: DebtorCsvOptions): UploadCounts {
  const { valid, invalid, duplicate } = debtorCsvCounts(rows, options);
  return { total: rows, accepted: valid, invalid, skipped: duplicate };
}
