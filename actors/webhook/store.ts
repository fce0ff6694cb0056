/** Reads and writes what a batch needs, within a transaction of the caller. */
import type { RawMessage } from '../../runtime/message.js';
import { PostgresConflictError, PostgresQueryError } from '../../storage/postgres/errors.js';
import type { Queryable } from '../../storage/postgres/pool.js';
import type { Arrived, Due } from './incoming.js';
import type { WebhookMessage } from './message.js';
import { type DelayedEventRow, END_DELAY, LOCK_DELAYED } from './sql/delayed-events.js';
import { KNOWN_EVENTS, type KnownEventRow } from './sql/known-events.js';
import { WRITE_EVENTS } from './sql/write-events.js';

/**
 * - `routed`: it went to the actors of a route
 * - `unrouted`: no route took it; it is kept
 * - `delayed`: its time has not come
 */
export type WebhookStatus = 'routed' | 'unrouted' | 'delayed';

/** A webhook with what is known of its message. */
export interface Webhook {
  readonly message: Pick<RawMessage, 'id' | 'dedupe' | 'receivedAt' | 'traceparent'>;
  readonly webhook: WebhookMessage;
  readonly key: string;
}

const UNIQUE_VIOLATION = '23505';

/** Those that have no event yet, in order. */
export async function selectNew(client: Queryable, batch: readonly Arrived[]): Promise<readonly Arrived[]> {
  const { rows } = await client.query<KnownEventRow>(KNOWN_EVENTS, [
    batch.map(({ message }) => message.dedupe),
    batch.map(({ webhook }) => webhook.endpoint),
  ]);
  if (rows.length === 0) return batch;
  const known = new Set(rows.map((row) => row.position - 1));
  return batch.filter((_, index) => !known.has(index));
}

/** @throws PostgresConflictError when another transaction wrote one of them since they were looked for */
export async function writeEvents(
  client: Queryable,
  events: readonly (Webhook & { readonly status: WebhookStatus })[],
): Promise<void> {
  const starts: number[] = [];
  let start = 1;
  for (const { webhook } of events) {
    starts.push(start);
    start += webhook.body.length;
  }
  await client
    .query(WRITE_EVENTS, [
      events.map(({ message }) => message.id),
      events.map(({ webhook }) => webhook.endpoint),
      events.map(({ webhook }) => webhook.type),
      events.map(({ key }) => key),
      events.map(({ message }) => message.dedupe),
      events.map(({ status }) => status),
      events.map(({ message }) => message.traceparent || undefined),
      events.map(({ message }) => message.receivedAt),
      events.map(({ webhook }) => metaOf(webhook)),
      starts,
      events.map(({ webhook }) => webhook.body.length),
      Buffer.concat(events.map(({ webhook }) => webhook.body)),
    ])
    .catch((error: unknown) => {
      // As a rule the same row fails again; here the next try finds the event and leaves its message out.
      if (error instanceof PostgresQueryError && error.sqlstate === UNIQUE_VIOLATION) {
        throw new PostgresConflictError(`another worker was faster: ${error.constraint}`, UNIQUE_VIOLATION);
      }
      throw error;
    });
}

/** The events that are due and still wait, by endpoint and deduplication key, locked. */
export async function lockDelayed(
  client: Queryable,
  due: readonly Due[],
): Promise<ReadonlyMap<string, Webhook>> {
  const { rows } = await client.query<DelayedEventRow>(LOCK_DELAYED, [
    due.map(({ dedupe }) => dedupe),
    due.map(({ endpoint }) => endpoint),
  ]);
  return new Map(rows.map((row) => [`${row.endpoint} ${row.dedupe}`, fromRow(row)]));
}

export async function endDelay(
  client: Queryable,
  events: readonly (Webhook & { readonly status: WebhookStatus })[],
): Promise<void> {
  await client.query(END_DELAY, [
    events.map(({ message }) => message.dedupe),
    events.map(({ webhook }) => webhook.endpoint),
    events.map(({ status }) => status),
  ]);
}

/** As JSON that jsonb takes: no NUL and no half of a pair. */
function metaOf({ provider, contentType, id, headers }: WebhookMessage): string {
  return JSON.stringify({ provider, contentType, id, headers }, (_, value: unknown) =>
    typeof value === 'string' ? Buffer.from(value.replaceAll('\0', '\u{fffd}')).toString() : value,
  );
}

function fromRow(row: DelayedEventRow): Webhook {
  const { provider, contentType, id, headers } = row.meta as Omit<
    WebhookMessage,
    'endpoint' | 'type' | 'body'
  >;
  return {
    message: {
      id: row.id,
      dedupe: row.dedupe,
      receivedAt: Math.round(row.received_at),
      traceparent: row.traceparent ?? '',
    },
    webhook: {
      endpoint: row.endpoint,
      provider,
      type: row.kind,
      id,
      contentType,
      headers,
      body: row.payload ?? new Uint8Array(0),
    },
    key: row.key,
  };
}
