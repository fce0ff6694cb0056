/**
 * Queries that are exactly what they must be. One that is misspelt or given twice would select other things than its writer
 * means.
 */
import type { Answer } from './answer.js';
import { problem } from './problem.js';

export const invalidQuery = (detail: string): Answer => problem('invalid-query', detail);

/** @returns the refusal when there is a name that is not one of `names`, or one twice */
export function readQuery(text: string, names: readonly string[]): URLSearchParams | Answer {
  const query = new URLSearchParams(text);
  const given = [...query.keys()];
  if (given.some((name) => !names.includes(name)) || new Set(given).size < given.length) {
    return invalidQuery(`the query has ${names.join(', ')}, each at most once`);
  }
  return query;
}

/** @returns undefined when it is no whole number from 1 to `max` */
export function readLimit(query: URLSearchParams, standard: number, max: number): number | undefined {
  const text = query.get('limit') ?? String(standard);
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= max ? limit : undefined;
}
