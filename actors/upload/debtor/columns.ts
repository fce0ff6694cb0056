/**
 * What each column of a file is, found out once from its header.
 *
 * A header is compared without case, accents and punctuation: `E-Mail`, `e_mail` and ` E mail ` are one. Where two columns could be the
 * same field, a required one fails the file, for a guess would take money from the wrong account or in the wrong amount; of
 * others the better known header counts, and the other column is kept in `extra`.
 */
import { HeaderError } from './errors.js';
import { FIELDS, type Field } from './fields.js';
import { cleanText } from './text.js';

/** Columns of a file, known or not. */
export const COLUMNS_MAX = 500;
const HEADER_CHARS_MAX = 100;

export interface ExtraColumn {
  readonly at: number;
  /** Of `extra`: the header, numbered when it is there before. */
  readonly key: string;
}

/** Plain data. */
export interface Columns {
  /** As the file has them, without invisible characters and not longer than 100; one for each column. */
  readonly header: readonly string[];
  /** Where a row has the cell of a field; -1 when it has none. */
  readonly at: Readonly<Record<Field, number>>;
  readonly extra: readonly ExtraColumn[];
  /** `yyyy-mm-dd`: no birth is later. */
  readonly today: string;
}

/** @throws HeaderError */
export function compileColumns(header: readonly string[], now = new Date()): Columns {
  let width = header.length;
  while (width > 0 && cleanText(header[width - 1] ?? '') === '') width--;
  if (width > COLUMNS_MAX) throw new HeaderError(`the file has more than ${COLUMNS_MAX} columns`);
  const shown = header.slice(0, width).map(shownHeader);
  const columns = new Map<string, number[]>();
  for (const [at, text] of shown.entries()) {
    const name = normalizeHeader(text);
    const same = columns.get(name);
    if (same === undefined) columns.set(name, [at]);
    else same.push(at);
  }
  /** Of a field, the columns that could be it, the best known header first. */
  const candidates = (field: Field) => FIELDS[field].aliases.flatMap((alias) => columns.get(alias) ?? []);

  const names: readonly Field[] =
    candidates('firstName').length > 0 && candidates('lastName').length > 0
      ? ['firstName', 'lastName']
      : ['name'];
  refuseHeader(['iban', 'amount', ...names], candidates);
  const at = Object.fromEntries(
    (Object.keys(FIELDS) as Field[]).map((field) => {
      const unused = isName(field) && !names.includes(field);
      return [field, unused ? -1 : (candidates(field)[0] ?? -1)];
    }),
  ) as Record<Field, number>;
  return {
    header: shown,
    at,
    extra: extraColumns(shown, new Set(Object.values(at))),
    today: now.toISOString().slice(0, 10),
  };
}

const isName = (field: Field) => field === 'name' || field === 'firstName' || field === 'lastName';

/** In small letters without accents, each run of anything but letters and digits as one `_`, none at the ends. */
function normalizeHeader(header: string): string {
  return header
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_|_$/g, '');
}

/** Only so much is looked at: a header may be as long as a file. */
function shownHeader(header: string): string {
  return cleanText(header.slice(0, HEADER_CHARS_MAX));
}

function refuseHeader(required: readonly Field[], candidates: (field: Field) => readonly number[]): void {
  const missing = required.filter((field) => candidates(field).length === 0);
  const doubled = required.filter((field) => candidates(field).length > 1);
  if (missing.length === 0 && doubled.length === 0) return;
  const known = (field: Field) => FIELDS[field].aliases.join(', ');
  const problems = [
    ...missing.map((field) =>
      field === 'name'
        ? `no column of the name (known: ${known('name')}; or both of ${known('firstName')} and ${known('lastName')})`
        : `no column of the ${WORDS[field]} (known: ${known(field)})`,
    ),
    ...doubled.map((field) => `more than one column of the ${WORDS[field]} (known: ${known(field)})`),
  ];
  throw new HeaderError(`the header has ${problems.join('; ')}`);
}

const WORDS: Readonly<Partial<Record<Field, string>>> = {
  iban: 'IBAN',
  amount: 'amount',
  name: 'name',
  firstName: 'first name',
  lastName: 'last name',
};

function extraColumns(header: readonly string[], used: ReadonlySet<number>): ExtraColumn[] {
  const keys = new Set<string>();
  const extra: ExtraColumn[] = [];
  for (const [at, text] of header.entries()) {
    if (used.has(at)) continue;
    const name = text === '' ? `column ${at + 1}` : text;
    let key = name;
    for (let number = 2; keys.has(key); number++) key = `${name} ${number}`;
    keys.add(key);
    extra.push({ at, key });
  }
  return extra;
}
