/**
 * Masks card numbers (PANs) in a text that leaves the process: what is one by the ranges of the schemes, by its length and by its check digit (Luhn,
 * ISO/IEC 7812-1) keeps its first six digits and its last four, as PCI DSS lets them be shown.
 *
 * With or without spaces or dashes between groups of four. A number that stands within a word, a UUID or a fraction is none. One that is a number of JSON
 * stays one: zeros take the place of its digits, so that the line can still be read by a program.
 */

/** Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay, Maestro, each with its lengths. */
const RANGES: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^3(?:0[0-5]|[689])/, [14, 16, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [16, 18, 19]],
];
const CANDIDATE =
  /(?<![A-Za-z0-9.-])(?:\d{13,19}|\d{4}(?:[ +-]|%20)\d{4}(?:[ +-]|%20)\d{4}(?:[ +-]|%20)\d{4}|3\d{3}(?:[ +-]|%20)\d{6}(?:[ +-]|%20)\d{5})(?![A-Za-z0-9-]|\.\d)/g;
const FIRST = 6;
const LAST = 4;

export function maskPans(text: string): string {
  return text.replace(CANDIDATE, (found: string, at: number) => {
    const digits = found.replaceAll(/%20|\D/g, '');
    if (!isPan(digits)) return found;
    const mask = isJsonNumber(text, at, at + found.length) ? '0' : '*';
    return digits.slice(0, FIRST) + mask.repeat(digits.length - FIRST - LAST) + digits.slice(-LAST);
  });
}

function isPan(digits: string): boolean {
  const isOfScheme = RANGES.some(([range, lengths]) => range.test(digits) && lengths.includes(digits.length));
  return isOfScheme && luhnSum(digits) % 10 === 0;
}

/** Each second digit from the right is doubled, and counts as the sum of its digits. */
function luhnSum(digits: string): number {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum;
}

function isJsonNumber(text: string, start: number, end: number): boolean {
  return /[:[,]/.test(text[start - 1] ?? '') && /[,}\]]/.test(text[end] ?? '');
}
