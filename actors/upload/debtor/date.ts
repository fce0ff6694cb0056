/**
 * A date of birth, as `yyyy-mm-dd`.
 *
 * | written                                       | read as                                                               |
 * |-----------------------------------------------|-----------------------------------------------------------------------|
 * | `1980-12-31`, with a time behind it or not    | the day; the time is dropped                                           |
 * | `31/12/1980`, `31.12.1980`, `31-12-1980`      | day first, always; `1/2/1980` is the first of February                 |
 * | `29586`                                       | a spreadsheet's count of days, 1 being 1 January 1900                  |
 *
 * A year has four digits. A number from 1900 to 2100 is refused: as a count of days it would be a day of 1905, and is a year.
 */
import { Refusal } from './reasons.js';

const MALFORMED = new Refusal('date-malformed');
const NOT_REAL = new Refusal('date-not-real');
const IMPLAUSIBLE = new Refusal('date-implausible');

const EARLIEST = '1900-01-01';
const ISO =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const DAY_FIRST = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?: 0{1,2}:00(?::00)?)?$/;
/** The count may have a time of day as its fraction. */
const SERIAL = /^(\d{1,6})(?:\.\d{1,15})?$/;
const DAY_MS = 86_400_000;

/** `text` is not empty; `today` is `yyyy-mm-dd`. */
export function readBirthDate(text: string, today: string): string | Refusal {
  const date = readDate(text);
  if (typeof date !== 'string') return date;
  return date >= EARLIEST && date <= today ? date : IMPLAUSIBLE;
}

function readDate(text: string): string | Refusal {
  if (text.length === 10 && text.charCodeAt(4) === 0x2d && text.charCodeAt(7) === 0x2d) {
    const year = digitsAt(text, 0) * 100 + digitsAt(text, 2);
    const month = digitsAt(text, 5);
    const day = digitsAt(text, 8);
    if (year >= 0 && month >= 0 && day >= 0) return isReal(year, month, day) ? text : NOT_REAL;
  }
  const iso = ISO.exec(text);
  if (iso !== null) return written(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const dayFirst = DAY_FIRST.exec(text);
  if (dayFirst !== null) return written(Number(dayFirst[4]), Number(dayFirst[3]), Number(dayFirst[1]));
  const serial = SERIAL.exec(text);
  return serial === null ? MALFORMED : fromSerial(Number(serial[1]));
}

/** Two digits, or a number so far below zero that no other two make up for it. */
function digitsAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -100_000;
}

function written(year: number, month: number, day: number): string | Refusal {
  return isReal(year, month, day) ? iso(year, month, day) : NOT_REAL;
}

const iso = (year: number, month: number, day: number) =>
  `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

function isReal(year: number, month: number, day: number): boolean {
  if (year === 0 || month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}

function fromSerial(serial: number): string | Refusal {
  if (serial >= 1900 && serial <= 2100) return MALFORMED;
  // Spreadsheets count a 29 February 1900, which was not: days before it are one nearer to their beginning.
  if (serial === 0 || serial === 60) return NOT_REAL;
  const date = new Date(Date.UTC(1899, 11, serial < 60 ? 31 : 30) + serial * DAY_MS);
  return iso(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}
