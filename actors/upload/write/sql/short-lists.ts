/**
 * What of the blacklist is short enough to be taken as a whole, and which tables need not be asked at all.
 *
 * To look up 20,000 values in an index costs 10 to 20 ms even when the index is empty, and as a rule few e-mail addresses, names and
 * BICs are on the blacklist. Each of these look-ups takes one step in a partial index.
 */

import { type FormsOf, formsSql } from '../../../ibans/forms.js';

/** A list with more entries is asked for the values of the batch instead. */
export const SHORT_LIST_MAX = 500;

export const SHORT_LISTS = `
SELECT
  ARRAY (SELECT bic FROM blacklist WHERE bic IS NOT NULL LIMIT ${SHORT_LIST_MAX + 1}) AS bics,
  ARRAY (SELECT email FROM blacklist WHERE email IS NOT NULL LIMIT ${SHORT_LIST_MAX + 1}) AS emails,
  ARRAY (SELECT name FROM blacklist WHERE name IS NOT NULL LIMIT ${SHORT_LIST_MAX + 1}) AS names,
  ${formsSql('waiting')} AS waiting,
  ${formsSql('listed')} AS listed,
  ${formsSql('attempted')} AS attempted`;

/** The forms of `actors/ibans/forms.ts` that there are; none where there is no row. */
export type Forms = { readonly [Of in FormsOf]: readonly string[] };

export interface ShortLists extends Forms {
  readonly bics: readonly string[];
  readonly emails: readonly string[];
  readonly names: readonly string[];
}
