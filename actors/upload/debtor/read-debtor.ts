/**
 * A row's cells become a debtor, or every reason why not.
 *
 * This runs for each row of files of millions: a plain row costs about a microsecond. So no closure and no array is made for a row that is
 * valid, and values that need no change are the strings of the file.
 */
import { currencyAt, readAmount } from './amount.js';
import { readBic, readCountry, readCurrency, readEmail } from './codes.js';
import type { Columns } from './columns.js';
import { readBirthDate } from './date.js';
import type { Debtor, Reason, Verdict } from './debtor.js';
import { EXTRA_CHARS_MAX, FIELDS, type FieldFacts } from './fields.js';
import { readIban } from './iban.js';
import { maskValue } from './mask.js';
import { type Name, readName, readNamePart } from './name.js';
import { type InvalidReason, Refusal } from './reasons.js';
import { cleanText } from './text.js';

/** `cells` may be fewer than the columns: those that are not there are empty. Whatever they hold, this does not throw. */
export function readDebtor(columns: Columns, cells: readonly string[]): Verdict {
  const { at } = columns;
  const row = new Row(columns, cells);
  row.refuseSurplus();
  const iban = row.required(at.iban, FIELDS.iban, 'iban-missing', readIban) ?? '';
  const amount = row.required(at.amount, FIELDS.amount, 'amount-missing', readAmount) ?? 0;
  const name = at.name >= 0 ? row.required(at.name, FIELDS.name, 'name-missing', readName) : row.nameOfTwo();
  const debtor: Debtor = {
    iban,
    bic: row.optional(at.bic, FIELDS.bic, readBic),
    firstName: name?.firstName ?? '',
    lastName: name?.lastName ?? '',
    amount,
    currency: row.currency(),
    email: row.optional(at.email, FIELDS.email, readEmail),
    phone: row.text(at.phone, FIELDS.phone) || undefined,
    street: row.street(),
    postcode: row.text(at.postcode, FIELDS.postcode) || undefined,
    city: row.text(at.city, FIELDS.city) || undefined,
    country: row.optional(at.country, FIELDS.country, readCountry) ?? iban.slice(0, 2),
    nationalId: row.text(at.nationalId, FIELDS.nationalId) || undefined,
    birthDate: row.optional(at.birthDate, FIELDS.birthDate, readBirthDate),
    externalReference: row.text(at.externalReference, FIELDS.externalReference) || undefined,
    extra: row.extra(),
  };
  return row.reasons === undefined
    ? { outcome: 'valid', debtor }
    : { outcome: 'invalid', reasons: row.reasons };
}

/** How the text of a cell, not empty, becomes a value. It refuses text that is not clean, or returns a value that is. */
type Reader<Value> = (text: string, today: string) => Value | Refusal;

class Row {
  reasons: Reason[] | undefined = undefined;
  readonly #columns: Columns;
  readonly #cells: readonly string[];

  constructor(columns: Columns, cells: readonly string[]) {
    this.#columns = columns;
    this.#cells = cells;
  }

  /** Clean; empty when there is none; undefined when it was refused. */
  text(at: number, facts: FieldFacts): string | undefined {
    const cell = this.#cell(at, facts);
    return cell ? cleanText(cell) : cell;
  }

  optional<Value>(at: number, facts: FieldFacts, reader: Reader<Value>): Value | undefined {
    const cell = this.#cell(at, facts);
    return cell ? this.#read(at, facts, cell, reader, undefined) : undefined;
  }

  required<Value>(
    at: number,
    facts: FieldFacts,
    missing: InvalidReason,
    reader: Reader<Value>,
  ): Value | undefined {
    const cell = this.#cell(at, facts);
    if (cell) return this.#read(at, facts, cell, reader, missing);
    if (cell === '') this.#refuse(missing, at, facts);
    return undefined;
  }

  #isEmpty(at: number): boolean {
    return cleanText(this.#cells[at] ?? '') === '';
  }

  /** As the file has it; empty when there is none; undefined when it was refused. */
  #cell(at: number, facts: FieldFacts): string | undefined {
    const cell = at < 0 ? undefined : this.#cells[at];
    if (cell === undefined) return '';
    if (cell.length <= facts.charsMax) return cell;
    this.#refuse('cell-too-long', at, facts);
    return undefined;
  }

  /** What readers accept is clean, so only what they do not is cleaned: most cells are looked at once. */
  #read<Value>(
    at: number,
    facts: FieldFacts,
    cell: string,
    reader: Reader<Value>,
    missing: InvalidReason | undefined,
  ): Value | undefined {
    let value = reader(cell, this.#columns.today);
    if (!(value instanceof Refusal)) return value;
    const text = cleanText(cell);
    if (text === '') {
      if (missing !== undefined) this.#refuse(missing, at, facts);
      return undefined;
    }
    if (text !== cell) value = reader(text, this.#columns.today);
    if (!(value instanceof Refusal)) return value;
    this.#refuse(value.code, at, facts);
    return undefined;
  }

  /** Of two columns. */
  nameOfTwo(): Name | undefined {
    const { at } = this.#columns;
    const firstName = this.optional(at.firstName, FIELDS.firstName, readNamePart);
    const lastName = this.optional(at.lastName, FIELDS.lastName, readNamePart);
    if (firstName !== undefined && lastName !== undefined) return { firstName, lastName };
    const noFirst = this.#isEmpty(at.firstName);
    const noLast = this.#isEmpty(at.lastName);
    if (noFirst) this.#refuse(noLast ? 'name-missing' : 'name-incomplete', at.firstName, FIELDS.firstName);
    else if (noLast) this.#refuse('name-incomplete', at.lastName, FIELDS.lastName);
    return undefined;
  }

  /** The column's, or that of the sign at the amount, or EUR. */
  currency(): string {
    const { at } = this.#columns;
    const signed = currencyAt(this.#cells[at.amount] ?? '');
    const told = this.optional(at.currency, FIELDS.currency, readCurrency);
    if (told !== undefined && signed !== undefined && told !== signed)
      this.#refuse('currency-mismatch', at.currency, FIELDS.currency);
    return told ?? signed ?? 'EUR';
  }

  /** Street, house number and second line of the address in one. */
  street(): string | undefined {
    const { at } = this.#columns;
    const street = this.text(at.street, FIELDS.street) || undefined;
    const number = this.text(at.houseNumber, FIELDS.houseNumber);
    const second = this.text(at.street2, FIELDS.street2);
    const first = street !== undefined && number ? `${street} ${number}` : street || number || undefined;
    return first !== undefined && second ? `${first}, ${second}` : first || second || undefined;
  }

  extra(): Readonly<Record<string, string>> | undefined {
    let extra: Record<string, string> | undefined;
    for (const { at, key } of this.#columns.extra) {
      const cell = this.#cells[at];
      if (cell === undefined || cell === '') continue;
      if (cell.length > EXTRA_CHARS_MAX) {
        this.#note('cell-too-long', at, maskValue('text', cell));
        continue;
      }
      const text = cleanText(cell);
      if (text === '') continue;
      // Without a prototype: a header may be named __proto__.
      extra ??= Object.create(null) as Record<string, string>;
      extra[key] = text;
    }
    return extra;
  }

  /** Values beyond the header: a delimiter in a value, most likely, and then all behind it are in the wrong column. */
  refuseSurplus(): void {
    const { header } = this.#columns;
    for (let i = header.length; i < this.#cells.length; i++) {
      if (cleanText(this.#cells[i] ?? '') === '') continue;
      this.#note('too-many-cells', -1, `${this.#cells.length} for ${header.length} columns`);
      return;
    }
  }

  #refuse(code: InvalidReason, at: number, facts: FieldFacts): void {
    this.#note(code, at, maskValue(facts.mask, this.#cells[at] ?? ''));
  }

  #note(code: InvalidReason, at: number, value: string): void {
    this.reasons ??= [];
    this.reasons.push({ code, column: this.#columns.header[at] ?? '', value });
  }
}
