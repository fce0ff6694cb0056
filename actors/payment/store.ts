/**
 * Reads and writes what a batch needs, within a transaction of the caller: three round trips, whatever the batch's size.
 */
import type { Effects, Incoming, Payment } from './decide.js';
import { concernsPayment } from './decide.js';
import { numberArray, textArray } from './sql/arrays.js';
import { KNOWN_MESSAGES, type KnownMessageRow } from './sql/known-messages.js';
import { LOCK_PAYMENTS, type LockedPaymentRow } from './sql/lock-payments.js';
import { HISTORY_ENTRIES_MAX, WRITE_EFFECTS, type WrittenRow } from './sql/write-effects.js';

/** The part of a `pg` client that is used here. */
export interface Queryable {
  query<Row extends object>(text: string, values: unknown[]): Promise<{ readonly rows: Row[] }>;
}

/** The payments that the batch is about and that exist, locked, by the messages' key. */
export async function lockPayments(
  client: Queryable,
  batch: readonly Incoming[],
): Promise<ReadonlyMap<string, Payment>> {
  const wanted = new Map<string, Incoming>();
  for (const incoming of batch) {
    if (concernsPayment(incoming.notification)) wanted.set(incoming.message.key, incoming);
  }
  const payments = new Map<string, Payment>();
  if (wanted.size === 0) return payments;

  const endpoints: string[] = [];
  const ids: string[] = [];
  for (const { endpoint, notification } of wanted.values()) {
    endpoints.push(endpoint);
    ids.push(notification.paymentId);
  }
  const { rows } = await client.query<LockedPaymentRow>(LOCK_PAYMENTS, [
    textArray(endpoints),
    textArray(ids),
  ]);
  for (const row of rows) {
    payments.set(`${row.endpoint}:${row.id}`, {
      endpoint: row.endpoint,
      id: row.id,
      status: row.status,
      amount: row.amount === null ? undefined : Number(row.amount),
      currency: row.currency ?? undefined,
      transactionId: row.transaction_id ?? undefined,
      transactionType: row.transaction_type ?? undefined,
      version: row.version,
    });
  }
  return payments;
}

/** The messages of the batch that have no event yet, in order. Ask after `lockPayments`: see the statement. */
export async function selectNew(client: Queryable, batch: readonly Incoming[]): Promise<readonly Incoming[]> {
  const { rows } = await client.query<KnownMessageRow>(KNOWN_MESSAGES, [
    textArray(batch.map(({ message }) => message.dedupe)),
    textArray(batch.map(({ endpoint }) => endpoint)),
  ]);
  if (rows.length === 0) return batch;
  const known = new Set(rows.map((row) => row.position - 1));
  return batch.filter((_, index) => !known.has(index));
}

/** Writes all of it. False when a row was not as it had been read: the caller must not commit. */
export async function writeEffects(client: Queryable, effects: Effects): Promise<boolean> {
  const { rows } = await client.query<WrittenRow>(WRITE_EFFECTS, [
    ...eventColumns(effects),
    ...paymentColumns(effects),
    ...blacklistColumns(effects),
  ]);
  const written = rows[0];
  return written?.events === effects.events.length && written.payments === effects.payments.length;
}

function eventColumns({ events }: Effects): unknown[] {
  const starts: number[] = [];
  const lengths: number[] = [];
  const bodies: Uint8Array[] = [];
  let start = 1;
  for (const { incoming } of events) {
    const body = incoming.message.payload;
    starts.push(start);
    lengths.push(body.length);
    bodies.push(body);
    start += body.length;
  }
  return [
    textArray(events.map(({ incoming }) => incoming.message.id)),
    textArray(events.map(({ incoming }) => incoming.endpoint)),
    textArray(events.map(({ incoming }) => incoming.notification.kind)),
    textArray(events.map(({ incoming }) => incoming.notification.paymentId)),
    textArray(events.map(({ incoming }) => incoming.message.dedupe)),
    textArray(events.map(({ status }) => status)),
    textArray(events.map(({ incoming }) => incoming.notification.reportedStatus || undefined)),
    textArray(events.map(({ incoming }) => incoming.message.traceparent || undefined)),
    numberArray(events.map(({ incoming }) => incoming.message.receivedAt)),
    numberArray(starts),
    numberArray(lengths),
    Buffer.concat(bodies),
  ];
}

function paymentColumns({ payments }: Effects): unknown[] {
  return [
    textArray(payments.map(({ payment }) => payment.endpoint)),
    textArray(payments.map(({ payment }) => payment.id)),
    textArray(payments.map(({ payment }) => payment.status)),
    numberArray(payments.map(({ payment }) => payment.amount)),
    textArray(payments.map(({ payment }) => payment.currency)),
    textArray(payments.map(({ payment }) => payment.transactionId)),
    textArray(payments.map(({ payment }) => payment.transactionType)),
    numberArray(payments.map(({ payment }) => payment.version)),
    JSON.stringify(payments.map(({ history }) => history.slice(-HISTORY_ENTRIES_MAX))),
  ];
}

function blacklistColumns({ blacklist }: Effects): unknown[] {
  return [
    textArray(blacklist.map(({ endpoint }) => endpoint)),
    textArray(blacklist.map(({ paymentId }) => paymentId)),
    textArray(blacklist.map(({ transactionId }) => transactionId)),
    textArray(blacklist.map(({ reasonCode }) => reasonCode)),
    textArray(blacklist.map(({ iban }) => iban)),
  ];
}
