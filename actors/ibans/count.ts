/** How many rows of a table have which form. It reads the whole table, in steps. */
import type { Pool } from '../../storage/postgres/pool.js';
import type { IbanTable } from './convert.js';

export interface FormCount {
  /** `none`: a row without an IBAN. */
  readonly form: 'plain' | 'sealed' | 'none';
  /** Of the key, when it is sealed. */
  readonly key: string;
  readonly rows: number;
}

const STEP_ROWS = 20_000;

const COUNT = (table: IbanTable) => `
WITH step AS (SELECT id, iban IS NOT NULL AS plain, iban_sealed FROM ${table} WHERE id > $1 ORDER BY id LIMIT ${STEP_ROWS})
SELECT CASE WHEN plain THEN 'plain' WHEN iban_sealed IS NULL THEN 'none' ELSE 'sealed' END AS form,
  CASE WHEN length(iban_sealed) < 30 THEN '?'
    ELSE coalesce(encode(substring(iban_sealed FROM 3 FOR get_byte(iban_sealed, 1)), 'escape'), '') END AS key,
  count(*)::int AS rows, (SELECT max(id) FROM step)::text AS last
FROM step GROUP BY 1, 2`;

/** @param signal aborted: ends after the step under way, with what it has */
export async function countForms(
  pool: Pool,
  table: IbanTable,
  signal: AbortSignal,
): Promise<readonly FormCount[]> {
  const counts = new Map<string, FormCount>();
  let last = '-9223372036854775808';
  while (!signal.aborted) {
    const { rows } = await pool.query<FormCount & { readonly last: string }>(COUNT(table), [last]);
    if (rows.length === 0) break;
    for (const { form, key, rows: more, last: to } of rows) {
      last = to;
      const name = `${form} ${key}`;
      counts.set(name, { form, key, rows: more + (counts.get(name)?.rows ?? 0) });
    }
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
}
