/**
 * What a batch of notifications does to payments: a pure function of the messages and of the payments as they are.
 *
 * The result is a set of rows to write in one statement: each message leaves one event; a payment that moved is written
 * once, in its last state; a chargeback for certain reasons asks for an entry on the blacklist. The entry does not
 * depend on whether the chargeback came in time or late: a closed account is closed in any order of messages.
 */
import type { RawMessage } from '../../runtime/message.js';
import { type Notification, RETRIEVAL_REQUEST } from '../emp/notification.js';
import { advance, isOpen } from './status.js';

export interface Incoming {
  readonly message: RawMessage;
  readonly endpoint: string;
  readonly notification: Notification;
}

/** What is known of a payment. `version` counts the times it was written, from 1. */
export interface Payment {
  readonly endpoint: string;
  readonly id: string;
  readonly status: string;
  /** Minor units. */
  readonly amount: number | undefined;
  readonly currency: string | undefined;
  readonly transactionId: string | undefined;
  readonly transactionType: string | undefined;
  readonly version: number;
}

/** One change of a payment's status. */
export interface HistoryEntry {
  readonly status: string;
  readonly event: string;
  /** When the edge accepted the message, milliseconds since the epoch. */
  readonly at: number;
  /** The message's id. */
  readonly message: string;
}

/**
 * - `applied`: it moved a payment
 * - `stale`: it would have moved one back
 * - `recorded`: it moves none: no status that we know, the one the payment has, or another kind of notification
 */
export type EventStatus = 'applied' | 'stale' | 'recorded';

export interface EventWrite {
  readonly incoming: Incoming;
  readonly status: EventStatus;
}

export interface PaymentWrite {
  /** In its last state. Its version is one more than the one that was read, or 1. */
  readonly payment: Payment;
  /** The changes of this batch, in order. */
  readonly history: readonly HistoryEntry[];
}

export interface BlacklistWrite {
  readonly endpoint: string;
  readonly paymentId: string;
  readonly transactionId: string | undefined;
  readonly reasonCode: string;
  /** From the notification; what `debtors` says of the transaction goes first. */
  readonly iban: string | undefined;
}

export interface Effects {
  /** In the order of the messages. */
  readonly events: readonly EventWrite[];
  readonly payments: readonly PaymentWrite[];
  readonly blacklist: readonly BlacklistWrite[];
}

/** Whether a notification may move a payment. The others are kept as events and touch none. */
export function concernsPayment(notification: Notification): boolean {
  return (
    (notification.kind === 'processing' || notification.kind === 'wpf') &&
    notification.event !== RETRIEVAL_REQUEST
  );
}

/**
 * @param batch distinct messages, none handled before
 * @param stored the payments that exist, by the messages' key
 * @param blacklistCodes reason codes that put a debtor on the blacklist
 */
export function decide(
  batch: readonly Incoming[],
  stored: ReadonlyMap<string, Payment>,
  blacklistCodes: ReadonlySet<string>,
): Effects {
  const events: EventWrite[] = [];
  const changed = new Map<string, { payment: Payment; history: HistoryEntry[] }>();
  const blacklist: BlacklistWrite[] = [];

  for (const incoming of batch) {
    const { message, endpoint, notification } = incoming;
    if (!concernsPayment(notification)) {
      events.push({ incoming, status: 'recorded' });
      continue;
    }
    const key = message.key;
    const change = changed.get(key);
    const before = change?.payment ?? stored.get(key);
    const move = advance(before?.status, notification.reportedStatus);

    if (move === 'apply') {
      const version = (stored.get(key)?.version ?? 0) + 1;
      const payment = moved(before, endpoint, notification, version);
      const entry = historyEntry(message, notification);
      if (change === undefined) {
        changed.set(key, { payment, history: [entry] });
      } else {
        change.payment = payment;
        change.history.push(entry);
      }
      events.push({ incoming, status: 'applied' });
    } else {
      events.push({ incoming, status: move === 'stale' ? 'stale' : 'recorded' });
    }

    const reasonCode = blacklistReason(notification, blacklistCodes);
    if (reasonCode !== undefined) {
      blacklist.push({
        endpoint,
        paymentId: notification.paymentId,
        transactionId: before?.transactionId ?? notification.transactionId,
        reasonCode,
        iban: notification.iban,
      });
    }
  }
  return { events, payments: [...changed.values()], blacklist };
}

/**
 * The payment in its reported status. While it waits for its outcome, what a message says of it is news (a partial
 * approval lowers the amount). Afterwards what is known stays: a refund reports the amount of the refund, a legacy
 * chargeback its own transaction.
 */
function moved(
  before: Payment | undefined,
  endpoint: string,
  notification: Notification,
  version: number,
): Payment {
  const told = {
    amount: notification.amountMinor,
    currency: notification.currency,
    transactionId: notification.transactionId,
    transactionType: notification.legacyChargeback ? undefined : notification.transactionType,
  };
  const news = before !== undefined && isOpen(before.status);
  const [first, second] = news ? [told, before] : [before, told];
  return {
    endpoint,
    id: notification.paymentId,
    status: notification.reportedStatus,
    amount: first?.amount ?? second?.amount,
    currency: first?.currency ?? second?.currency,
    transactionId: first?.transactionId ?? second?.transactionId,
    transactionType: first?.transactionType ?? second?.transactionType,
    version,
  };
}

function historyEntry(message: RawMessage, notification: Notification): HistoryEntry {
  return {
    status: notification.reportedStatus,
    event: notification.event,
    at: message.receivedAt,
    message: message.id,
  };
}

/** The configured code that a chargeback gives as its reason, if it is a chargeback and gives one. */
function blacklistReason(notification: Notification, codes: ReadonlySet<string>): string | undefined {
  const { reportedStatus, event, rcCode, reasonCode } = notification;
  const chargeback =
    reportedStatus === 'chargebacked' ||
    reportedStatus === 'second_chargebacked' ||
    event === 'chargeback' ||
    event === 'second_chargeback';
  if (!chargeback) return undefined;
  return [reasonCode, rcCode].find((code) => code !== undefined && codes.has(code));
}
