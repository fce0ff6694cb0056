/**
 * What errors.csv and a table may show of a value that was refused: enough to find it in the file, not enough to use it.
 *
 * A value can stand in the wrong column: each rule shows little of whatever comes, not only of what belongs there.
 */
import { cleanText } from './text.js';

export type MaskKind = 'iban' | 'amount' | 'email' | 'date' | 'code' | 'text';

const MASK_CHARS_MAX = 40;
/** As much of a cell as is looked at. */
const LOOKED_AT = 1_000;

/**
 * | kind   | shown                                                                                             |
 * |--------|---------------------------------------------------------------------------------------------------|
 * | iban   | the first and last four characters, of fewer than 12 the first two                                 |
 * | amount | all of it when it has at most 9 digits and only what amounts have, otherwise the first character    |
 * | email  | the first character and the domain                                                                 |
 * | date   | its form: digits as `#`, letters as `a`                                                            |
 * | code   | all of it up to three characters, otherwise the first                                              |
 * | text   | the first character                                                                                |
 *
 * At most 40 characters, none of them invisible. `value` may be anything.
 */
export function maskValue(kind: MaskKind, value: string): string {
  const whole = value.length <= LOOKED_AT;
  const text = cleanText(whole ? value : value.slice(0, LOOKED_AT));
  if (text === '') return '';
  switch (kind) {
    case 'iban': {
      const compact = text.replaceAll(' ', '');
      if (!whole || compact.length < 12) return `${firstOf(compact, 2)}…`;
      return `${firstOf(compact, 4)}…${[...compact.slice(-12)].slice(-4).join('')}`;
    }
    case 'amount':
      return whole && isAmountLike(text) ? text : `${firstOf(text, 1)}…`;
    case 'email': {
      const at = text.lastIndexOf('@');
      if (!whole || at < 1 || text.length - at > MASK_CHARS_MAX - 4) return `${firstOf(text, 1)}…`;
      return `${firstOf(text, 1)}…${text.slice(at)}`;
    }
    case 'date': {
      const shown = [...text.slice(0, 2 * MASK_CHARS_MAX)].slice(0, MASK_CHARS_MAX / 2);
      const form = shown
        .map((char) => (/\p{N}/u.test(char) ? '#' : /[\p{P}\p{Z}]/u.test(char) ? char : 'a'))
        .join('');
      return text.length > MASK_CHARS_MAX / 2 ? `${form}…` : form;
    }
    case 'code':
      return text.length <= 3 ? text : `${firstOf(text, 1)}…`;
    case 'text':
      return `${firstOf(text, 1)}…`;
  }
}

/** Characters and not halves of them. */
function firstOf(text: string, count: number): string {
  return [...text.slice(0, 2 * count)].slice(0, count).join('');
}

const isAmountLike = (text: string) =>
  /^[-+−()€$£.,'’ \d]{1,30}$/.test(text) && text.replace(/\D/g, '').length <= 9;
