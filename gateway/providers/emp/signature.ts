/**
 * The signature of an EMP notification: `hex(H(utf8(signed id + API password)))`, where the number of hex digits says which
 * hash. It covers the id and nothing else.
 */
import { hash } from 'node:crypto';
import { ID_BYTES_MAX } from '../../../actors/emp/index.js';

/** Any other number of hex digits is no signature. */
function algorithmOf(digits: number): string | undefined {
  switch (digits) {
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

/**
 * Signatures by any of some passwords, of ids that lie in a body with nothing to decode. What is hashed is put together in
 * buffers that are kept, one for each password and length of an id.
 */
export class Signatures {
  readonly #passwords: readonly Buffer[];
  readonly #inputs: (Buffer | undefined)[] = [];

  constructor(passwords: readonly string[]) {
    this.#passwords = passwords.map((password) => Buffer.from(password));
  }

  /**
   * Whether the bytes from `start` to `end` sign those from `idStart` to `idEnd`, at most `ID_BYTES_MAX`. All passwords are tried
   * each time.
   */
  isSigned(body: Buffer, idStart: number, idEnd: number, start: number, end: number): boolean {
    const algorithm = algorithmOf(end - start);
    if (algorithm === undefined) return false;
    let signed = false;
    for (let i = 0; i < this.#passwords.length; i++) {
      const input = this.#inputOf(i, idEnd - idStart);
      for (let j = idStart; j < idEnd; j++) input[j - idStart] = body[j] ?? 0;
      if (sameHex(body, start, hash(algorithm, input))) signed = true;
    }
    return signed;
  }

  /** A buffer with the password behind room for the id. */
  #inputOf(password: number, idBytes: number): Buffer {
    const place = password * (ID_BYTES_MAX + 1) + idBytes;
    let input = this.#inputs[place];
    if (input === undefined) {
      input = Buffer.concat([Buffer.alloc(idBytes), this.#passwords[password] ?? Buffer.alloc(0)]);
      this.#inputs[place] = input;
    }
    return input;
  }
}

/**
 * Compares hex digits, those in `body` from `start` on, in a time that does not depend on where they differ. `digest` is in lower
 * case; of a letter (bit 0x40 is set) the given digit may differ in the bit of its case, 0x20, and of a decimal digit in none.
 */
function sameHex(body: Buffer, start: number, digest: string): boolean {
  let difference = 0;
  for (let i = 0; i < digest.length; i++) {
    const code = digest.charCodeAt(i);
    difference |= ((body[start + i] ?? 0) ^ code) & ~((code & 0x40) >>> 1);
  }
  return difference === 0;
}
