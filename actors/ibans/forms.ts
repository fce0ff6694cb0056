/**
 * In which forms IBANs stand in a table: in plain text, or sealed with this key or that one. Who looks for an IBAN has to look for each of them.
 *
 * A form is `plain` or the tag of a key (`keys.ts`). All forms of a table are found by a step in an index for each of them and one more, whatever
 * the number of rows: behind the last index that begins with a tag comes the first of another one.
 *
 * ORDER BY holds the planner to that index. In EXISTS it would be left out, and the first row that comes be taken for near.
 */
import type { IbanKeys } from './keys.js';
import { unknownKey } from './seal.js';

export const PLAIN = 'plain';

/** Rows whose forms are asked for, by the condition of the partial indexes that serve it. */
const ROWS = {
  listed: { table: 'blacklist', only: 'true' },
  waiting: { table: 'debtors', only: 'transaction_id IS NULL' },
  attempted: { table: 'debtors', only: 'transaction_id IS NOT NULL' },
} as const;

export type FormsOf = keyof typeof ROWS;

/** Expression of type text[]: the forms of these rows. */
export function formsSql(of: FormsOf): string {
  const { table, only } = ROWS[of];
  const first = (behind: string) =>
    `(SELECT substring(iban_index FROM 1 FOR 4) FROM ${table} WHERE ${only} AND ${behind} ORDER BY iban_index LIMIT 1)`;
  return `ARRAY (
    WITH RECURSIVE form (tag) AS (
      SELECT ${first('iban_index IS NOT NULL')}
      UNION ALL
      SELECT ${first(`iban_index > form.tag || '\\xffffffffffffffffffffffffffffffff'::bytea`)} FROM form WHERE form.tag IS NOT NULL
    )
    SELECT encode(tag, 'hex') FROM form WHERE tag IS NOT NULL
    UNION ALL
    SELECT '${PLAIN}' WHERE (SELECT true FROM ${table} WHERE ${only} AND iban IS NOT NULL ORDER BY iban LIMIT 1)
  )`;
}

/** What a row that is written now has. */
export function currentForm(keys: IbanKeys | undefined): string {
  return keys === undefined ? PLAIN : keys.current.tag;
}

/** @throws IbanKeyUnknownError for a form that `keys` cannot look for */
export function refuseUnknownForms(keys: IbanKeys | undefined, forms: readonly string[]): void {
  const tag = forms.find((form) => form !== PLAIN && keys?.byTag(form) === undefined);
  if (tag !== undefined) throw unknownKey(`a key of the tag ${tag}`);
}

/** An IBAN as it stands in a form, hexadecimal but for the plain one. The form is one that `refuseUnknownForms` lets pass. */
export function inForm(keys: IbanKeys | undefined, form: string, iban: string): string {
  return form === PLAIN ? iban : (keys?.byTag(form)?.indexOf(iban) ?? '');
}

/** Hexadecimal texts as a parameter of type bytea[]. */
export function bytesParameter(values: readonly string[]): string {
  return `{${values.map((hex) => `"\\\\x${hex}"`).join(',')}}`;
}
