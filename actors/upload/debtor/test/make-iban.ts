/** For tests: IBANs of made-up accounts, right in length, structure and check digits. */
import { ibanRemainder } from '../../../iban.js';
import { ibanShape } from '../iban-formats.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const EITHER = `0123456789${LETTERS}`;

/**
 * The same for the same `seed`, and another for another: the seed's digits stand at the end of the account, where the country has
 * digits or may have them. `country` is one of `SEPA_COUNTRIES`; `seed` a whole number from 0 to 999,999,999.
 */
export function makeIban(country: string, seed: number): string {
  const shape = ibanShape(country.charCodeAt(0), country.charCodeAt(1));
  if (shape === undefined) throw new RangeError(`${country} is in no SEPA`);
  let account = '';
  let rest = seed;
  // From the end: first the seed itself, then what is drawn from it.
  let digits = 9;
  let state = (seed ^ 0x9e3779b9) >>> 0;
  for (let i = shape.length - 1; i >= 4; i--) {
    const kind = shape[i];
    if (kind !== 'a' && digits > 0) {
      account = (rest % 10) + account;
      rest = Math.floor(rest / 10);
      digits--;
      continue;
    }
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const alphabet = kind === 'a' ? LETTERS : kind === 'n' ? '0123456789' : EITHER;
    account = alphabet.charAt((state >>> 8) % alphabet.length) + account;
  }
  return withCheckDigits(country, account);
}

/** Also for countries that are in no SEPA, and accounts of any length. */
export function withCheckDigits(country: string, account: string): string {
  const digits = 98 - ibanRemainder(`${country}00${account}`);
  return `${country}${digits < 10 ? '0' : ''}${digits}${account}`;
}
