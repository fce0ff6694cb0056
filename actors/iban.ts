/** IBANs by ISO 13616: form and check digits (ISO 7064, mod 97-10). Not a country's length: that is the upload's. */

// Check digits run from 02 to 98; 00, 01 and 99 pass the modulus too and would give an account a second IBAN.
const FORM = /^[A-Z]{2}(?!00|01|99)[0-9]{2}[A-Z0-9]{11,30}$/;

/** The IBAN in electronic form (no spaces, upper case), or undefined when `text` is not one. */
export function parseIban(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const iban = text.replaceAll(' ', '').toUpperCase();
  if (!FORM.test(iban)) return undefined;
  let remainder = 0;
  for (let i = 0; i < iban.length; i++) {
    // The first four characters count last.
    const code = iban.charCodeAt((i + 4) % iban.length);
    remainder =
      code <= 0x39 ? (remainder * 10 + code - 0x30) % 97 : (remainder * 100 + code - 0x41 + 10) % 97;
  }
  return remainder === 1 ? iban : undefined;
}
