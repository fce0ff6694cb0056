/**
 * A debtor's first and last name, in the letters that SEPA carries.
 *
 * A whole name is `LAST, FIRST`, or is split at its first space. One word alone is no name: the gateway wants both.
 */
import { Refusal } from './reasons.js';
import { transliterate } from './transliterate.js';

/** Of each, as SEPA writes it. */
const NAME_CHARS_MAX = 35;

const INCOMPLETE = new Refusal('name-incomplete');
const CHARACTERS = new Refusal('name-characters');
const NO_LETTERS = new Refusal('name-no-letters');
const TOO_LONG = new Refusal('name-too-long');

export interface Name {
  readonly firstName: string;
  readonly lastName: string;
}

/** `text` is not empty. */
export function readName(text: string): Name | Refusal {
  const comma = text.indexOf(',');
  const at = comma < 0 ? text.indexOf(' ') : comma;
  if (at < 0) return INCOMPLETE;
  const before = text.slice(0, at).trim();
  const after = text.slice(at + 1).trim();
  if (before === '' || after === '') return INCOMPLETE;
  const firstName = readNamePart(comma < 0 ? before : after);
  if (typeof firstName !== 'string') return firstName;
  const lastName = readNamePart(comma < 0 ? after : before);
  return typeof lastName === 'string' ? { firstName, lastName } : lastName;
}

/** A first or a last name. `text` is not empty. */
export function readNamePart(text: string): string | Refusal {
  const plain = transliterate(text);
  if (plain === undefined) return CHARACTERS;
  let letters = 0;
  let spaces = plain.charCodeAt(0) === 0x20 || plain.charCodeAt(plain.length - 1) === 0x20;
  for (let i = 0; i < plain.length; i++) {
    const code = plain.charCodeAt(i) | 0x20;
    if (code >= 0x61 && code <= 0x7a) letters++;
    else if (code === 0x20 && plain.charCodeAt(i + 1) === 0x20) spaces = true;
  }
  if (letters === 0) return NO_LETTERS;
  const name = spaces ? plain.replace(/ {2,}/g, ' ').trim() : plain;
  return name.length <= NAME_CHARS_MAX ? name : TOO_LONG;
}
