/**
 * What a token looks like: `tether_` and 32 random bytes in base64url. Its form alone turns away what was never one of ours, and
 * lets a scanner of repositories find one that leaked.
 */
import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'tether_';
const RANDOM_BYTES = 32;
const FORM = /^tether_[A-Za-z0-9_-]{43}$/;
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

/** The token in an Authorization header, whatever it is; empty when there is none. */
export function bearerOf(authorization: string): string {
  return BEARER.exec(authorization)?.[1] ?? '';
}
