/** A secret that comes as it is, in a header: HTTP Basic (RFC 7617), or an API key. */
import { sameSecret } from '../secret.js';
import { forged, type Proof } from './proof.js';
import type { Refused } from './provider.js';
import type { HeaderNames, Reading } from './reading.js';

const BASIC = /^basic +([A-Za-z0-9+/]{1,4096}={0,2})$/i;

/** `Authorization: Basic`, with one of some `user:password`. */
export class BasicProof implements Proof {
  readonly #credentials: readonly string[];
  readonly #position: number;

  constructor(credentials: readonly string[], names: HeaderNames) {
    // Compared byte by byte, each as a character.
    this.#credentials = credentials.map((text) => Buffer.from(text).toString('latin1'));
    this.#position = names.position('authorization');
  }

  check(reading: Reading): Refused | undefined {
    const given = reading.header(this.#position);
    if (given === '') return NO_AUTHORIZATION;
    const [, encoded] = BASIC.exec(given) ?? [];
    if (encoded === undefined) return NOT_BASIC;
    const text = Buffer.from(encoded, 'base64').toString('latin1');
    return isOneOf(text, this.#credentials) ? undefined : WRONG_CREDENTIALS;
  }
}

const NO_AUTHORIZATION = forged('header authorization is missing');
const NOT_BASIC = forged('header authorization is not of the scheme Basic');
const WRONG_CREDENTIALS = forged('user or password is not that of the endpoint');

/** A header that holds one of some keys, with something before it where the sender writes it so (`Bearer `). */
export class ApiKeyProof implements Proof {
  readonly #keys: readonly string[];
  readonly #position: number;
  readonly #missing: Refused;
  readonly #wrong: Refused;

  constructor(keys: readonly string[], header: string, prefix: string, names: HeaderNames) {
    this.#keys = keys.map((key) => `${prefix}${key}`);
    this.#position = names.position(header);
    this.#missing = forged(`header ${header} is missing`);
    this.#wrong = forged(`header ${header} holds no key of the endpoint`);
  }

  check(reading: Reading): Refused | undefined {
    const given = reading.header(this.#position);
    if (given === '') return this.#missing;
    return isOneOf(given, this.#keys) ? undefined : this.#wrong;
  }
}

/** All are compared each time. */
function isOneOf(given: string, secrets: readonly string[]): boolean {
  let found = false;
  for (const secret of secrets) if (sameSecret(given, secret)) found = true;
  return found;
}
