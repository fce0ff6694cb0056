/**
 * Who goes on the blacklist, in the form in which the row is written.
 *
 * The IBAN is that of the debtor whose transaction it was; where nobody knows one, that of the notification; and else none, and the payment stands
 * for the debtor. With keys it is sealed here: one that is sealed in `debtors` is opened and sealed anew, for its new place.
 *
 * An IBAN stands there once, whatever its form: in the form that is written an index sees to it, those that are there in another are asked for.
 */
import type { Queryable } from '../../storage/postgres/pool.js';
import { bytesParameter, currentForm, formsSql, inForm, PLAIN, refuseUnknownForms } from '../ibans/forms.js';
import type { IbanKeys } from '../ibans/keys.js';
import { type DebtorIdentity, debtorPlace, paymentPlace } from '../ibans/places.js';
import { IbanSealer, openIban } from '../ibans/seal.js';
import type { BlacklistWrite } from './decide.js';

/** `iban`, or `sealed` and `index` (hexadecimal), or none of them. */
export interface ListedWrite extends BlacklistWrite {
  readonly sealed: string | undefined;
  readonly index: string | undefined;
}

/** $1 transaction ids text[] */
const DEBTORS = `
SELECT d.id::text, d.transaction_id, d.upload_id, d.line::text, d.owner, d.iban, d.iban_sealed
FROM unnest($1::text[]) AS t (transaction_id),
LATERAL (SELECT * FROM debtors WHERE transaction_id = t.transaction_id OFFSET 0) d`;

const FORMS = `SELECT ${formsSql('listed')} AS forms`;

/** $1 IBANs text[], $2 indexes bytea[] */
const LISTED_ALREADY = `
SELECT iban AS value FROM blacklist WHERE iban = ANY ($1::text[])
UNION ALL
SELECT encode(iban_index, 'hex') FROM blacklist WHERE iban_index = ANY ($2::bytea[])`;

interface DebtorRow extends DebtorIdentity {
  readonly transaction_id: string;
  readonly iban: string | null;
  readonly iban_sealed: Uint8Array | null;
}

/** @throws IbanKeyUnknownError, IbanSealError */
export async function findListed(
  client: Queryable,
  entries: readonly BlacklistWrite[],
  keys: IbanKeys | undefined,
): Promise<readonly ListedWrite[]> {
  if (entries.length === 0) return [];
  const ibans = await debtorIbans(client, entries, keys);
  const known = entries.map((entry) => ({ ...entry, iban: ibans.get(entry.transactionId) ?? entry.iban }));
  const others = await otherForms(client, keys);
  const listed = await listedIn(client, others, known, keys);
  const sealer = keys && new IbanSealer(keys.current);
  return known
    .filter(({ iban }) => iban === undefined || !others.some((form) => listed.has(inForm(keys, form, iban))))
    .map((entry) => ({ ...entry, ...writtenAs(entry, sealer) }));
}

async function debtorIbans(
  client: Queryable,
  entries: readonly BlacklistWrite[],
  keys: IbanKeys | undefined,
): Promise<ReadonlyMap<string | undefined, string>> {
  const wanted = new Set(entries.map(({ transactionId }) => transactionId).filter((id) => id !== undefined));
  const ibans = new Map<string | undefined, string>();
  if (wanted.size === 0) return ibans;
  const { rows } = await client.query<DebtorRow>(DEBTORS, [[...wanted]]);
  for (const row of rows) {
    const { iban, iban_sealed: sealed } = row;
    if (iban !== null) ibans.set(row.transaction_id, iban);
    else if (sealed !== null) ibans.set(row.transaction_id, openIban(keys, sealed, debtorPlace(row)));
  }
  return ibans;
}

/** Of the blacklist, but for the one that is written. */
async function otherForms(client: Queryable, keys: IbanKeys | undefined): Promise<readonly string[]> {
  const { rows } = await client.query<{ forms: readonly string[] }>(FORMS);
  const forms = rows[0]?.forms ?? [];
  refuseUnknownForms(keys, forms);
  return forms.filter((form) => form !== currentForm(keys));
}

async function listedIn(
  client: Queryable,
  forms: readonly string[],
  entries: readonly BlacklistWrite[],
  keys: IbanKeys | undefined,
): Promise<ReadonlySet<string>> {
  if (forms.length === 0) return new Set();
  const ibans = entries.map(({ iban }) => iban).filter((iban) => iban !== undefined);
  const sealed = forms.filter((form) => form !== PLAIN);
  const { rows } = await client.query<{ value: string }>(LISTED_ALREADY, [
    forms.includes(PLAIN) ? ibans : [],
    bytesParameter(sealed.flatMap((form) => ibans.map((iban) => inForm(keys, form, iban)))),
  ]);
  return new Set(rows.map(({ value }) => value));
}

function writtenAs(
  { endpoint, paymentId, iban }: BlacklistWrite,
  sealer: IbanSealer | undefined,
): Pick<ListedWrite, 'iban' | 'sealed' | 'index'> {
  if (iban === undefined || sealer === undefined) return { iban, sealed: undefined, index: undefined };
  return {
    iban: undefined,
    sealed: sealer.seal(iban, paymentPlace(endpoint, paymentId)).toString('hex'),
    index: sealer.key.indexOf(iban),
  };
}
