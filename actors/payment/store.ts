/**
 * Reads and writes what a batch needs, within a transaction of the caller: three round trips, whatever the batch's size.
 */
import { PostgresConflictError, PostgresQueryError } from '../../storage/postgres/errors.js';
import type { Queryable } from '../../storage/postgres/pool.js';

import { concernsPayment, type Effects, type Incoming, type Payment } from './decide.js';
import type { ListedWrite } from './listed.js';
import { KNOWN_MESSAGES, type KnownMessageRow } from './sql/known-messages.js';
import { LOCK_PAYMENTS, type LockedPaymentRow } from './sql/lock-payments.js';
import { HISTORY_ENTRIES_MAX, WRITE_EFFECTS, type WrittenRow } from './sql/write-effects.js';

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
  const { rows } = await client.query<LockedPaymentRow>(LOCK_PAYMENTS, [endpoints, ids]);
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
    batch.map(({ message }) => message.dedupe),
    batch.map(({ endpoint }) => endpoint),
  ]);
  if (rows.length === 0) return batch;
  const known = new Set(rows.map((row) => row.position - 1));
  return batch.filter((_, index) => !known.has(index));
}

const UNIQUE_VIOLATION = '23505';

/**
 * Writes all of it.
 * @param listed what `effects.blacklist` comes to, see `listed.ts`
 * @throws PostgresConflictError when another transaction wrote one of the messages or payments since they were read
 */
export async function writeEffects(
  client: Queryable,
  effects: Effects,
  listed: readonly ListedWrite[],
): Promise<void> {
  const columns = [...eventColumns(effects), ...paymentColumns(effects), ...blacklistColumns(listed)];
  const { rows } = await client.query<WrittenRow>(WRITE_EFFECTS, columns).catch((error: unknown) => {
    // As a rule the same row fails again; here the next try finds the event and leaves its message out.
    if (error instanceof PostgresQueryError && error.sqlstate === UNIQUE_VIOLATION) {
      throw new PostgresConflictError(`another worker was faster: ${error.constraint}`, UNIQUE_VIOLATION);
    }
    throw error;
  });
  const written = rows[0];
  if (written?.events !== effects.events.length || written.payments !== effects.payments.length) {
    throw new PostgresConflictError('another worker changed a payment that was read', '');
  }
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
    events.map(({ incoming }) => incoming.message.id),
    events.map(({ incoming }) => incoming.endpoint),
    events.map(({ incoming }) => incoming.notification.kind),
    events.map(({ incoming }) => incoming.notification.paymentId),
    events.map(({ incoming }) => incoming.message.dedupe),
    events.map(({ status }) => status),
    events.map(({ incoming }) => incoming.notification.reportedStatus || undefined),
    events.map(({ incoming }) => incoming.message.traceparent || undefined),
    events.map(({ incoming }) => incoming.message.receivedAt),
    starts,
    lengths,
    Buffer.concat(bodies),
  ];
}

function paymentColumns({ payments }: Effects): unknown[] {
  return [
    payments.map(({ payment }) => payment.endpoint),
    payments.map(({ payment }) => payment.id),
    payments.map(({ payment }) => payment.status),
    payments.map(({ payment }) => payment.amount),
    payments.map(({ payment }) => payment.currency),
    payments.map(({ payment }) => payment.transactionId),
    payments.map(({ payment }) => payment.transactionType),
    payments.map(({ payment }) => payment.version),
    JSON.stringify(payments.map(({ history }) => history.slice(-HISTORY_ENTRIES_MAX))),
  ];
}

function blacklistColumns(listed: readonly ListedWrite[]): unknown[] {
  return [
    listed.map(({ endpoint }) => endpoint),
    listed.map(({ paymentId }) => paymentId),
    listed.map(({ transactionId }) => transactionId),
    listed.map(({ reasonCode }) => reasonCode),
    listed.map(({ iban }) => iban),
    listed.map(({ sealed }) => sealed),
    listed.map(({ index }) => index),
  ];
}
