/**
 * What people may see of a webhook's body without being allowed to read it: the names of its fields, and the values that are technical.
 *
 * Nobody can list the fields of every sender, so it goes by form. Shown are null, true, false, numbers, and short words without spaces: ids, types,
 * statuses, times. Masked is what stands, at any depth, under a name of a person, an address, an account or a secret; what has the form of an
 * e-mail address, an IBAN, a card number, a telephone number or a secret; and all other texts. Names that are no names are masked as well.
 */
import { isPersonal, type MaskedField } from '../emp/mask.js';
import { decodeWebhook } from './message.js';

const FIELDS_MAX = 200;
const DEPTH_MAX = 50;
const VALUE_CHARS_MAX = 64;
const DIGITS_MAX = 12;
const NAME = /^[a-z_$@][a-z0-9_$@.-]{0,63}$/i;
const PRIVATE =
  /secret|token|passw|auth|signature|credential|cookie|session|api_?key|iban|bic|account|card|^pan$|cvc|cvv|mail|phone|mobile|name|address|street|city|post|zip|birth|dob|ssn|tax|national|passport|^ip|description|note|text|message|comment|subject|url|link/i;
const TECHNICAL = /^[a-z0-9_][a-z0-9_.:/+-]*$/i;
const SECRET = /^(sk|rk|pk|whsec|xox[a-z]|gh[a-z]|glpat|eyj|bearer)[-_.a-z0-9]/i;
const TELEPHONE = /^[+0][\d./()-]{6,}$/;

/** Of a body, or of a message of the log with one: its fields in their order, at most 200; undefined when it holds no JSON. */
export function maskWebhook(payload: Uint8Array): readonly MaskedField[] | undefined {
  const json = readObject(payload) ?? readObject(bodyOf(payload));
  if (json === undefined) return undefined;
  const fields: MaskedField[] = [];
  collect(json, '', false, 0, fields);
  return fields;
}

function bodyOf(payload: Uint8Array): Uint8Array | undefined {
  try {
    return decodeWebhook(payload).body;
  } catch {
    // It is none: nobody has said that it was.
    return undefined;
  }
}

function readObject(bytes: Uint8Array | undefined): object | undefined {
  if (bytes === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

function collect(json: object, path: string, isPrivate: boolean, depth: number, fields: MaskedField[]): void {
  for (const [name, value] of Object.entries(json)) {
    if (fields.length >= FIELDS_MAX) return;
    const shown = Array.isArray(json) || NAME.test(name) ? name : '?';
    const own = `${path}/${isPersonal(name) ? '?' : shown}`;
    const hidden = isPrivate || PRIVATE.test(name);
    if (typeof value !== 'object' || value === null) fields.push(fieldOf(own, value, hidden));
    else if (depth < DEPTH_MAX) collect(value, own, hidden, depth + 1, fields);
    else fields.push({ name: own, value: '', masked: true });
  }
}

function fieldOf(name: string, value: unknown, isPrivate: boolean): MaskedField {
  if (isPrivate || !isTechnical(value)) return { name, value: '', masked: true };
  return { name, value: String(value), masked: false };
}

function isTechnical(value: unknown): boolean {
  if (typeof value !== 'string') return String(value).replace(/\D/g, '').length <= DIGITS_MAX;
  if (value.length > VALUE_CHARS_MAX || !TECHNICAL.test(value)) return false;
  return !isPersonal(value) && !SECRET.test(value) && !TELEPHONE.test(value);
}
