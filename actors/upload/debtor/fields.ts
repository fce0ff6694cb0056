/** What Tether knows of a debtor's row: the fields, the headers under which files have them, and how long a value may be. */
import type { MaskKind } from './mask.js';

export type Field =
  | 'iban'
  | 'amount'
  | 'name'
  | 'firstName'
  | 'lastName'
  | 'email'
  | 'phone'
  | 'street'
  | 'houseNumber'
  | 'street2'
  | 'postcode'
  | 'city'
  | 'country'
  | 'currency'
  | 'nationalId'
  | 'birthDate'
  | 'bic'
  | 'externalReference';

export interface FieldFacts {
  /** As `normalizeHeader` writes them; the first is the field's own. Where a file has several, the earlier here counts. */
  readonly aliases: readonly string[];
  /** UTF-16 units of a cell, as it stands in the file. */
  readonly charsMax: number;
  readonly mask: MaskKind;
}

const field = (aliases: string, charsMax: number, mask: MaskKind): FieldFacts => ({
  aliases: aliases.split(' '),
  charsMax,
  mask,
});

export const FIELDS: Readonly<Record<Field, FieldFacts>> = {
  iban: field('iban iban_number bank_account account_number', 64, 'iban'),
  amount: field('amount sum total price', 64, 'amount'),
  name: field('name full_name fullname customer_name debtor_name client_name account_holder', 200, 'text'),
  firstName: field('first_name firstname', 100, 'text'),
  lastName: field('last_name lastname surname', 100, 'text'),
  email: field('email mail e_mail', 254, 'email'),
  phone: field('phone', 64, 'text'),
  street: field('street address address_line_1 address_line1 address_1 address1 street_address', 200, 'text'),
  houseNumber: field('house_number house_no street_number', 32, 'text'),
  street2: field('address_line_2 address_line2 address_2 address2', 200, 'text'),
  postcode: field('postcode zip zip_code postal_code', 32, 'text'),
  city: field('city', 100, 'text'),
  country: field('country', 64, 'code'),
  currency: field('currency', 64, 'code'),
  nationalId: field('national_id dni nie', 64, 'text'),
  birthDate: field('birth_date dob date_of_birth', 64, 'date'),
  bic: field('bic swift', 64, 'code'),
  externalReference: field('external_reference reference ref order_id customer_id', 255, 'text'),
};

/** Of a column that Tether does not know. */
export const EXTRA_CHARS_MAX = 4_000;
