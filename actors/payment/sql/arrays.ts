/**
 * Array literals for parameters: one text for a whole column of a batch.
 *
 * `pg` makes them too, with two replacements for every element: 1.3 ms for a batch of 500 in eight columns. Most
 * elements hold nothing to escape; one look at each is enough.
 */

const NEEDS_ESCAPE = /["\\]/;

/** A literal of `text[]`; undefined is NULL. */
export function textArray(values: readonly (string | undefined)[]): string {
  let literal = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) literal += ',';
    if (value === undefined) literal += 'NULL';
    else literal += NEEDS_ESCAPE.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`;
  }
  return `${literal}}`;
}

/** A literal of an array of numbers; undefined is NULL. */
export function numberArray(values: readonly (number | undefined)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}
