/**
 * The text of a cell without what nobody can see.
 *
 * What comes out can be kept and shown anywhere: it has no control character (a NUL would fail the whole batch in Postgres), no
 * mark that turns the direction of the text around it, nothing of zero width, and no half of a surrogate pair.
 */

/**
 * Line breaks, tabs and all sorts of blanks become a space, other invisible characters nothing, half a surrogate pair U+FFFD; no
 * space is left at the ends. Text that needs none of that is returned as it is.
 */
export function cleanText(text: string): string {
  const length = text.length;
  if (length === 0) return text;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return rebuilt(text, i).trim();
  }
  // Only spaces are left that a trim could take.
  return text.charCodeAt(0) === 0x20 || text.charCodeAt(length - 1) === 0x20 ? text.trim() : text;
}

/** `text` with its characters from `from` on looked at one by one. */
function rebuilt(text: string, from: number): string {
  let out = text.slice(0, from);
  // What needs no change is copied in runs.
  let copied = from;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code <= 0x7e) continue;
    if (isHighSurrogate(code) && isLowSurrogate(text.charCodeAt(i + 1))) {
      i++;
      continue;
    }
    const instead = replacement(code);
    if (instead === undefined) continue;
    out += text.slice(copied, i) + instead;
    copied = i + 1;
  }
  return out + text.slice(copied);
}

const isHighSurrogate = (code: number) => code >= 0xd800 && code <= 0xdbff;
const isLowSurrogate = (code: number) => code >= 0xdc00 && code <= 0xdfff;

/** What stands for a character outside of printable ASCII, or undefined when it may stay. */
function replacement(code: number): string | undefined {
  // Tab, line feed, vertical tab, form feed, carriage return, next line.
  if ((code >= 0x09 && code <= 0x0d) || code === 0x85) return ' ';
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return '';
  if (code < 0x0600) return code === 0xa0 ? ' ' : code === 0xad || code === 0x034f ? '' : undefined;
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  // Blanks of all widths, line and paragraph separator.
  if (code === 0x1680 || code === 0x2028 || code === 0x2029 || code === 0x202f) return ' ';
  if (code === 0x205f || code === 0x3000 || (code >= 0x2000 && code <= 0x200a)) return ' ';
  // Zero width, and marks of direction.
  if (code === 0x061c || code === 0x180e || (code >= 0x200b && code <= 0x200f)) return '';
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f)) return '';
  // Variation selectors, byte order mark, annotations.
  if ((code >= 0xfe00 && code <= 0xfe0f) || code === 0xfeff || (code >= 0xfff9 && code <= 0xfffb)) return '';
  return undefined;
}
