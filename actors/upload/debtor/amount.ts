/**
 * An amount as people and programs write it, in minor units, without floating point.
 *
 * | written                             | read as                                                               |
 * |-------------------------------------|-----------------------------------------------------------------------|
 * | `1234`, `1234.5`, `1234,50`, `.50`  | `.` or `,` alone, with one or two digits behind it, is the decimal mark |
 * | `1.234,56`, `1,234.56`              | the last mark is the decimal one, the other groups thousands           |
 * | `1 234,56`, `1'234.56`, `1 234`     | a space or an apostrophe can only group                               |
 * | `1.234.567`, `1,234,567`            | a mark that is there twice groups                                      |
 * | `1.234`, `12,500`, `€1.234`         | refused as ambiguous: see below                                        |
 * | `1234.500`, `0.500`                 | no group has four digits or begins with 0: decimals, zeros at the end  |
 * | `19.989999999999998`                | 19.99: what a spreadsheet keeps of a computed number                   |
 *
 * One mark with three digits behind it is read by some programs as thousands and by others as decimals. The one reading takes
 * a thousand times from a debtor what the other does, so it is for the client to say which: the row is refused. (Rejected:
 * taking it for thousands, because amounts have two decimals. Programs that write three, `1.500`, exist.)
 *
 * `€`, `$` or `£` may stand before or behind. A minus, before, behind or as brackets, is understood so that it can be refused.
 */
import { Refusal } from './reasons.js';

const MINOR_MIN = 10;
const MINOR_MAX = 5_000_000;
/** More than any amount, and far from where numbers get inexact. */
const MAJOR_CAP = 1_000_000_000;

const MALFORMED = new Refusal('amount-malformed');
const NEGATIVE = new Refusal('amount-negative');
const AMBIGUOUS = new Refusal('amount-ambiguous');
const DECIMALS = new Refusal('amount-decimals');
const TOO_SMALL = new Refusal('amount-too-small');
const TOO_LARGE = new Refusal('amount-too-large');

/** Minor units. `text` is not empty. */
export function readAmount(text: string): number | Refusal {
  let start = 0;
  let end = text.length;
  let negative = false;
  if (text.charCodeAt(0) === 0x28 && text.charCodeAt(end - 1) === 0x29) {
    negative = true;
    start++;
    end--;
  }
  // A sign of currency and a minus, in any order, once each.
  let symbol = false;
  while (start < end && !isDigit(text.charCodeAt(start))) {
    const code = text.charCodeAt(start);
    if (isSymbol(code) && !symbol) symbol = true;
    else if (isMinus(code) && !negative) negative = true;
    else if (code !== 0x20) break;
    start++;
  }
  while (start < end && !isDigit(text.charCodeAt(end - 1))) {
    const code = text.charCodeAt(end - 1);
    if (isSymbol(code) && !symbol) symbol = true;
    else if (isMinus(code) && !negative) negative = true;
    else if (code !== 0x20) break;
    end--;
  }
  const minor = readMinor(text, start, end);
  if (typeof minor !== 'number') return negative && minor !== MALFORMED ? NEGATIVE : minor;
  if (negative && minor > 0) return NEGATIVE;
  return minor < MINOR_MIN ? TOO_SMALL : minor > MINOR_MAX ? TOO_LARGE : minor;
}

/** The currency whose sign stands at the amount. */
export function currencyAt(amount: string): 'EUR' | 'USD' | 'GBP' | undefined {
  // Nearly all amounts begin and end with a digit.
  if (isDigit(amount.charCodeAt(0)) && isDigit(amount.charCodeAt(amount.length - 1))) return undefined;
  for (let i = 0; i < amount.length; i++) {
    const code = amount.charCodeAt(i);
    if (isSymbol(code)) return code === 0x20ac ? 'EUR' : code === 0x24 ? 'USD' : 'GBP';
  }
  return undefined;
}

function readMinor(text: string, start: number, end: number): number | Refusal {
  if (start === end) return MALFORMED;
  let first = -1;
  let last = -1;
  let marks = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (isDigit(code)) continue;
    if (!isMark(code)) return MALFORMED;
    if (first < 0) first = i;
    last = i;
    marks++;
  }
  if (marks === 0) return minorOf(readMajor(text, start, end, 0), 0);
  const mark = text.charCodeAt(last);
  const digits = end - last - 1;
  if (marks === 1 && isDecimalMark(mark)) {
    const grouping = digits === 3 && last > start && last - start <= 3 && text.charCodeAt(start) !== 0x30;
    return grouping ? AMBIGUOUS : readDecimal(text, start, last, end, 0);
  }
  const group = text.charCodeAt(first);
  // The same mark at the beginning and the end: it groups, or what is between does not fit.
  if (group === mark) return minorOf(readMajor(text, start, end, group), 0);
  return isDecimalMark(mark) ? readDecimal(text, start, last, end, group) : MALFORMED;
}

/** Digits from `start`, grouped by `group`, and decimals behind the mark at `mark`. */
function readDecimal(
  text: string,
  start: number,
  mark: number,
  end: number,
  group: number,
): number | Refusal {
  const count = end - mark - 1;
  if (count === 0) return MALFORMED;
  const major = mark === start ? 0 : readMajor(text, start, mark, group);
  const tens = text.charCodeAt(mark + 1) - 0x30;
  const cents = tens * 10 + (count > 1 ? text.charCodeAt(mark + 2) - 0x30 : 0);
  if (count <= 2) return minorOf(major, cents);
  if (major < 0) return MALFORMED;
  let zeros = 0;
  while (zeros < count - 2 && text.charCodeAt(mark + 3 + zeros) === 0x30) zeros++;
  if (zeros === count - 2) return minorOf(major, cents);
  // A double has 15 sound digits: an amount with its two decimals takes 7, and 6 more are all 0 or all 9 before the noise.
  if (zeros >= NOISE_AFTER) return minorOf(major, cents);
  let nines = 0;
  while (nines < count - 2 && text.charCodeAt(mark + 3 + nines) === 0x39) nines++;
  return nines >= NOISE_AFTER ? minorOf(major, cents + 1) : DECIMALS;
}

const NOISE_AFTER = 6;

function minorOf(major: number, cents: number): number | Refusal {
  return major < 0 ? MALFORMED : major * 100 + cents;
}

/** A whole number, at most `MAJOR_CAP`; -1 when its groups are not of three digits. `group` 0: there are none. */
function readMajor(text: string, start: number, end: number, group: number): number {
  let value = 0;
  let run = 0;
  let groups = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (isDigit(code)) {
      value = Math.min(value * 10 + code - 0x30, MAJOR_CAP);
      run++;
    } else {
      if (code !== group || run === 0 || run > 3 || (groups > 0 && run !== 3)) return -1;
      groups++;
      run = 0;
    }
  }
  return run === 0 || (groups > 0 && run !== 3) ? -1 : value;
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
const isDecimalMark = (code: number) => code === 0x2e || code === 0x2c;
/** Or a space, an apostrophe, a typographic one. */
const isMark = (code: number) => isDecimalMark(code) || code === 0x20 || code === 0x27 || code === 0x2019;
const isSymbol = (code: number) => code === 0x20ac || code === 0x24 || code === 0xa3;
/** The hyphen, and the minus of typographers. */
const isMinus = (code: number) => code === 0x2d || code === 0x2212;
