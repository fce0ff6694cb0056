/**
 * The signature of an EMP notification: `hex(H(utf8(signed id + API password)))`, where the number of hex digits says which
 * hash. It covers the id and nothing else.
 */
import { hash } from 'node:crypto';

/** By hex digits. Any other length is no signature. */
function algorithmOf(signature: string): string | undefined {
  switch (signature.length) {
    case 40:
      return 'sha1';
    case 64:
      return 'sha256';
    case 128:
      return 'sha512';
    default:
      return undefined;
  }
}

/** Whether `signature` signs `signedId` with one of `passwords`. All of them are tried each time. */
export function isSigned(signedId: string, signature: string, passwords: readonly string[]): boolean {
  const algorithm = algorithmOf(signature);
  if (algorithm === undefined) return false;
  let signed = false;
  for (let i = 0; i < passwords.length; i++) {
    if (sameHex(signature, hash(algorithm, signedId + passwords[i]))) signed = true;
  }
  return signed;
}

/**
 * Compares hex digits of equal number, in a time that does not depend on where they differ. `digest` is in lower case; of a
 * letter (bit 0x40 is set) the given digit may differ in the bit of its case, 0x20, and of a decimal digit in none.
 */
function sameHex(given: string, digest: string): boolean {
  let difference = 0;
  for (let i = 0; i < digest.length; i++) {
    const code = digest.charCodeAt(i);
    difference |= (given.charCodeAt(i) ^ code) & ~((code & 0x40) >>> 1);
  }
  return difference === 0;
}
