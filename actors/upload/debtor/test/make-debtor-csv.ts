/** For tests and benchmarks: files of debtors of any size, the same for the same seed, and known in advance what becomes of each row. */
import { makeIban } from './make-iban.js';

export interface DebtorCsvOptions {
  /** From 0 to 99; files of different seeds share no account. */
  readonly seed?: number;
  /** Of rows with one mistake, from 0 to 1. */
  readonly invalidShare?: number;
  /** Of rows that repeat the account of the first row, from 0 to 1; together with the invalid ones at most 1. */
  readonly duplicateShare?: number;
  readonly delimiter?: ',' | ';' | '\t' | '|';
  readonly lineEnd?: '\n' | '\r\n';
  /** Bytes of a buffer, about; a line is never divided. */
  readonly chunkBytes?: number;
}

export const DEBTOR_CSV_HEADER: readonly string[] = [
  'iban',
  'amount',
  'first_name',
  'last_name',
  'email',
  'street',
  'postcode',
  'city',
  'birth_date',
  'reference',
];

export type DebtorRowKind = 'valid' | 'invalid' | 'duplicate';

/** What row `index`, from 0, is: exactly the share of all rows, evenly spread. The first is valid unless all are something else. */
export function debtorRowKind(index: number, options: DebtorCsvOptions = {}): DebtorRowKind {
  const { invalidShare = 0, duplicateShare = 0 } = options;
  const both = invalidShare + duplicateShare;
  if (Math.floor((index + 1) * both) === Math.floor(index * both)) return 'valid';
  const nth = Math.floor(index * both);
  const share = invalidShare / both;
  return Math.floor((nth + 1) * share) > Math.floor(nth * share) ? 'invalid' : 'duplicate';
}

/** Of `rows` rows, how many are of each kind. */
export function debtorCsvCounts(rows: number, options: DebtorCsvOptions = {}): Record<DebtorRowKind, number> {
  const counts = { valid: 0, invalid: 0, duplicate: 0 };
  for (let i = 0; i < rows; i++) counts[debtorRowKind(i, options)]++;
  return counts;
}

/** UTF-8 with a header: `rows` rows, and a line end behind the last. */
export async function* makeDebtorCsv(rows: number, options: DebtorCsvOptions = {}): AsyncGenerator<Buffer> {
  const { delimiter = ',', lineEnd = '\n', chunkBytes = 256 * 1024 } = options;
  let text = DEBTOR_CSV_HEADER.join(delimiter) + lineEnd;
  for (let i = 0; i < rows; i++) {
    text += debtorCells(i, options).join(delimiter) + lineEnd;
    if (text.length >= chunkBytes) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}

const COUNTRIES = ['DE', 'ES', 'FR', 'IT', 'NL', 'AT', 'PT', 'GR'];
const FIRST = ['Anna', 'Ben', 'Carla', 'David', 'Eva', 'Felix', 'Greta', 'Hugo', 'José', 'Zoë'];
const LAST = [
  'Almeida',
  'Berg',
  'Conti',
  'Dubois',
  'Evans',
  'Fischer',
  'García',
  'de Vries',
  'Müller',
  'Novak',
];
const STREETS = ['Main Street', 'Rue Haute', 'Calle Mayor', 'Via Roma', 'Hauptweg'];
const CITIES = ['Berlin', 'Madrid', 'Paris', 'Roma', 'Utrecht', 'Wien', 'Porto'];
const pick = (list: readonly string[], n: number) => list[n % list.length] ?? '';

/** The cells of row `index`, in the order of `DEBTOR_CSV_HEADER`; no delimiter and no quote is among them. */
export function debtorCells(index: number, options: DebtorCsvOptions = {}): string[] {
  const kind = debtorRowKind(index, options);
  const person = (options.seed ?? 0) * 10_000_000 + (kind === 'duplicate' ? 0 : index);
  // Spread, so that neighbours are different and a column's values are not sorted.
  const mixed = Math.imul(person + 1, 0x9e3779b1) >>> 0;
  const cents = 10 + (mixed % 100_000);
  const first = pick(FIRST, mixed >>> 5);
  const last = pick(LAST, mixed >>> 9);
  const cells = [
    makeIban(pick(COUNTRIES, mixed >>> 3), person),
    `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
    first,
    last,
    `debtor${person}@example.com`,
    `${pick(STREETS, mixed >>> 13)} ${1 + (mixed % 200)}`,
    String(10_000 + (mixed % 89_999)),
    pick(CITIES, mixed >>> 17),
    `${1940 + (mixed % 65)}-${String(1 + (mixed % 12)).padStart(2, '0')}-${String(1 + (mixed % 28)).padStart(2, '0')}`,
    `R-${person}-${index}`,
  ];
  if (kind === 'invalid') spoil(cells, index);
  return cells;
}

/** One mistake, another from row to row. */
function spoil(cells: string[], index: number): void {
  const [iban = ''] = cells;
  const mistakes: readonly (readonly [number, string])[] = [
    [0, iban.slice(0, -1) + (iban.endsWith('0') ? '1' : '0')],
    [0, ''],
    [0, `${iban}0`],
    [1, 'free'],
    [1, '0.01'],
    [1, '60000.00'],
    [2, ''],
    [3, 'x'.repeat(36)],
    [4, 'nobody'],
    [8, '1990-02-30'],
  ];
  const [column, cell] = mistakes[(Math.imul(index, 0x9e3779b1) >>> 16) % mistakes.length] ?? [0, ''];
  cells[column] = cell;
}
