/**
 * What people may see of a notification without being allowed to read it: the names of its fields, and the values that are technical.
 *
 * Shown is what is named below; whatever else a sender puts in is masked, so that a field of tomorrow is hidden and not shown by mistake.
 * A shown value that has the form of a card number, an IBAN or an e-mail address is masked all the same: it stands in the wrong
 * field. The signed id is as it is, for it is in every list as the key.
 */
import { parseIban } from '../iban.js';
import { SIGNED_ID_FIELD } from './fields.js';
import { type Notification, parseNotification } from './notification.js';

export interface MaskedField {
  readonly name: string;
  /** Empty when it is masked. */
  readonly value: string;
  readonly masked: boolean;
}

const SHOWN: ReadonlySet<string> = new Set([
  ...['notification_type', 'unique_id', 'wpf_unique_id', 'reference_id', 'payment_transaction_unique_id'],
  ...['original_transaction_unique_id', 'transaction_id', 'wpf_transaction_id', 'transaction_type'],
  ...['payment_transaction_transaction_type', 'event', 'status', 'wpf_status', 'amount', 'currency'],
  ...['payment_transaction_amount', 'payment_transaction_currency', 'partial_approval', 'mode', 'timestamp'],
  ...['rc_code', 'rc_description', 'reason_code', 'reason_description', 'post_date', 'eci'],
  ...['avs_response_code', 'cvv_response_code', 'category', 'priority', 'code', 'score', 'score_complete'],
]);
const FIELDS_MAX = 200;
const VALUE_CHARS_MAX = 200;
/** A name that may be shown: no value that came in its place. */
const NAME = /^[a-z][a-z0-9_]{0,63}$/i;
const DIGITS_IN_NAME_MAX = 4;

/** The fields in the order of the body, at most 200; undefined of what is no notification. */
export function maskNotification(body: Uint8Array): readonly MaskedField[] | undefined {
  let notification: Notification;
  try {
    notification = parseNotification(body);
  } catch {
    // Whatever it is: nobody can say which part of it is whose.
    return undefined;
  }
  const idField = SIGNED_ID_FIELD[notification.kind];
  return notification.fields.slice(0, FIELDS_MAX).map(([name, value]) => {
    const isShown = SHOWN.has(name) && value.length <= VALUE_CHARS_MAX;
    if (name === idField || (isShown && !isPersonal(value))) return { name, value, masked: false };
    return { name: isName(name) ? name : '?', value: '', masked: true };
  });
}

function isName(name: string): boolean {
  return NAME.test(name) && name.replace(/\D/g, '').length <= DIGITS_IN_NAME_MAX;
}

/** An e-mail address, or as much of an IBAN or a card number as somebody could use. */
export function isPersonal(value: string): boolean {
  if (value.includes('@')) return true;
  const compact = value.replaceAll(/[\s.-]/g, '');
  if (parseIban(compact) !== undefined) return true;
  // With something before or behind it; ids in hexadecimal have that form too.
  if (/[a-z]{2}\d{2}[a-z0-9]{11,30}/i.test(compact) && !/^[0-9a-f]+$/i.test(compact)) return true;
  return [...compact.matchAll(/\d{13,19}/g)].some(([digits]) => hasCardChecksum(digits));
}

/** By Luhn's algorithm. */
function hasCardChecksum(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
