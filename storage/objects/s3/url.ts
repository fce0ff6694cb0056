/**
 * The URL that names an S3 store: `http(s)://accessKey:secretKey@host[:port]/bucket[/prefix][?region=...&path-style=true|false]`.
 *
 * What is wrong with one is said without quoting any of it: the secret may stand anywhere in a URL that is mistyped.
 */
import { isKey } from '../checks.js';

export interface S3Location {
  readonly secure: boolean;
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly bucket: string;
  /** In front of each key, with a `/` at its end; or empty. */
  readonly prefix: string;
  readonly region: string;
  readonly pathStyle: boolean;
}

/** Either the parts of the URL, or what is wrong with it. */
type S3UrlResult =
  | { readonly location: S3Location; readonly problem?: never }
  | { readonly location?: never; readonly problem: string };

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9-]{1,64}$/;
const PARAMETERS = ['region', 'path-style'];
const PREFIX_LENGTH_MAX = 100;

export function parseS3Url(text: string): S3UrlResult {
  if (!URL.canParse(text)) return { problem: 'it is no URL' };
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { problem: 'it begins with neither http:// nor https://' };
  }
  const [accessKey, secretKey] = [decoded(url.username), decoded(url.password)];
  if (accessKey === undefined || secretKey === undefined) {
    return { problem: 'its access key or secret key has a % that does not encode a character' };
  }
  if (accessKey === '' || secretKey === '') {
    return { problem: 'it has no access key and secret key: https://accessKey:secretKey@host/bucket' };
  }
  if (url.hash !== '') return { problem: 'it has a #: in a secret key, write %23' };
  const [bucket = '', ...rest] = url.pathname.slice(1).replace(/\/$/, '').split('/');
  if (!BUCKET.test(bucket) || bucket.includes('..')) {
    return { problem: 'its bucket is none: 3 to 63 small letters, digits, - and .' };
  }
  const prefix = rest.join('/');
  if (prefix !== '' && (!isKey(prefix) || prefix.length > PREFIX_LENGTH_MAX)) {
    return {
      problem: 'what stands behind its bucket can be no prefix: a letter, then letters, digits, - _ . /',
    };
  }
  const parameters = [...url.searchParams.keys()];
  if (parameters.some((name, index) => !PARAMETERS.includes(name) || parameters.indexOf(name) !== index)) {
    return { problem: `behind its ? only ${PARAMETERS.join(' and ')} may stand, each once` };
  }
  const region = url.searchParams.get('region') ?? 'us-east-1';
  if (!REGION.test(region)) return { problem: 'its region is none: small letters, digits and -' };
  const pathStyle = url.searchParams.get('path-style') ?? 'true';
  if (pathStyle !== 'true' && pathStyle !== 'false') {
    return { problem: 'its path-style is neither true nor false' };
  }
  const secure = url.protocol === 'https:';
  return {
    location: {
      secure,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      accessKey,
      secretKey,
      bucket,
      prefix: prefix === '' ? '' : `${prefix}/`,
      region,
      pathStyle: pathStyle === 'true',
    },
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
