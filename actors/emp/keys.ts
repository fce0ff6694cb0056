/**
 * The two keys of an EMP notification: whose turn it is (`actorKey`) and whether it was here before (`dedupeKey`).
 *
 * They ask for a few fields only, so that the gateway's scanner makes its keys with these functions too.
 */
import { createHash } from 'node:crypto';
import { isWord } from '../../runtime/ascii.js';
import type { Kind } from './fields.js';
import { type Notification, parseNotification, RETRIEVAL_REQUEST } from './notification.js';

/** 128 bits: enough that two bodies of one id do not meet by chance, and a fifth of the index row at most. */
const DIGEST_HEX_DIGITS = 32;

type DedupeParts = Pick<Notification, 'kind' | 'signedId' | 'event' | 'status'>;

/** `<endpoint>:<payment id>`. An endpoint's name holds no colon, so the first one ends it. */
export function actorKey(endpoint: string, notification: Pick<Notification, 'paymentId'>): string {
  return `${endpoint}:${notification.paymentId}`;
}

/** Whether several different messages may share kind, id, event and status, so that only their bodies differ. */
export function needsBodyDigest(notification: Pick<Notification, 'kind' | 'event'>): boolean {
  return (
    notification.kind === 'kyc' || notification.kind === 'apm' || notification.event === RETRIEVAL_REQUEST
  );
}

/** The first 32 hex digits of the body's SHA-256. */
export function bodyDigest(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex').slice(0, DIGEST_HEX_DIGITS);
}

/**
 * `kind:signed id:event:status`, with `:digest` behind it when `needsBodyDigest`; `digest` is not looked at otherwise.
 *
 * The status is part of it, or `approved` after `pending_async` would be dropped as a duplicate. A colon within a part
 * is escaped: event and status are not signed, and must not be able to make the key of another id.
 */
export function dedupeKey(notification: DedupeParts, digest: string): string {
  const { kind, signedId, event, status } = notification;
  const key = `${kind}:${escapePart(signedId)}:${escapePart(event)}:${escapePart(status)}`;
  return needsBodyDigest(notification) ? `${key}:${digest}` : key;
}

function escapePart(part: string): string {
  return isWord(part) ? part : part.replaceAll('%', '%25').replaceAll(':', '%3A');
}

export interface Identity {
  readonly kind: Kind;
  readonly signedId: string;
  /** `actorKey` */
  readonly key: string;
  /** `dedupeKey` */
  readonly dedupe: string;
}

/** What a scanner must find in `body`, by the full parser. @throws EmpMalformedError */
export function identify(endpoint: string, body: Uint8Array): Identity {
  const notification = parseNotification(body);
  const digest = needsBodyDigest(notification) ? bodyDigest(body) : '';
  return {
    kind: notification.kind,
    signedId: notification.signedId,
    key: actorKey(endpoint, notification),
    dedupe: dedupeKey(notification, digest),
  };
}
