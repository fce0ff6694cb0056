/**
 * What every peer does with a notification, whatever queue it has: verifies the signature over the form that came, says it back in XML, and
 * later reads out of the stored form what it writes to Postgres. As small as a team would write it, so that the queues are compared and not
 * this.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

/** A row of `peer_events` and of `peer_payments`. */
export interface PeerEvent {
  /** Equal for repeats of a notification, different for all others. */
  readonly dedupe: string;
  /** The payment. */
  readonly id: string;
  readonly status: string;
  /** In the smallest unit of the currency; 0 where the notification has none. */
  readonly amount: number;
  readonly currency: string | null;
}

const ALGORITHMS: ReadonlyMap<number, string> = new Map([
  [20, 'sha1'],
  [32, 'sha256'],
  [64, 'sha512'],
]);

const idOf = (form: URLSearchParams) =>
  form.get('unique_id') ?? form.get('wpf_unique_id') ?? form.get('reference_id') ?? '';

/** @returns the id to say back, or undefined when the signature is not the hash of id and password */
export function verifiedId(body: string, password: string): string | undefined {
  const form = new URLSearchParams(body);
  const id = idOf(form);
  const given = Buffer.from(form.get('signature') ?? '', 'hex');
  const algorithm = ALGORITHMS.get(given.length);
  if (algorithm === undefined) return undefined;
  const expected = createHash(algorithm).update(`${id}${password}`).digest();
  return timingSafeEqual(given, expected) ? id : undefined;
}

/** The body of the acknowledgement. */
export function echoOf(id: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n  <unique_id>${id}</unique_id>\n</notification_echo>`;
}

export function eventOf(body: string): PeerEvent {
  const form = new URLSearchParams(body);
  const id = idOf(form);
  const status = form.get('status') ?? form.get('wpf_status') ?? '';
  return {
    dedupe: `${id}:${form.get('event') ?? ''}:${status}`,
    id,
    status,
    amount: Number(form.get('amount') ?? 0),
    currency: form.get('currency'),
  };
}
