/** An account as a file writes it: an IBAN of a SEPA country, in any writing that only adds spaces. */
import { ibanRemainder } from '../../iban.js';
import { ibanShape } from './iban-formats.js';
import { Refusal } from './reasons.js';

const MALFORMED = new Refusal('iban-malformed');
const NOT_SEPA = new Refusal('iban-country-not-sepa');
const LENGTH = new Refusal('iban-length');
const CHECK_DIGITS = new Refusal('iban-check-digits');

/** The IBAN in electronic form. `text` is not empty. */
export function readIban(text: string): string | Refusal {
  const iban = electronic(text);
  // Shorter than any: nothing to name a country's length for.
  if (iban === undefined || iban.length < 5) return MALFORMED;
  if (!isLetter(iban.charCodeAt(0)) || !isLetter(iban.charCodeAt(1))) return MALFORMED;
  if (!isDigit(iban.charCodeAt(2)) || !isDigit(iban.charCodeAt(3))) return MALFORMED;
  const shape = ibanShape(iban.charCodeAt(0), iban.charCodeAt(1));
  if (shape === undefined) return NOT_SEPA;
  if (iban.length !== shape.length) return LENGTH;
  for (let i = 4; i < shape.length; i++) {
    const kind = shape.charCodeAt(i);
    // c: letters and digits are all there are.
    if (kind === 0x63) continue;
    if (isDigit(iban.charCodeAt(i)) !== (kind === 0x6e)) return MALFORMED;
  }
  // From 02 to 98: 00, 01 and 99 would give an account a second IBAN.
  const digits = (iban.charCodeAt(2) - 0x30) * 10 + iban.charCodeAt(3) - 0x30;
  return digits >= 2 && digits <= 98 && ibanRemainder(iban) === 1 ? iban : CHECK_DIGITS;
}

/** Without spaces and in capitals; undefined when there is anything but spaces and ASCII letters and digits. */
function electronic(text: string): string | undefined {
  let i = 0;
  while (i < text.length && isCapitalOrDigit(text.charCodeAt(i))) i++;
  if (i === text.length) return text;
  let out = text.slice(0, i);
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isCapitalOrDigit(code)) out += text.charAt(i);
    // Not toUpperCase: it makes S of the long s, and I of the Turkish i without a dot.
    else if (code >= 0x61 && code <= 0x7a) out += String.fromCharCode(code - 0x20);
    else if (code !== 0x20) return undefined;
  }
  return out;
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
const isLetter = (code: number) => code >= 0x41 && code <= 0x5a;
const isCapitalOrDigit = (code: number) => isDigit(code) || isLetter(code);
