/**
 * The full parse of an EMP notification: bytes of a form in, a typed notification out.
 *
 * What makes a notification malformed is what would make two readers of it disagree, or what no key can hold: no
 * signed id, an id that is too long or holds a control character, an event or status of that sort, a repeated
 * significant field, an identity field that is not UTF-8 (all such bytes decode alike). Everything else is taken as it comes: a field that makes no sense (an amount of `abc`) is absent
 * from the typed part and still in `fields`. An empty value is an absent one.
 */
import { parseIban } from '../iban.js';
import { EmpMalformedError } from './errors.js';
import {
  ID_BYTES_MAX,
  IDENTITY_FIELDS,
  KIND_BY_NOTIFICATION_TYPE,
  type Kind,
  LABEL_BYTES_MAX,
  SIGNED_ID_FIELD,
  SIGNIFICANT_FIELDS,
  type SignificantField,
} from './fields.js';
import { decodeForm, type FormField, isUtf8Value, visitForm } from './form.js';

export interface Notification {
  readonly kind: Kind;
  /** What the signature covers, and what the answer echoes. */
  readonly signedId: string;
  /** The payment that it is about: the signed id, or for a legacy chargeback the original's id. */
  readonly paymentId: string;
  readonly legacyChargeback: boolean;
  /** As sent; empty when there is none. Of WPF, `wpf_status`. */
  readonly status: string;
  /** As sent; empty when there is none. */
  readonly event: string;
  /** The status that it reports of the payment; empty when it reports none. */
  readonly reportedStatus: string;
  readonly transactionType: string | undefined;
  /** The merchant's id of the transaction. */
  readonly transactionId: string | undefined;
  /** Minor units, a safe integer. */
  readonly amountMinor: number | undefined;
  /** An amount was sent that is none. */
  readonly amountUnreadable: boolean;
  /** Three capital letters. */
  readonly currency: string | undefined;
  /** A currency was sent that is none. */
  readonly currencyUnreadable: boolean;
  readonly rcCode: string | undefined;
  readonly reasonCode: string | undefined;
  /** In electronic form, check digits valid. */
  readonly iban: string | undefined;
  /** Every field of the body, in its order. Decoded when asked for: the way of a message does not need them. */
  readonly fields: readonly FormField[];
}

export const RETRIEVAL_REQUEST = 'retrieval_request';

const STATUS_BY_EVENT: ReadonlyMap<string, string> = new Map([
  ['chargeback', 'chargebacked'],
  ['chargeback_reversal', 'chargeback_reversed'],
  ['second_chargeback', 'second_chargebacked'],
]);

const SIGNIFICANT: ReadonlySet<string> = new Set(SIGNIFICANT_FIELDS);
const IDENTITY: ReadonlySet<string> = new Set(IDENTITY_FIELDS);
/** What bytes that are not UTF-8 decode to; it may also have been sent. */
const REPLACEMENT = '\ufffd';
const AMOUNT = /^[0-9]{1,16}$/;
const CURRENCY = /^[A-Za-z]{3}$/;
const CONTROL = /\p{Cc}/u;
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** @throws EmpMalformedError */
export function parseNotification(body: Uint8Array): Notification {
  const values = significantValues(body);
  const kind = kindOf(values);
  const signedId = id(values, SIGNED_ID_FIELD[kind]);
  const wpf = kind === 'wpf';

  const status = label(values, wpf ? 'wpf_status' : 'status');
  const event = label(values, 'event');
  const transactionType = text(values, wpf ? 'payment_transaction_transaction_type' : 'transaction_type');
  // Only the chargeback's own id is signed in the legacy form: its claim about the original is taken on trust, like
  // every status in this protocol.
  const legacyChargeback =
    kind === 'processing' && transactionType === 'chargeback' && values.has('original_transaction_unique_id');

  const sentAmount = values.get(wpf ? 'payment_transaction_amount' : 'amount');
  const sentCurrency = values.get(wpf ? 'payment_transaction_currency' : 'currency');
  const amountMinor = amount(sentAmount);
  const currencyCode = currency(sentCurrency);

  return new Parsed(body, {
    kind,
    signedId,
    paymentId: legacyChargeback ? id(values, 'original_transaction_unique_id') : signedId,
    legacyChargeback,
    status,
    event,
    reportedStatus: legacyChargeback ? 'chargebacked' : status || (STATUS_BY_EVENT.get(event) ?? ''),
    transactionType,
    transactionId: text(values, wpf ? 'wpf_transaction_id' : 'transaction_id'),
    amountMinor,
    amountUnreadable: sentAmount !== undefined && amountMinor === undefined,
    currency: currencyCode,
    currencyUnreadable: sentCurrency !== undefined && currencyCode === undefined,
    rcCode: text(values, 'rc_code'),
    reasonCode: text(values, 'reason_code'),
    iban: iban(values.get('iban')) ?? iban(values.get('bank_account_number')),
  });
}

/** A class for its getter: one in an object literal is defined anew for each notification, at 2 us. */
class Parsed implements Notification {
  readonly kind: Kind;
  readonly signedId: string;
  readonly paymentId: string;
  readonly legacyChargeback: boolean;
  readonly status: string;
  readonly event: string;
  readonly reportedStatus: string;
  readonly transactionType: string | undefined;
  readonly transactionId: string | undefined;
  readonly amountMinor: number | undefined;
  readonly amountUnreadable: boolean;
  readonly currency: string | undefined;
  readonly currencyUnreadable: boolean;
  readonly rcCode: string | undefined;
  readonly reasonCode: string | undefined;
  readonly iban: string | undefined;
  readonly #body: Uint8Array;

  constructor(body: Uint8Array, parts: Omit<Notification, 'fields'>) {
    this.kind = parts.kind;
    this.signedId = parts.signedId;
    this.paymentId = parts.paymentId;
    this.legacyChargeback = parts.legacyChargeback;
    this.status = parts.status;
    this.event = parts.event;
    this.reportedStatus = parts.reportedStatus;
    this.transactionType = parts.transactionType;
    this.transactionId = parts.transactionId;
    this.amountMinor = parts.amountMinor;
    this.amountUnreadable = parts.amountUnreadable;
    this.currency = parts.currency;
    this.currencyUnreadable = parts.currencyUnreadable;
    this.rcCode = parts.rcCode;
    this.reasonCode = parts.reasonCode;
    this.iban = parts.iban;
    this.#body = body;
  }

  get fields(): readonly FormField[] {
    return decodeForm(this.#body);
  }
}

type Values = ReadonlyMap<string, string>;

/** The significant fields that are not empty. */
function significantValues(body: Uint8Array): Values {
  const values = new Map<string, string>();
  visitForm(body, (name, value, raw) => {
    if (!SIGNIFICANT.has(name)) return;
    if (values.has(name)) throw new EmpMalformedError(`field ${name} is repeated`);
    if (value.includes(REPLACEMENT) && IDENTITY.has(name) && !isUtf8Value(raw))
      throw new EmpMalformedError(`field ${name} is not UTF-8`);
    values.set(name, value);
  });
  for (const [name, value] of values) if (value === '') values.delete(name);
  return values;
}

/**
 * `notification_type` is the sender's own word, so it decides when it is one that we know. Otherwise the ids decide,
 * the more particular first: only a payment page has a `wpf_unique_id`, and such a notification may carry the
 * `unique_id` of the payment behind it too; any transaction may carry a `reference_id`, the id of an earlier one
 * that it refers to. `payment_transaction_unique_id` alone decides nothing: pages send it as well.
 */
function kindOf(values: Values): Kind {
  const type = values.get('notification_type');
  const named = type === undefined ? undefined : KIND_BY_NOTIFICATION_TYPE.get(type);
  if (named !== undefined) return named;
  if (values.has('wpf_unique_id')) return 'wpf';
  if (values.has('unique_id')) return 'processing';
  if (values.has('reference_id')) return 'kyc';
  throw new EmpMalformedError('no field holds a signed id');
}

function id(values: Values, name: SignificantField): string {
  const value = values.get(name);
  if (value === undefined) throw new EmpMalformedError(`field ${name} is missing`);
  return checked(value, name, ID_BYTES_MAX);
}

function label(values: Values, name: SignificantField): string {
  const value = values.get(name);
  return value === undefined ? '' : checked(value, name, LABEL_BYTES_MAX);
}

function checked(value: string, name: string, bytesMax: number): string {
  if (!fits(value, bytesMax)) throw new EmpMalformedError(`field ${name} is longer than ${bytesMax} bytes`);
  if (CONTROL.test(value)) throw new EmpMalformedError(`field ${name} holds a control character`);
  return value;
}

/** A value that a text column takes, or undefined. */
function text(values: Values, name: SignificantField): string | undefined {
  const value = values.get(name);
  return value !== undefined && fits(value, ID_BYTES_MAX) && !CONTROL.test(value) ? value : undefined;
}

function fits(value: string, bytesMax: number): boolean {
  return value.length * UTF8_BYTES_PER_UNIT_MAX <= bytesMax || Buffer.byteLength(value) <= bytesMax;
}

function amount(value: string | undefined): number | undefined {
  if (value === undefined || !AMOUNT.test(value)) return undefined;
  const minor = Number(value);
  return Number.isSafeInteger(minor) ? minor : undefined;
}

function currency(value: string | undefined): string | undefined {
  return value !== undefined && CURRENCY.test(value) ? value.toUpperCase() : undefined;
}

function iban(value: string | undefined): string | undefined {
  return value === undefined ? undefined : parseIban(value);
}
