/**
 * The fields of an EMP notification that decide something, by name.
 *
 * Two parsers read a notification: the gateway's byte scanner, which wants the signed id and the signature at the edge,
 * and the full parser in the actor. A request that the two understand differently is an attack: a signature checked
 * for one id and an effect on another. So both refuse a notification that repeats one of the names below, and both
 * take the names from here.
 */

export type Kind = 'processing' | 'wpf' | 'kyc' | 'apm';

/** Fields that decide the kind, the signed id, the actor's key and the deduplication key. */
export const IDENTITY_FIELDS = [
  'notification_type',
  'unique_id',
  'wpf_unique_id',
  'reference_id',
  'payment_transaction_unique_id',
  'original_transaction_unique_id',
  'transaction_type',
  'event',
  'status',
  'wpf_status',
  'signature',
] as const;

/** Fields that decide what is written about a payment, but not which payment. */
export const EFFECT_FIELDS = [
  'transaction_id',
  'wpf_transaction_id',
  'amount',
  'payment_transaction_amount',
  'currency',
  'payment_transaction_currency',
  'payment_transaction_transaction_type',
  'rc_code',
  'reason_code',
  'iban',
  'bank_account_number',
] as const;

/** A notification that names one of these twice is malformed. */
export const SIGNIFICANT_FIELDS = [...IDENTITY_FIELDS, ...EFFECT_FIELDS] as const;

export type SignificantField = (typeof SIGNIFICANT_FIELDS)[number];

/** What `notification_type` says about the kind. Any other value says nothing. */
export const KIND_BY_NOTIFICATION_TYPE: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['wpf', 'wpf'],
  ['kyc_service_execution', 'kyc'],
  ['apm_external_event', 'apm'],
]);

/** The field whose value is signed, for each kind. */
export const SIGNED_ID_FIELD: Readonly<Record<Kind, SignificantField>> = Object.freeze({
  processing: 'unique_id',
  wpf: 'wpf_unique_id',
  kyc: 'reference_id',
  apm: 'payment_transaction_unique_id',
});

/** The most bytes (UTF-8, decoded) of a signed id or of the original id of a legacy chargeback. */
export const ID_BYTES_MAX = 255;

/** The most bytes (UTF-8, decoded) of an event or a status: they are part of an index key of bounded size. */
export const LABEL_BYTES_MAX = 64;
