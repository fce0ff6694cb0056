/**
 * Judged rows of a file on their way into the tables: those that are valid as rows of `debtors`, with what they are checked by, and
 * the others as rows of `upload_rejects`.
 */
import { currentForm, inForm } from '../../ibans/forms.js';
import type { IbanKeys } from '../../ibans/keys.js';
import { uploadPlace } from '../../ibans/places.js';
import { IbanSealer } from '../../ibans/seal.js';
import type { Debtor, Reason, Verdict } from '../debtor/debtor.js';
import { CopyRows, copiedText, copyJson, copyText } from './copy-text.js';
import { IbansAside } from './ibans-aside.js';

const debtorColumns = (
  iban: string,
) => `upload_id, owner, line, ${iban}, bic, first_name, last_name, amount, currency, email, phone, street,
  postcode, city, country, national_id, birth_date, external_reference, extra`;
const PLAIN_COLUMNS = debtorColumns('iban');
const SEALED_COLUMNS = `${debtorColumns('iban_index')}, iban_sealed`;
/** Of one in `Batch.rejects`. */
export const REJECT_COLUMNS = 'upload_id, line, outcome, reasons';

/** Places in both. */
const COLUMN = { line: 2, iban: 3, bic: 4, firstName: 5, lastName: 6, email: 9 };
const IBANS_END = COLUMN.iban + 1;
const LISTED_END = COLUMN.email + 1;

/** By the number of the valid row. */
export interface IbanValues {
  readonly lines: readonly number[];
  /** In the form in which the batch writes them: IBANs, or their index in hexadecimal. */
  readonly keys: readonly string[];
}

/** By the number of the valid row. */
export interface ListedValues {
  /** In the form of `wholeBic`. */
  readonly bics: readonly (string | undefined)[];
  readonly emails: readonly (string | undefined)[];
  readonly names: readonly string[];
}

/** Rows of a batch at most, by what a sort key has room for. */
const ROWS_MAX = 2 ** 17;
/** Of an index, hexadecimal: its first four bytes are the same for all, and nine characters have 36 bits, as `sortKey`. */
const TAG_CHARS = 8;
const SORT_CHARS = 9;
const ROWS_AT_FIRST = 1_024;

/** Of a value of type bytea in the text of COPY. */
const BYTES = '\\\\x';

/** Headers of the columns that rows are checked by, as the file has them; empty where it has none. */
export interface CheckedColumns {
  readonly iban: string;
  readonly bic: string;
  readonly email: string;
  readonly name: string;
}

export class Batch {
  readonly columns: CheckedColumns;
  readonly debtors: CopyRows;
  readonly rejects: CopyRows;
  /** Of the valid rows, in the order of `debtors`; longer than there are rows. */
  #sortKeys: Float64Array;
  #ibans: IbanValues | undefined;
  #listed: ListedValues | undefined;
  #invalid = 0;
  readonly #upload: string;
  readonly #uploadAndOwner: string;
  readonly #keys: IbanKeys | undefined;
  readonly #sealer: IbanSealer | undefined;
  readonly #place: string;
  readonly #aside: IbansAside;

  /**
   * @param options.keys what IBANs are sealed with; without, they are written as they are
   * @param options.spent a batch that is written: its memory is taken, and it must not be used any more
   */
  constructor(
    uploadId: string,
    owner: string,
    columns: CheckedColumns,
    { keys, spent }: { readonly keys?: IbanKeys | undefined; readonly spent?: Batch | undefined } = {},
  ) {
    this.columns = columns;
    this.#keys = keys;
    this.#sealer = keys && (spent === undefined ? new IbanSealer(keys.current) : spent.#sealer);
    this.#place = uploadPlace(uploadId, owner);
    this.#aside = spent === undefined ? new IbansAside() : spent.#aside;
    this.debtors = spent?.debtors ?? new CopyRows();
    this.rejects = spent?.rejects ?? new CopyRows();
    this.#sortKeys = spent === undefined ? new Float64Array(ROWS_AT_FIRST) : spent.#sortKeys;
    this.debtors.clear();
    this.rejects.clear();
    this.#upload = `${uploadId}\t`;
    this.#uploadAndOwner = `${uploadId}\t${copyText(owner)}\t`;
  }

  /** Of the rows in `debtors`, in order. */
  get debtorColumns(): string {
    return this.#sealer === undefined ? PLAIN_COLUMNS : SEALED_COLUMNS;
  }

  get keys(): IbanKeys | undefined {
    return this.#keys;
  }

  get rows(): number {
    return this.debtors.count + this.#invalid;
  }

  get invalid(): number {
    return this.#invalid;
  }

  get bytes(): number {
    return this.debtors.bytes + this.rejects.bytes;
  }

  add(line: number, verdict: Verdict): void {
    if (this.rows === ROWS_MAX) throw new RangeError(`a batch of more than ${ROWS_MAX} rows`);
    if (verdict.outcome === 'invalid') {
      this.#invalid++;
      this.#reject(line, 'invalid', verdict.reasons);
      return;
    }
    const { debtor } = verdict;
    const number = this.debtors.count;
    this.debtors.add(this.#uploadAndOwner + this.#toRow(number, line, debtor));
    if (number === this.#sortKeys.length) {
      const keys = new Float64Array(2 * number);
      keys.set(this.#sortKeys);
      this.#sortKeys = keys;
    }
    this.#sortKeys[number] = this.#sortKey * ROWS_MAX + number;
  }

  /** What `#toRow` says of the row that it made last. */
  #sortKey = 0;

  #toRow(number: number, line: number, debtor: Debtor): string {
    const { iban } = debtor;
    if (this.#sealer === undefined) {
      this.#sortKey = sortKey(iban);
      return `${toRow(line, iban, debtor)}\n`;
    }
    const index = this.#sealer.key.indexOf(iban);
    const sealed = this.#sealer.seal(iban, this.#place + line).toString('hex');
    this.#aside.set(number, iban);
    this.#sortKey = Number.parseInt(index.slice(TAG_CHARS, TAG_CHARS + SORT_CHARS), 16);
    return `${toRow(line, BYTES + index, debtor)}\t${BYTES}${sealed}\n`;
  }

  /**
   * Read out of the encoded rows, for which there is seldom a need; once, when all rows are there. A string kept for a whole batch is one
   * more object to copy in each collection of garbage, and with it the chunk of the file that it is a slice of.
   */
  readIbans(): IbanValues {
    this.#ibans ??= this.#readIbans();
    return this.#ibans;
  }

  #readIbans(): IbanValues {
    const values: { lines: number[]; keys: string[] } = { lines: [], keys: [] };
    const start = this.#sealer === undefined ? 0 : BYTES.length;
    for (let number = 0; number < this.debtors.count; number++) {
      const columns = this.debtors.row(number).split('\t', IBANS_END);
      values.lines.push(Number(columns[COLUMN.line]));
      values.keys.push(columns[COLUMN.iban]?.slice(start) ?? '');
    }
    return values;
  }

  /** Of a valid row. */
  ibanOf(number: number): string {
    return this.#sealer === undefined ? (this.readIbans().keys[number] ?? '') : this.#aside.get(number);
  }

  /**
   * The IBANs as they stand in the tables in a form of `forms.ts`; in another one than the batch writes, with the key that each is known by here. Once
   * for each form, as `readIbans`.
   */
  readForm(form: string): { readonly values: readonly string[]; readonly keys: ReadonlyMap<string, string> } {
    const { keys } = this.readIbans();
    if (form === currentForm(this.#keys)) return { values: keys, keys: new Map() };
    const read = this.#forms.get(form) ?? this.#readForm(form, keys);
    this.#forms.set(form, read);
    return { values: [...read.keys()], keys: read };
  }

  readonly #forms = new Map<string, ReadonlyMap<string, string>>();

  #readForm(form: string, keys: readonly string[]): ReadonlyMap<string, string> {
    return new Map(keys.map((key, number) => [inForm(this.#keys, form, this.ibanOf(number)), key]));
  }

  /** What the valid rows are looked for by in the blacklist, beside the IBAN. As `readIbans`. */
  readListed(): ListedValues {
    this.#listed ??= this.#readListed();
    return this.#listed;
  }

  #readListed(): ListedValues {
    const listed: { bics: (string | undefined)[]; emails: (string | undefined)[]; names: string[] } = {
      bics: [],
      emails: [],
      names: [],
    };
    for (let number = 0; number < this.debtors.count; number++) {
      const columns = this.debtors.row(number).split('\t', LISTED_END);
      const bic = copiedText(columns[COLUMN.bic]);
      listed.bics.push(bic === undefined ? undefined : wholeBic(bic));
      listed.emails.push(copiedText(columns[COLUMN.email])?.toLowerCase());
      const [first, last] = [copiedText(columns[COLUMN.firstName]), copiedText(columns[COLUMN.lastName])];
      listed.names.push(`${first} ${last}`.toUpperCase());
    }
    return listed;
  }

  /** Adds valid rows, by their number from 0, to `rejects`. Once, when all rows are there. */
  skip(reasons: ReadonlyMap<number, Reason>): void {
    if (reasons.size === 0) return;
    const { lines } = this.readIbans();
    for (const [number, reason] of reasons) this.#reject(lines[number] ?? 0, 'skipped', [reason]);
  }

  /**
   * The valid rows that are not skipped, roughly in the order of their IBANs: so neighbours in the index come one after the
   * other.
   */
  kept(reasons: ReadonlyMap<number, Reason>): Iterable<number> {
    const keys = this.#sortKeys.slice(0, this.debtors.count);
    const kept = reasons.size === 0 ? keys : keys.filter((_, number) => !reasons.has(number));
    return kept.sort().map((key) => key % ROWS_MAX);
  }

  #reject(line: number, outcome: 'invalid' | 'skipped', reasons: readonly Reason[]): void {
    this.rejects.add(`${this.#upload}${line}\t${outcome}\t${copyJson(reasons)}\n`);
  }
}

/** A BIC of 8 characters is that of the head office, which has another one of 11. */
export function wholeBic(bic: string): string {
  return bic.length === 8 ? `${bic}XXX` : bic;
}

/** Of an IBAN's country, check digits and next three characters: less than 2^36. */
function sortKey(iban: string): number {
  let key = (iban.charCodeAt(0) - 65) * 26 + iban.charCodeAt(1) - 65;
  for (let n = 2; n < 7; n++) {
    const code = iban.charCodeAt(n);
    key = key * 36 + (code < 65 ? code - 48 : code - 55);
  }
  return key;
}

function toRow(line: number, iban: string, it: Debtor): string {
  return `${line}\t${iban}\t${copyText(it.bic)}\t${copyText(it.firstName)}\t${copyText(it.lastName)}\t${it.amount}\t${
    it.currency
  }\t${copyText(it.email)}\t${copyText(it.phone)}\t${copyText(it.street)}\t${copyText(it.postcode)}\t${copyText(it.city)}\t${
    it.country
  }\t${copyText(it.nationalId)}\t${copyText(it.birthDate)}\t${copyText(it.externalReference)}\t${copyJson(it.extra)}`;
}
