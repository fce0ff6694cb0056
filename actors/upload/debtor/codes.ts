/** The short codes of a row: bank, country, currency; and the e-mail address. No text is empty. */
import { Refusal } from './reasons.js';
import { cleanText } from './text.js';

const BIC_MALFORMED = new Refusal('bic-malformed');
const COUNTRY_MALFORMED = new Refusal('country-malformed');
const CURRENCY_MALFORMED = new Refusal('currency-malformed');
const CURRENCY_UNSUPPORTED = new Refusal('currency-unsupported');
const EMAIL_MALFORMED = new Refusal('email-malformed');

/** ISO 9362: party prefix, country, party suffix, and a branch or none. Prefixes are letters in all that banks have. */
const BIC = /^[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/;

export function readBic(text: string): string | Refusal {
  const bic = BIC.test(text) ? text : capitals(text.replaceAll(' ', ''));
  return bic !== undefined && BIC.test(bic) ? bic : BIC_MALFORMED;
}

/** Two letters. UK and EL, which the EU writes, are ISO's GB and GR. */
export function readCountry(text: string): string | Refusal {
  const country = capitals(text);
  if (country === undefined || !/^[A-Z]{2}$/.test(country)) return COUNTRY_MALFORMED;
  return country === 'UK' ? 'GB' : country === 'EL' ? 'GR' : country;
}

/** With two decimals each: an amount in minor units would be another in one that has none (ISK) or three. */
const CURRENCIES: ReadonlySet<string> = new Set(
  'EUR USD GBP GIP CHF SEK NOK DKK PLN CZK HUF RON BGN ALL MDL MKD RSD'.split(' '),
);

export function readCurrency(text: string): string | Refusal {
  if (CURRENCIES.has(text)) return text;
  if (text === '€') return 'EUR';
  if (text === '$') return 'USD';
  if (text === '£') return 'GBP';
  const currency = capitals(text);
  if (currency === undefined || !/^[A-Z]{3}$/.test(currency)) return CURRENCY_MALFORMED;
  return CURRENCIES.has(currency) ? currency : CURRENCY_UNSUPPORTED;
}

/** In small letters. A light check: one `@` with something before it, and behind it names with dots between. */
export function readEmail(text: string): string | Refusal {
  let at = -1;
  let dot = -1;
  let ascii = true;
  let small = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const kind = code < 0x80 ? (EMAIL[code] ?? 0) : OTHER;
    // Two `@`, or in the domain anything but letters, digits, `-` and `.`.
    if (kind === NEVER || (kind === LOCAL && at >= 0)) return EMAIL_MALFORMED;
    if (kind === CAPITAL) small = false;
    else if (kind === OTHER) ascii = false;
    else if (kind === AT) {
      if (at >= 0 || i === 0 || i > LOCAL_CHARS_MAX) return EMAIL_MALFORMED;
      at = i;
      dot = i;
    } else if (kind === DOT && at >= 0) {
      // Two in a row, or one behind the `@`.
      if (i === dot + 1) return EMAIL_MALFORMED;
      dot = i;
    }
  }
  if (at < 0 || dot === at || dot === text.length - 1) return EMAIL_MALFORMED;
  if (!ascii) return cleanText(text) === text ? text.toLowerCase() : EMAIL_MALFORMED;
  return small ? text : text.toLowerCase();
}

const LOCAL_CHARS_MAX = 64;

const NEVER = 0;
const SMALL = 1;
const CAPITAL = 2;
const DOT = 3;
const AT = 4;
/** Before the `@` only. */
const LOCAL = 5;
const OTHER = 6;

/** What an ASCII character is in an address. */
const EMAIL = new Uint8Array(128).fill(NEVER);
for (const char of "!#$%&'*+/=?^_`{|}~") EMAIL[char.charCodeAt(0)] = LOCAL;
for (const char of 'abcdefghijklmnopqrstuvwxyz0123456789-') EMAIL[char.charCodeAt(0)] = SMALL;
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') EMAIL[char.charCodeAt(0)] = CAPITAL;
EMAIL[0x2e] = DOT;
EMAIL[0x40] = AT;

/** Upper case of ASCII, or undefined: other letters have capitals in ASCII too (ı, ſ) and are not those. */
function capitals(text: string): string | undefined {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return undefined;
  return text.toUpperCase();
}
