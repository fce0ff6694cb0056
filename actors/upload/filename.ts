/**
 * The name that a client gave a file, made harmless. It is for people: no path, key or header is made of it as it is.
 *
 * What goes: directories in front of it, control characters, line separators, marks that change the direction of writing or have no
 * width (a name could pretend another ending with them), lone surrogates. What is left of it is cut at `FILENAME_LENGTH_MAX` and keeps its ending.
 */

export const FILENAME_LENGTH_MAX = 200;
const NAMELESS = 'upload';
const ENDING = /\.[A-Za-z0-9]{1,10}$/;
// Control characters, format characters (directions, zero width, byte order), line and paragraph separators, surrogates, private use.
const UNWANTED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

export function cleanFilename(given: string): string {
  // Browsers of old sent whole paths, and a name with dots alone is a directory.
  const last = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1);
  const clean = last.replace(UNWANTED, '').trim();
  if (clean === '' || /^\.+$/.test(clean)) return NAMELESS;
  const characters = [...clean];
  if (characters.length <= FILENAME_LENGTH_MAX) return clean;
  const ending = ENDING.exec(clean)?.[0] ?? '';
  return characters.slice(0, FILENAME_LENGTH_MAX - ending.length).join('') + ending;
}
