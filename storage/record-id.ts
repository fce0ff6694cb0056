/** One name for what several texts name together, of a fixed length: a key may be longer than a file's name or an index bears. */
import { createHash } from 'node:crypto';

/** SHA-256 of the texts in UTF-8, each with its length before it, so that no two lists look alike. */
export function recordId(...texts: readonly string[]): Buffer {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text);
  return hash.digest();
}
