/**
 * Secrets as signatures are checked with them: by HMAC, or by Ed25519 where the sender keeps the secret half to itself.
 */
import { createHmac, createPublicKey, createSecretKey, type KeyObject, verify } from 'node:crypto';
import { sameSecret } from '../secret.js';

export type HmacAlgorithm = 'sha1' | 'sha256' | 'sha512';
export type SignatureEncoding = 'hex' | 'base64' | 'base64url';

/** What was signed, piece by piece. */
export type Signed = readonly (string | Buffer)[];

export interface SigningKey {
  /** In a header of items: the name of those that are signatures by such a key. */
  readonly item: string;
  /** Whether one of `candidates` signs it. */
  signs(content: Signed, candidates: readonly string[]): boolean;
}

export interface HmacKeyOptions {
  readonly item?: string;
  readonly algorithm: HmacAlgorithm;
  readonly encoding: SignatureEncoding;
}

export class HmacKey implements SigningKey {
  readonly item: string;
  readonly #key: KeyObject;
  readonly #algorithm: HmacAlgorithm;
  readonly #encoding: SignatureEncoding;

  constructor(secret: Buffer, { item = '', algorithm, encoding }: HmacKeyOptions) {
    this.item = item;
    this.#key = createSecretKey(secret);
    this.#algorithm = algorithm;
    this.#encoding = encoding;
  }

  signs(content: Signed, candidates: readonly string[]): boolean {
    const hmac = createHmac(this.#algorithm, this.#key);
    for (const piece of content) hmac.update(piece);
    const expected = hmac.digest(this.#encoding);
    let found = false;
    // Each of them is compared, and in a time that says nothing of where it differs.
    for (const candidate of candidates) {
      const given = this.#encoding === 'hex' ? candidate.toLowerCase() : candidate;
      if (sameSecret(given, expected)) found = true;
    }
    return found;
  }
}

export const ED25519_KEY_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
/** A check takes 0.1 ms, so a stranger's header must not ask for many. */
const ED25519_CANDIDATES_MAX = 2;

export class Ed25519Key implements SigningKey {
  readonly item: string;
  readonly #key: KeyObject;

  /** @param publicKey its 32 bytes */
  constructor(publicKey: Buffer, item: string) {
    this.item = item;
    this.#key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
      format: 'jwk',
    });
  }

  signs(content: Signed, candidates: readonly string[]): boolean {
    const signatures = candidates
      .slice(0, ED25519_CANDIDATES_MAX)
      .map((candidate) => Buffer.from(candidate, 'base64'))
      .filter(({ length }) => length === ED25519_SIGNATURE_BYTES);
    if (signatures.length === 0) return false;
    const bytes = Buffer.concat(
      content.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)),
    );
    return signatures.some((signature) => verify(null, bytes, this.#key, signature));
  }
}
