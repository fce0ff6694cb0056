/** What is wrong with a file of endpoints and targets or one of its entries, in words: the place and what is allowed there, and never a value of it. */
import type { z } from 'zod';
import { didYouMean } from '../suggest.js';
import { fieldsAt, type TargetEntry } from './schema.js';

/** @param raw the document, for the names of its entries */
function describeInFile(file: string, raw: unknown, issue: z.core.$ZodIssue): string[] {
  const [section, index, ...field] = issue.path;
  if (typeof index !== 'number') {
    const at = section === undefined ? '' : `${String(section)}: `;
    return describe(`${file}: ${at}`, issue, valueAt(raw, issue.path));
  }
  const entry = { ...issue, path: field };
  const at = `${file}: ${entryName(raw, String(section), index)}: `;
  return describe(at, entry, valueAt(raw, issue.path), [String(section), index]);
}

/** @param given the value at the place of the issue. @param above where that place is in a file */
function describe(
  at: string,
  issue: z.core.$ZodIssue,
  given: unknown,
  above: readonly PropertyKey[] = [],
): string[] {
  const name = issue.path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');
  const where = name === '' || above.length === 0 ? '' : `${name}: `;
  if (issue.code === 'unrecognized_keys') {
    const known = fieldsAt([...above, ...issue.path]);
    return issue.keys.map((key) => `${at}${where}${key} is not a field${didYouMean(key, known)}`);
  }
  const missing = issue.code === 'invalid_type' && given === undefined;
  // Of a mapping's key that is refused, what is wrong with it stands within.
  const message = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message;
  return [`${at}${where}${missing && issue.path.length > 0 ? 'is missing' : message}`];
}

/** Of an entry that came without a file. */
function describeEntry(name: string, given: unknown, issue: z.core.$ZodIssue): string[] {
  return describe(`endpoint ${name}: `, issue, valueAt(given, issue.path), ['endpoints', 0]);
}

/** Of a target whose references were followed. */
function describeTarget(target: TargetEntry, issue: z.core.$ZodIssue): string[] {
  return describe('', issue, valueAt(target, issue.path), ['targets', 0]);
}

function entryName(raw: unknown, section: string, index: number): string {
  const kind = section === 'targets' ? 'target' : 'endpoint';
  const name = valueAt(raw, [section, index, 'name']);
  return typeof name === 'string' && /^[\w.-]{1,63}$/.test(name) ? `${kind} ${name}` : `${kind} ${index + 1}`;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

export { describeEntry, describeInFile, describeTarget };
