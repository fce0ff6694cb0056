/**
 * What the tables say about a batch, whatever form its IBANs have there.
 *
 * Rows are looked for in each form that is there; those that wait as well, or in none: where all of them have the batch's own form, a unique index
 * finds them as the batch is written. That holds as long as none leaves it: `hasOtherForms` asks once the batch is written.
 *
 * Forms are read first, and once more in the statement that finds hits, at the same moment as these: when another one has come meanwhile,
 * all is asked again. A form comes with the first row of a key, or the first plain one, and so a few times in the life of a table.
 */
import { PostgresConflictError } from '../../../storage/postgres/errors.js';
import type { Transaction } from '../../../storage/postgres/pool.js';
import {
  bytesParameter,
  currentForm,
  type FormsOf,
  formsSql,
  PLAIN,
  refuseUnknownForms,
} from '../../ibans/forms.js';
import { isPaid, isPastChargeback, MOVES } from '../../payment/status.js';
import type { Batch } from './batch.js';
import type { SkipCode } from './skips.js';
import { FIND_HITS, type HitRow } from './sql/find-hits.js';
import { type Forms, SHORT_LIST_MAX, SHORT_LISTS, type ShortLists } from './sql/short-lists.js';

const PAST_CHARGEBACK = Object.keys(MOVES).filter(isPastChargeback);
const PAID = Object.keys(MOVES).filter(isPaid);

/** Two keys and the plain one may come in a row; more is a mistake of ours. */
const TRIES_MAX = 5;
const SERIALIZATION_FAILURE = '40001';

export interface Found {
  /** By the keys of `Batch.readIbans`. */
  readonly hits: readonly HitRow[];
  /** Whether debtors that wait were looked for. */
  readonly waiting: boolean;
}

/**
 * @param waiting look for the batch's IBANs among the debtors that wait, too; without, only when these have another form than the batch
 * @throws IbanKeyUnknownError
 */
export async function findHits(
  transaction: Transaction,
  { owner, uploadId }: { readonly owner: string; readonly uploadId: string },
  batch: Batch,
  waiting: boolean,
): Promise<Found> {
  if (batch.debtors.count === 0) return { hits: [], waiting };
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { rows: lists } = await transaction.query<ShortLists>(SHORT_LISTS);
    const [short] = lists;
    if (short === undefined) throw new TypeError('a SELECT without FROM that returned nothing');
    const hits: HitRow[] = [];
    /** The values to ask for, of a list that is not short; of one that is, its entries are as good as hits. */
    const ask = (code: SkipCode, list: readonly string[], values: () => readonly string[]) => {
      if (list.length > SHORT_LIST_MAX) return values();
      for (const value of list) hits.push({ code, value, upload_id: null, line: null });
      return [];
    };
    const asked = formsToAsk(short, batch, waiting);
    const { rows } = await transaction.query<HitRow>(FIND_HITS, [
      plainValues(batch, asked.waiting),
      plainValues(batch, asked.listed),
      plainValues(batch, asked.attempted),
      ask('blacklisted-bic', short.bics, () =>
        distinct(batch.readListed().bics).flatMap((bic) =>
          bic.endsWith('XXX') ? [bic, bic.slice(0, 8)] : [bic],
        ),
      ),
      ask('blacklisted-email', short.emails, () => distinct(batch.readListed().emails)),
      ask('blacklisted-name', short.names, () => distinct(batch.readListed().names)),
      owner,
      uploadId,
      PAST_CHARGEBACK,
      PAID,
      sealedValues(batch, asked.waiting),
      sealedValues(batch, asked.listed),
      sealedValues(batch, asked.attempted),
    ]);
    const forms = rows.pop();
    if (forms?.code !== 'forms') throw new TypeError('the last row has the forms');
    const after = formsToAsk(JSON.parse(forms.value) as Forms, batch, waiting);
    if (TABLES.every((of) => after[of].every((form) => asked[of].includes(form))))
      return {
        hits: hits.concat(rows.map((hit) => ({ ...hit, value: keyOf(batch, asked, hit.value) }))),
        waiting: waiting || asked.waiting.length > 0,
      };
  }
  throw new PostgresConflictError('IBANs take one form after the other', SERIALIZATION_FAILURE);
}

const WAITING_FORMS = `SELECT ${formsSql('waiting')} AS forms`;

/**
 * Whether debtors wait in another form than the batch's. When the batch is written and none does, the unique index has compared it with all of
 * them; otherwise a row that had the batch's form may have been given another one before the index was asked.
 * @throws IbanKeyUnknownError
 */
export async function hasOtherForms(transaction: Transaction, batch: Batch): Promise<boolean> {
  const { rows } = await transaction.query<{ forms: readonly string[] }>(WAITING_FORMS);
  const forms = rows[0]?.forms ?? [];
  refuseUnknownForms(batch.keys, forms);
  return forms.some((form) => form !== currentForm(batch.keys));
}

const TABLES: readonly FormsOf[] = ['waiting', 'listed', 'attempted'];

/** @throws IbanKeyUnknownError */
function formsToAsk(there: Forms, batch: Batch, waiting: boolean): Forms {
  for (const of of TABLES) refuseUnknownForms(batch.keys, there[of]);
  const own = currentForm(batch.keys);
  const isOwnAlone = there.waiting.every((form) => form === own);
  return waiting || !isOwnAlone ? there : { ...there, waiting: [] };
}

/** Letters and digits: the array's text needs no quotes, which the driver would look for in each. */
function plainValues(batch: Batch, forms: readonly string[]): string {
  return forms.includes(PLAIN) ? `{${batch.readForm(PLAIN).values.join(',')}}` : '{}';
}

function sealedValues(batch: Batch, forms: readonly string[]): string {
  return bytesParameter(forms.flatMap((form) => (form === PLAIN ? [] : batch.readForm(form).values)));
}

/** What a row of the batch is known by, for a value of any form. */
function keyOf(batch: Batch, { waiting, listed, attempted }: Forms, value: string): string {
  for (const form of new Set([...waiting, ...listed, ...attempted])) {
    const key = batch.readForm(form).keys.get(value);
    if (key !== undefined) return key;
  }
  return value;
}

function distinct(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values)].filter((value) => value !== undefined);
}
