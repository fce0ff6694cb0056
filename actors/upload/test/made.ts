/** For tests: debtors that nobody is, and uploads in the table. */
import { MessageIdSource } from '../../../runtime/message-id.js';
import type { Queryable } from '../../../storage/postgres/pool.js';
import type { Debtor } from '../debtor/debtor.js';
import type { Position } from '../file/table-file.js';
import { objectKeyOf, type UploadCounts, type UploadState } from '../model.js';

const ids = new MessageIdSource();

export const newId = () => ids.next(Date.now());

/** The IBAN of an account that no bank has, with its check digits. */
export function madeIban(n: number): string {
  const account = `00000000${String(n).padStart(10, '0')}`;
  // DE00 behind the account, as numbers.
  const check = 98n - (BigInt(`${account}131400`) % 97n);
  return `DE${String(check).padStart(2, '0')}${account}`;
}

export function madeDebtor(n: number, more: Partial<Debtor> = {}): Debtor {
  return {
    iban: madeIban(n),
    bic: undefined,
    firstName: 'Ann',
    lastName: `Debtor ${n}`,
    amount: 1_000 + n,
    currency: 'EUR',
    email: undefined,
    phone: undefined,
    street: undefined,
    postcode: undefined,
    city: undefined,
    country: 'DE',
    nationalId: undefined,
    birthDate: undefined,
    externalReference: undefined,
    extra: undefined,
    ...more,
  };
}

export const COLUMNS = { iban: 'IBAN', bic: 'BIC', email: 'E-Mail', name: 'Name' };

export const START: Position = { byte: 10, line: 2 };

/** An upload that is in the midst of its work. */
export async function madeUpload(
  client: Queryable,
  owner: string,
  more: { readonly state?: UploadState; readonly bytes?: number } = {},
): Promise<string> {
  const id = newId();
  await client.query(
    `INSERT INTO uploads (id, owner, state, via, filename, media_type, object_key, bytes, checkpoint)
     VALUES ($1, $2, $3, 'raw', 'made.csv', 'text/csv', $4, $5, $6)`,
    [id, owner, more.state ?? 'processing', objectKeyOf(id), more.bytes ?? 1_000, { next: START }],
  );
  return id;
}

export interface UploadLook extends UploadCounts {
  readonly state: UploadState;
  readonly version: number;
  readonly processed: number;
  readonly failure_code: string | null;
  readonly failure_detail: string | null;
}

export async function lookAt(client: Queryable, id: string): Promise<UploadLook | undefined> {
  const { rows } = await client.query<UploadLook>(
    `SELECT state, total::int, accepted::int, invalid::int, skipped::int, version::int, processed_bytes::int AS processed,
       failure_code, failure_detail
     FROM uploads WHERE id = $1`,
    [id],
  );
  return rows[0];
}

/** Line and outcome of each row of an upload: `accepted`, or the codes of its reasons. */
export async function outcomesOf(
  client: Queryable,
  id: string,
): Promise<readonly (readonly [number, string])[]> {
  const { rows } = await client.query<{ line: number; outcome: string }>(
    `SELECT line::int, 'accepted' AS outcome FROM debtors WHERE upload_id = $1
     UNION ALL
     SELECT line::int, (SELECT string_agg(concat_ws(' ', r ->> 'code', substring(r ->> 'value' FROM '(?:line|upload).*')), ', ') FROM jsonb_array_elements(reasons) r)
     FROM upload_rejects WHERE upload_id = $1
     ORDER BY line, outcome`,
    [id],
  );
  return rows.map(({ line, outcome }) => [line, outcome]);
}
