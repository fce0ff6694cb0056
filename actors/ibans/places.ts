/**
 * Where a sealed IBAN belongs: table, column, and what the row is known by when it is written.
 *
 * A row that COPY writes has no id yet: it is known by its upload, its client and its line, which never change. What has none of these, such as a
 * row that was written by hand, is known by its id: it is sealed when it is there already.
 */

export interface DebtorIdentity {
  /** A bigint as text. */
  readonly id: string;
  readonly upload_id: string | null;
  readonly line: string | null;
  readonly owner: string | null;
}

export interface BlacklistIdentity {
  /** A bigint as text. */
  readonly id: string;
  readonly endpoint: string | null;
  readonly payment_id: string | null;
}

/** Of all accepted rows of an upload; the line comes behind it. */
export function uploadPlace(uploadId: string, owner: string | null): string {
  return `${JSON.stringify(['debtors', 'iban', 'upload', uploadId.toLowerCase(), owner])} line `;
}

export function debtorPlace({ id, upload_id: upload, line, owner }: DebtorIdentity): string {
  if (upload === null || line === null) return JSON.stringify(['debtors', 'iban', 'id', id]);
  return `${uploadPlace(upload, owner)}${line}`;
}

export function paymentPlace(endpoint: string, paymentId: string): string {
  return JSON.stringify(['blacklist', 'iban', 'payment', endpoint, paymentId]);
}

export function blacklistPlace({ id, endpoint, payment_id: payment }: BlacklistIdentity): string {
  return endpoint === null || payment === null
    ? JSON.stringify(['blacklist', 'iban', 'id', id])
    : paymentPlace(endpoint, payment);
}
