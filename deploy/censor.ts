/** Takes secrets out of a text that leaves the process, and masks IBANs. */
import { maskIbans } from './iban-mask.js';

const CENSOR = '[redacted]';
/** Not the placeholder of our own messages. */
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)(?!user:password@)[^\s/@"'\\]+@/gi;
/** Not the words "bearer token". */
const AUTHORIZATION = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi;
/** Shorter ones would censor half of the language. */
const SECRET_LENGTH_MIN = 6;

/** A function that takes URL credentials, Authorization values and `secrets` out of a text, and the middle of each IBAN. */
function censorOf(secrets: readonly string[]): (text: string) => string {
  const values = secrets.filter((secret) => secret.length >= SECRET_LENGTH_MIN);
  const forms = new Set(values.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  // The longest first: a secret may be part of another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of ordered) clean = clean.replaceAll(secret, CENSOR);
    return maskIbans(clean.replace(URL_CREDENTIALS, `$1${CENSOR}@`).replace(AUTHORIZATION, `$1 ${CENSOR}`));
  };
}

export { CENSOR, censorOf };
