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

const NOT_HEX = 0xff;
/** The value of a hex digit of either case, by its code. */
const HEX_VALUE = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(value) ? NOT_HEX : value;
});

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

/** Compares hex digits of equal number, whatever their case, in a time that does not depend on where they differ. */
function sameHex(given: string, digest: string): boolean {
  let difference = 0;
  for (let i = 0; i < digest.length; i++) {
    const code = given.charCodeAt(i);
    // A code above 255 has no place in the table, and no code of the digest either.
    difference |=
      (code >>> 8) | ((HEX_VALUE[code & 0xff] ?? NOT_HEX) ^ (HEX_VALUE[digest.charCodeAt(i)] ?? 0));
  }
  return difference === 0;
}
