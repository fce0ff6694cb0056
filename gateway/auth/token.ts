/**
 * What a token looks like: `tether_` and 32 random bytes in base64url. Its form alone turns away what was never one of ours, and
 * lets a scanner of repositories find one that leaked.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const PREFIX = 'tether_';
const RANDOM_BYTES = 32;
const FORM = /^tether_[A-Za-z0-9_-]{43}$/;
/** As the configuration may give the operators' token. */
const HASHED = /^sha256:[0-9a-f]{64}$/;
const BEARER = /^bearer +(\S+)$/i;

export function makeToken(): string {
  return PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
}

export function hasTokenForm(text: string): boolean {
  return FORM.test(text);
}

/** What is kept of a token. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Whether a text of the configuration is the hash of a token, and no token. */
export function isHashedToken(text: string): boolean {
  return HASHED.test(text);
}

/** How the configuration gives a token by its hash: `sha256:` and 64 hex digits. */
export function hashedForm(token: string): string {
  return `sha256:${hashToken(token).toString('hex')}`;
}

/**
 * The operators' token as the configuration gives it, itself or by its hash; only the hash is kept. A token has 32 random bytes, which nobody
 * finds by trying, so a slow hash would cost each request time and protect nothing.
 */
export class OperatorToken {
  readonly #digest: Buffer | undefined;

  /** @param configured empty: there is none, and nothing equals it */
  constructor(configured: string) {
    if (configured === '') this.#digest = undefined;
    else if (isHashedToken(configured)) this.#digest = Buffer.from(configured.slice('sha256:'.length), 'hex');
    else this.#digest = hashToken(configured);
  }

  get isSet(): boolean {
    return this.#digest !== undefined;
  }

  /** @param digest what `hashToken` makes of the token that was sent */
  equals(digest: Buffer): boolean {
    return this.#digest !== undefined && timingSafeEqual(digest, this.#digest);
  }
}

/** The token in an Authorization header, whatever it is; empty when there is none. */
export function bearerOf(authorization: string): string {
  return BEARER.exec(authorization)?.[1] ?? '';
}
