/**
 * Names in the letters that SEPA messages carry: `a-z A-Z 0-9 / - ? : ( ) . , ' +` and the space.
 *
 * A Latin letter loses its marks and stays one letter (`ä` a, `ß` s, `ø` o), as in the conversion table of the European
 * Payments Council (EPC217-08): banks compare names in that writing. Greek and Cyrillic become Latin as it does for Greece and
 * Bulgaria, with the letters of Serbian, Macedonian, Russian and Ukrainian added. Marks of punctuation become the nearest that there
 * is. Everything else has no writing: letters of other scripts, pictures, and what only stands in formulas and addresses
 * (`= @ # * < > | \`).
 */

const SEPA = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ") {
  SEPA[char.charCodeAt(0)] = 1;
}

/** Whether a message can carry a character, by its code. */
export function isSepa(code: number): boolean {
  return code < 128 && SEPA[code] === 1;
}

/** Pairs of a small letter and its writing. Capitals are made of them. */
const LETTERS = [
  'ßs ðd đd ħh ıi ĸk łl ŀl ŉn ŋn øo œo æa þt ŧt əe ƒf',
  'αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo',
  'аa бb вv гg дd еe ёe жzh зz иi йy кk лl мm нn оo пp рr сs тt уu фf хh цts чch шsh щsht ъa ыy ьy эe юyu яya',
  'ђdj ѓgj єye ѕdz іi їyi јj љlj њnj ћc ќkj ўu џdz ґg',
].join(' ');

const MARKS = "’' ‘' ‚' ‛' ′' ´' `' \"' “' ”' „' «' »' ‹' ›' ‐- ‑- ‒- –- —- ―- −- _- ·. ;, ⁄/ &+ [( ]) {( })";

const TABLE: ReadonlyMap<string, string> = (() => {
  const table = new Map<string, string>();
  for (const pair of MARKS.split(' ')) table.set(pair.charAt(0), pair.slice(1));
  for (const pair of LETTERS.split(' ')) {
    const letter = pair.charAt(0);
    const writing = pair.slice(1);
    table.set(letter, writing);
    const capital = letter.toUpperCase();
    // ß, ŉ and ĸ have none of one letter; that of ı is the I of ASCII.
    if (capital.length === 1 && capital > '\x7f' && capital !== letter) {
      table.set(capital, writing.charAt(0).toUpperCase() + writing.slice(1));
    }
  }
  return table.set('ẞ', 'S');
})();

/** `text` in SEPA characters, or undefined when one of its characters has no writing. */
export function transliterate(text: string): string | undefined {
  let i = 0;
  while (i < text.length && isSepa(text.charCodeAt(i))) i++;
  if (i === text.length) return text;
  let out = text.slice(0, i);
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= LATIN.length) return transliterateAll(text);
    const writing = LATIN[code];
    if (writing === undefined) return undefined;
    out += writing;
  }
  return out;
}

function transliterateAll(text: string): string | undefined {
  // A letter and its mark may be two characters in the file; the table knows them as one where it matters (й).
  const chars = [...text.normalize('NFC')];
  let out = '';
  for (const [at, char] of chars.entries()) {
    const writing = writingOf(char, chars[at - 1]);
    if (writing === undefined) return undefined;
    const shout =
      writing.length > 1 && isCapital(char) && (isCapital(chars[at - 1]) || isCapital(chars[at + 1]));
    out += shout ? writing.toUpperCase() : writing;
  }
  return out;
}

function writingOf(char: string, before: string | undefined): string | undefined {
  if (isSepa(char.charCodeAt(0))) return char;
  const known = TABLE.get(char);
  if (known !== undefined && !(char === 'υ' || char === 'Υ')) return known;
  let out = '';
  for (const part of char.normalize('NFKD')) {
    if (/^\p{M}$/u.test(part)) continue;
    // ου is one sound and not o and y.
    if ((part === 'υ' || part === 'Υ') && /^[οό]$/iu.test(before ?? '')) out += part === 'υ' ? 'u' : 'U';
    // A blank of another width, or a mark without a letter: not known here.
    else if (part === ' ') return undefined;
    else if (isSepa(part.charCodeAt(0))) out += part;
    else {
      const writing = TABLE.get(part);
      if (writing === undefined) return undefined;
      out += writing;
    }
  }
  return out;
}

function isCapital(char: string | undefined): boolean {
  return char !== undefined && char !== char.toLowerCase();
}

/** By code: the writings of ASCII and of Latin letters with marks, the most of all names. None is of several capitals (`shout`). */
const LATIN: readonly (string | undefined)[] = Array.from({ length: 0x250 }, (_, code) =>
  writingOf(String.fromCharCode(code), undefined),
);
