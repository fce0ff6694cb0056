/** What a row becomes: a debtor, or reasons why not. */

export interface Debtor {
  /** Electronic form. */
  readonly iban: string;
  readonly bic: string | undefined;
  /** SEPA transliterated, at most 35 characters each. */
  readonly firstName: string;
  readonly lastName: string;
  /** Minor units. */
  readonly amount: number;
  /** Three capital letters. */
  readonly currency: string;
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly street: string | undefined;
  readonly postcode: string | undefined;
  readonly city: string | undefined;
  /** Two capital letters. */
  readonly country: string;
  readonly nationalId: string | undefined;
  /** yyyy-mm-dd */
  readonly birthDate: string | undefined;
  readonly externalReference: string | undefined;
  /** Columns that Tether does not know, by their header; undefined when there are none with a value. */
  readonly extra: Readonly<Record<string, string>> | undefined;
}

/** Why a row is invalid or skipped. */
export interface Reason {
  /** Stable, lower case with `-`; documented. */
  readonly code: string;
  /** The header as the file has it; empty when it is about the row. */
  readonly column: string;
  /** Masked: enough to find the row, not enough to use. */
  readonly value: string;
}

export type Verdict =
  | { readonly outcome: 'valid'; readonly debtor: Debtor }
  | { readonly outcome: 'invalid'; readonly reasons: readonly Reason[] };
