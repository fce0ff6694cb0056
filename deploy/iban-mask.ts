/**
 * Masks IBANs in a text that leaves the process: whatever is one by its country's length and its check digits keeps its first four
 * characters and its last four.
 *
 * With or without spaces or dashes between groups, in capital letters or not, at the beginning of a word. What only looks like one stays: of hexadecimal ids one in
 * a few thousand would pass the check digits alone, and an id that is masked in one line and not in another helps nobody. So the length has to be exactly
 * that of the country.
 */
import { ibanRemainder } from '../actors/iban.js';

/** Countries of the IBAN registry by the length of their IBANs. */
const COUNTRIES: Readonly<Record<number, string>> = {
  15: 'NO',
  16: 'BE',
  18: 'DK FI FK FO GL NL SD',
  19: 'MK SI',
  20: 'AT BA EE KZ LT LU MN XK',
  21: 'CH HR LI LV',
  22: 'BG BH CR DE GB GE IE ME RS VA',
  23: 'AE GI IL IQ OM SO TL',
  24: 'AD CZ ES MD PK RO SA SE SK TN VG',
  25: 'LY PT ST',
  26: 'IS TR',
  27: 'BI DJ FR GR IT MC MR SM',
  28: 'AL AZ BY CY DO GT HN HU LB NI PL SV',
  29: 'BR EG PS QA UA',
  30: 'JO KW MU YE',
  31: 'MT SC',
  32: 'LC',
  33: 'RU',
};
const LENGTHS = new Map(
  Object.entries(COUNTRIES).flatMap(([length, codes]) =>
    codes.split(' ').map((code) => [code, Number(length)] as const),
  ),
);

const START = /[A-Z]{2}(?:[ +]|%20)?(?!00|01|99)\d{2}/gi;
/** What may stand before one: no word, but for what JSON and a URL make of the end of a line and of a space. */
const BEFORE = /(?:^|[^A-Z0-9]|\\[bfnrt]|\\u[0-9a-f]{4}|%[0-9a-f]{2}|iban)$/i;
const BEFORE_LENGTH_MAX = 6;
const BETWEEN = /[ +]|%20/y;
/** Between groups of four, and then between all of them: else the end of a UUID could be one. */
const DASH = '-';
const GROUP = 4;
const SHOWN = 4;

export function maskIbans(text: string): string {
  let clean = '';
  let taken = 0;
  START.lastIndex = 0;
  for (let found = START.exec(text); found !== null; found = START.exec(text)) {
    const iban = readIban(text, found.index);
    // The next one may begin within what this one was not.
    START.lastIndex = iban?.end ?? found.index + 1;
    if (iban === undefined) continue;
    clean += text.slice(taken, found.index) + iban.masked;
    taken = iban.end;
  }
  return taken === 0 ? text : clean + text.slice(taken);
}

function readIban(
  text: string,
  start: number,
): { readonly masked: string; readonly end: number } | undefined {
  const length = LENGTHS.get(text.slice(start, start + 2).toUpperCase());
  if (length === undefined || !BEFORE.test(text.slice(Math.max(0, start - BEFORE_LENGTH_MAX), start)))
    return undefined;
  let iban = '';
  let dashed = false;
  let at = start;
  for (;;) {
    const character = text[at] ?? '';
    if (!isAlphanumeric(character)) return undefined;
    iban += character;
    at++;
    if (iban.length === length) break;
    if (iban.length === GROUP) dashed = text[at] === DASH;
    if (dashed && iban.length % GROUP === 0) {
      if (text[at] !== DASH) return undefined;
      at++;
    } else {
      BETWEEN.lastIndex = at;
      if (BETWEEN.test(text)) at = BETWEEN.lastIndex;
    }
  }
  if (isAlphanumeric(text[at] ?? '') || ibanRemainder(iban.toUpperCase()) !== 1) return undefined;
  return { masked: iban.slice(0, SHOWN) + '*'.repeat(length - 2 * SHOWN) + iban.slice(-SHOWN), end: at };
}

function isAlphanumeric(character: string): boolean {
  return /^[A-Z0-9]$/i.test(character);
}
