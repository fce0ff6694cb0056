/** Every secret that the doctor meets, by the name of where it stands: to judge them, and to keep them out of what it says. */
import { ibanKeySecrets } from '../../actors/ibans/index.js';
import { parseS3Url } from '../../storage/objects/s3/url.js';
import { parseRedisUrl } from '../../storage/redis/url.js';
import { CONFIG_KEY_NAMES, CONFIG_KEYS } from '../config-keys.js';
import type { Endpoint } from '../endpoint.js';
import type { Environment } from '../settings.js';

interface NamedSecret {
  /** `the password of TETHER_REDIS_URL`, ...: never any of it. */
  readonly name: string;
  readonly value: string;
}

/** Of the environment and of the endpoints. A URL that is refused has none that could be named. */
function namedSecrets(env: Environment, endpoints: readonly Endpoint[]): readonly NamedSecret[] {
  const found: NamedSecret[] = [];
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') found.push({ name, value });
  };
  add('TETHER_API_TOKEN', env.TETHER_API_TOKEN);
  add('the password of TETHER_DATABASE_URL', passwordOf(env.TETHER_DATABASE_URL));
  add('the password of TETHER_REDIS_URL', parseRedisUrl(env.TETHER_REDIS_URL ?? '')?.password);
  add('the secret key of TETHER_S3_URL', parseS3Url(env.TETHER_S3_URL ?? '').location?.secretKey);
  for (const { id, secret } of ibanKeySecrets(env.TETHER_IBAN_KEYS ?? ''))
    add(`the key ${id} of TETHER_IBAN_KEYS`, secret);
  for (const { name, token, secrets } of endpoints) {
    add(`the token of endpoint ${name}`, token);
    for (const [place, secret] of secrets.entries()) add(`secrets[${place}] of endpoint ${name}`, secret);
  }
  return found;
}

/** In each of the forms in which a message could show them. */
function secretsToHide(env: Environment, endpoints: readonly Endpoint[]): readonly string[] {
  const values = namedSecrets(env, endpoints).map(({ value }) => value);
  const whole = CONFIG_KEY_NAMES.filter((key) => CONFIG_KEYS[key].secret).map((key) => env[key] ?? '');
  return [...values, ...values.map(encodeURIComponent), ...whole].filter((text) => text !== '');
}

function passwordOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  try {
    return decodeURIComponent(new URL(url).password);
  } catch {
    // A percent sign that encodes nothing: the driver takes it as it is.
    return new URL(url).password;
  }
}

export { type NamedSecret, namedSecrets, secretsToHide };
