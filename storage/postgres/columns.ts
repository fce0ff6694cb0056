/** Values that a column of Postgres does not take as they are. */

/** Without the character NUL, which no text of Postgres holds; comes back by `unescapeNul`. */
export function escapeNul(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\0', '\\0');
}

export function unescapeNul(text: string): string {
  return text.replace(/\\(.)/gs, (_, escaped: string) => (escaped === '0' ? '\0' : escaped));
}

/** For texts that people read and no program compares. */
export function replaceNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** The driver takes a Buffer for bytes, and would write down any other array as JSON. */
export function toBytea(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
