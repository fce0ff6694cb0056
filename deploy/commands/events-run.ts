/** What `tether events find|show` do, against the operations API of a running node. */
import { z } from 'zod';
import type { Environment } from '../settings.js';
import { deadLetterSchema, deadLetterTable } from './dead-letter.js';
import { maskedPayloadSchema, maskedText, revealedSchema, revealedText } from './masked-payload.js';
import { connectToNode, type NodeFlags } from './node-client.js';
import { printable, textTable } from './table.js';

type FindFlags = NodeFlags & {
  readonly id?: string;
  readonly key?: string;
  readonly dedupe?: string;
  readonly endpoint?: string;
  readonly kind?: string;
  readonly status?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
};
type ShowFlags = NodeFlags & { readonly reveal?: true };

const eventSchema = z.object({
  seq: z.number(),
  id: z.string(),
  endpoint: z.string(),
  kind: z.string(),
  key: z.string(),
  dedupe: z.string(),
  status: z.string(),
  reportedStatus: z.string().nullable(),
  traceparent: z.string().nullable(),
  receivedAt: z.number(),
  processedAt: z.number(),
  bytes: z.number(),
  segment: z.string().nullable(),
});
type EventJson = z.output<typeof eventSchema>;

const pageSchema = z.object({ events: z.array(eventSchema), next: z.string().nullable() });
const foundSchema = z.object({
  event: eventSchema,
  payload: maskedPayloadSchema.nullable(),
  payloadMissing: z.enum(['gone', 'away', 'damaged']).nullable(),
  payment: z
    .object({
      status: z.string(),
      amount: z.number().nullable(),
      currency: z.string().nullable(),
      transactionId: z.string().nullable(),
      history: z.array(z.unknown()),
    })
    .nullable(),
  others: z.array(eventSchema),
  deadLetters: z.array(deadLetterSchema),
});

const PAGE = 200;
/** A page reads 50,000 rows at most, so this is a search of a million. */
const PAGES_MAX = 20;

interface FindReport {
  readonly text: string;
  readonly hint: string | undefined;
}

async function findEvents(flags: FindFlags, env: Environment, columns?: number): Promise<FindReport> {
  const client = await connectToNode(flags, env);
  const { id, key, dedupe, endpoint, kind, status, from, to, limit } = flags;
  const found: EventJson[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = new URLSearchParams({ limit: String(Math.min(limit - found.length, PAGE)) });
    for (const [name, value] of Object.entries({ id, key, dedupe, endpoint, kind, status, from, to })) {
      if (value !== undefined) query.set(name, value);
    }
    if (cursor !== null) query.set('cursor', cursor);
    const { events, next }: z.output<typeof pageSchema> = await client.call(
      'GET',
      `/api/events?${query}`,
      pageSchema,
    );
    found.push(...events);
    cursor = next;
    if (next === null || found.length >= limit) break;
  }
  const unread = cursor !== null && found.length < limit;
  return {
    text: flags.json === true ? `${JSON.stringify(found)}\n` : eventsText(found, columns),
    hint: unread ? 'older events were not looked at: give --to, or --key' : undefined,
  };
}

async function showEvent(id: string, flags: ShowFlags, env: Environment): Promise<string> {
  const client = await connectToNode(flags, env);
  const path = `/api/events/${encodeURIComponent(id)}`;
  const found = await client.call('GET', path, foundSchema);
  const whole =
    flags.reveal === true ? await client.call('POST', `${path}/reveal`, revealedSchema) : undefined;
  if (flags.json === true)
    return `${JSON.stringify(whole === undefined ? found : { ...found, revealed: whole })}\n`;
  const { event, payment, others, deadLetters } = found;
  const rows: [string, string][] = [
    ['id', event.id],
    ['endpoint', event.endpoint],
    ['kind', event.kind],
    ['key', event.key],
    ['dedupe', event.dedupe],
    ['status', event.status],
    ['reported', event.reportedStatus ?? '-'],
    ['received', time(event.receivedAt)],
    ['processed', time(event.processedAt)],
    ['trace', event.traceparent ?? '-'],
    ['archived', event.segment ?? '-'],
    ['body', whole === undefined ? bodyText(found) : revealedText(whole)],
    ['payment', payment === null ? '-' : paymentText(payment)],
    ...(payment?.history ?? []).map((entry): [string, string] => ['', JSON.stringify(entry)]),
  ];
  return [
    rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join(''),
    others.length === 0 ? '' : `\nother events of the payment\n${eventsText(others)}`,
    deadLetters.length === 0 ? '' : `\ndead letters of the key\n${deadLetterTable(deadLetters)}`,
  ].join('');
}

const MISSING = {
  gone: 'removed: it is older than bodies are kept',
  away: 'in the archive, and the object store cannot be asked now',
  damaged: 'not in the archive as it was; the log of the node says more',
};

function bodyText({ payload, payloadMissing }: z.output<typeof foundSchema>): string {
  return payload === null ? MISSING[payloadMissing ?? 'gone'] : maskedText(payload);
}

function paymentText({
  status,
  amount,
  currency,
  transactionId,
}: NonNullable<z.output<typeof foundSchema>['payment']>): string {
  return `${status}, ${amount ?? '-'} ${currency ?? '-'} (minor units), transaction ${transactionId ?? '-'}`;
}

function eventsText(events: readonly EventJson[], columns?: number): string {
  if (events.length === 0) return 'no events\n';
  const head = ['ID', 'RECEIVED', 'ENDPOINT', 'KIND', 'STATUS', 'REPORTED', 'KEY'];
  const rows = events.map(({ id, receivedAt, endpoint, kind, status, reportedStatus, key }) => {
    return [id, time(receivedAt), endpoint, kind, status, reportedStatus ?? '-', key];
  });
  return textTable(head, rows, columns);
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

export { type FindFlags, findEvents, type ShowFlags, showEvent };
