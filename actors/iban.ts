/** IBANs by ISO 13616: form and check digits (ISO 7064, mod 97-10). Not a country's length: that is the upload's. */

// Check digits run from 02 to 98; 00, 01 and 99 pass the modulus too and would give an account a second IBAN.
const FORM = /^[A-Z]{2}(?!00|01|99)[0-9]{2}[A-Z0-9]{11,30}$/;

/** The IBAN in electronic form (no spaces, upper case), or undefined when `text` is not one. */
export function parseIban(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const iban = text.replaceAll(' ', '').toUpperCase();
  return FORM.test(iban) && ibanRemainder(iban) === 1 ? iban : undefined;
}

/** Modulo 97, with the first four characters counted last; 1 when the check digits are right. `iban` is capital letters and digits. */
export function ibanRemainder(iban: string): number {
  return remainderOf(iban, 0, 4, remainderOf(iban, 4, iban.length, 0));
}

function remainderOf(iban: string, start: number, end: number, before: number): number {
  let number = before;
  for (let i = start; i < end; i++) {
    const code = iban.charCodeAt(i);
    number = code <= 0x39 ? number * 10 + code - 0x30 : number * 100 + code - 0x41 + 10;
    // Below 10^7 before, so below 10^9 after: a small integer to the engine, divided every few characters only.
    if (number >= 10_000_000) number %= 97;
  }
  return number % 97;
}
