/**
 * Why a row is invalid: every code there is, with its meaning.
 *
 * The codes are a contract. They stand in errors.csv, in `upload_rejects` and in docs/reference/debtor-files.md, which a test
 * holds to this table. A row gets at most one of them for each value, the first that applies in the order of its group here.
 */

export const INVALID_REASONS = {
  'too-many-cells': 'the row has values beyond the last column of the header',
  'cell-too-long': 'the value is longer than its column allows',
  'iban-missing': 'no IBAN',
  'iban-malformed': 'not two letters, two digits, and letters or digits where the country has them',
  'iban-country-not-sepa': 'the country takes no SEPA payments',
  'iban-length': "not the length of the country's IBANs",
  'iban-check-digits': 'the check digits do not fit: a character is wrong',
  'amount-missing': 'no amount',
  'amount-malformed': 'not a number in one of the known forms',
  'amount-negative': 'less than zero',
  'amount-ambiguous': 'one separator with three digits behind it: thousands or decimals',
  'amount-decimals': 'more than two decimals',
  'amount-too-small': 'less than 0.10',
  'amount-too-large': 'more than 50,000',
  'name-missing': 'no name',
  'name-incomplete': 'only one of first and last name',
  'name-characters': 'a character that has no SEPA writing',
  'name-no-letters': 'first or last name without a letter',
  'name-too-long': 'first or last name has more than 35 characters in SEPA writing',
  'email-malformed': 'not an e-mail address',
  'country-malformed': 'not a country code of two letters',
  'currency-malformed': 'not a currency code of three letters, nor €, $ or £',
  'currency-unsupported': 'not one of the currencies of the SEPA countries, nor USD',
  'currency-mismatch': 'the sign at the amount is of another currency than the column says',
  'date-malformed': 'not a date in one of the known forms',
  'date-not-real': 'a day that is in no calendar',
  'date-implausible': 'a birth before 1900 or in the future',
  'bic-malformed': 'not a BIC of 8 or 11 characters',
} as const satisfies Readonly<Record<string, string>>;

export type InvalidReason = keyof typeof INVALID_REASONS;

/** What a reader of a value returns instead of the value. Made once for each code: a file of nothing but mistakes costs no more. */
export class Refusal {
  readonly code: InvalidReason;

  constructor(code: InvalidReason) {
    this.code = code;
  }
}
