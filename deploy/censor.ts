/** Takes secrets out of a text that leaves the process, and masks IBANs and card numbers. */
import { maskIbans } from './iban-mask.js';
import { maskPans } from './pan-mask.js';

const CENSOR = '[redacted]';
/** Not the placeholder of our own messages. */
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)(?!user:password@)[^\s/@"'\\]+@/gi;
/** Not the words "bearer token". */
const AUTHORIZATION = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi;
/** Of clients: nodes know them by their hash alone. */
const CLIENT_TOKEN = /\btether_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g;
/** Parameters of URLs that let in whoever has them: those of S3 and of others that sign URLs, and tokens. */
const SIGNED_URL =
  /([?&](?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|AWSAccessKeyId|sig|token|access_token|api_key)=)[^&\s"'\\<>]+/gi;
/** A key of PEM, whole or cut off, its line ends written as JSON writes them too. */
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g;
/** Shorter ones would censor half of the language. */
const SECRET_LENGTH_MIN = 6;

/** A function that takes URL credentials, Authorization values and `secrets` signed URLs, keys and `secrets` out of a text, and the middle of each IBAN and card number. */
function censorOf(secrets: readonly string[]): (text: string) => string {
  const values = secrets.filter((secret) => secret.length >= SECRET_LENGTH_MIN);
  const forms = new Set(
    values.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]),
  );
  // The longest first: a secret may be part of another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of ordered) clean = clean.replaceAll(secret, CENSOR);
    clean = clean
      .replace(URL_CREDENTIALS, `$1${CENSOR}@`)
      .replace(AUTHORIZATION, `$1 ${CENSOR}`)
      .replace(CLIENT_TOKEN, CENSOR)
      .replace(SIGNED_URL, `$1${CENSOR}`)
      .replace(PRIVATE_KEY, CENSOR);
    return maskPans(maskIbans(clean));
  };
}

/** Many rotations of many secrets; those that were added first are forgotten first. */
const ADDED_MAX = 10_000;

/** A censor that learns of secrets while it works. */
class Censor {
  readonly #first: readonly string[];
  readonly #added = new Set<string>();
  #censor: (text: string) => string;

  constructor(secrets: readonly string[]) {
    this.#first = secrets;
    this.#censor = censorOf(secrets);
  }

  readonly clean = (text: string): string => this.#censor(text);

  readonly add = (secrets: readonly string[]): void => {
    const unknown = secrets.filter((secret) => !this.#first.includes(secret) && !this.#added.has(secret));
    if (unknown.length === 0) return;
    for (const secret of unknown) this.#added.add(secret);
    for (const secret of this.#added) {
      if (this.#added.size <= ADDED_MAX) break;
      this.#added.delete(secret);
    }
    this.#censor = censorOf([...this.#first, ...this.#added]);
  };
}

export { CENSOR, Censor, censorOf };
