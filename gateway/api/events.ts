/** Events over the operators' API: find one webhook, see what became of it, and read its body when one may. */
import { z } from 'zod';
import { ArchiveDamagedError, ArchiveFormatError, PayloadGoneError } from '../../actors/archive/errors.js';
import type { Payloads } from '../../actors/archive/payloads.js';
import {
  type EventFilter,
  EventSearchSlowError,
  type PaymentEvent,
  type PaymentEvents,
} from '../../actors/payment/events.js';
import { OutageError } from '../../runtime/errors.js';
import type { DeadLetterStore } from '../../runtime/stores/dead-letter.js';
import type { Answer } from '../answer.js';
import { problem } from '../problem.js';
import { deadLetterJson, deadLetterSchema } from './dead-letter-json.js';
import { maskedPayloadSchema, maskPayload } from './masked-payload.js';
import { cursorOf, cursorSchema, limitSchema, textSchema, timeSchema, UUID } from './paging.js';
import { revealed, revealedSchema } from './revealed-payload.js';
import { type ApiRoute, apiRoute } from './route.js';

export interface EventParts {
  readonly events: Pick<PaymentEvents, 'find' | 'get' | 'payment'>;
  readonly deadLetters: Pick<DeadLetterStore, 'list'>;
  readonly payloads: Pick<Payloads, 'payloadOf'>;
}

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;
/** Of the key of one event. */
const DEAD_LETTERS_MAX = 20;

const NO_EVENT = problem(
  'not-found',
  'there is no event of this id; a message that waits or is dead has none',
);
const TOO_SLOW = problem('search-too-slow', 'the search takes too long; give an id, a key or a smaller time');

const GONE = problem(
  'payload-gone',
  'the body was removed from the archive: it is older than bodies are kept',
);
const DAMAGED = problem('payload-damaged', 'the archive does not have the body as it was; the log says more');

const tag = 'Events';
const idSchema = z.strictObject({ id: z.string() });

const querySchema = z.strictObject({
  id: z.string().max(100).optional(),
  key: textSchema.optional().meta({
    description: "The payment's id, or the key of another sender's webhook, alone or behind `<endpoint>:`",
  }),
  dedupe: z
    .string()
    .max(512)
    .min(1)
    .optional()
    .meta({ description: 'What the deduplication key begins with, such as `processing:1234:` or `evt_1`' }),
  endpoint: textSchema.optional(),
  kind: textSchema
    .optional()
    .meta({ description: 'Of EMP processing, wpf, kyc, apm; of others the type that the sender names' }),
  status: textSchema
    .optional()
    .meta({ description: 'applied, stale, recorded of EMP; routed, unrouted, delayed of others' }),
  from: timeSchema.optional().meta({ description: 'Of acceptance, inclusive' }),
  to: timeSchema.optional().meta({ description: 'Of acceptance, exclusive' }),
  limit: limitSchema(LIMIT_DEFAULT, LIMIT_MAX),
  cursor: cursorSchema(UUID),
});

const eventSchema = z
  .object({
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
    bytes: z.int(),
    segment: z.string().nullable().meta({ description: 'Of the archive, when the body is there' }),
  })
  .meta({ id: 'Event' });

const paymentSchema = z
  .object({
    endpoint: z.string(),
    id: z.string(),
    status: z.string(),
    amount: z.number().nullable().meta({ description: 'Minor units' }),
    currency: z.string().nullable(),
    transactionId: z.string().nullable(),
    transactionType: z.string().nullable(),
    history: z.array(z.unknown()).meta({ description: '`{ status, event, at, message }`, oldest first' }),
    createdAt: z.number(),
    updatedAt: z.number(),
  })
  .meta({ id: 'Payment' });

export function eventRoutes({ events, deadLetters, payloads }: EventParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'get',
      path: '/api/events',
      id: 'findEvents',
      tag,
      summary: 'Messages that took effect, the newest first. A page that is not full may have a next one',
      scope: 'read',
      query: querySchema,
      answer: z.object({ events: z.array(eventSchema), next: z.string().nullable() }),
      problems: ['search-too-slow'],
      work: ({ query }) =>
        orTooSlow(async () => {
          const page = await events.find(filterOf(query));
          return {
            events: page.events.map(eventJson),
            next: page.next === undefined ? null : cursorOf(page.next),
          };
        }),
    }),
    apiRoute({
      method: 'get',
      path: '/api/events/{id}',
      id: 'getEvent',
      tag,
      summary: 'One event: its masked body, its payment, and what else came for that',
      scope: 'read',
      params: idSchema,
      answer: z.object({
        event: eventSchema,
        payload: maskedPayloadSchema.nullable(),
        payloadMissing: z.enum(['gone', 'away', 'damaged']).nullable().meta({
          description:
            'Why there is no body: it was removed as the retention says, the object store cannot be asked now, or does not have it as it was',
        }),
        payment: paymentSchema.nullable(),
        others: z
          .array(eventSchema)
          .meta({ description: 'Of the same payment, the newest first, at most 200' }),
        deadLetters: z.array(deadLetterSchema).meta({ description: 'Of its key, at most 20' }),
      }),
      problems: ['search-too-slow'],
      work: ({ params: { id } }) =>
        orTooSlow(async () => {
          const event = await events.get(id);
          if (event === undefined) return NO_EVENT;
          const { endpoint, key } = event;
          const payment = await events.payment(endpoint, key);
          const page = await events.find({ endpoint, key, limit: LIMIT_MAX });
          const letters = await deadLetters.list({ key: `${endpoint}:${key}`, limit: DEAD_LETTERS_MAX });
          return {
            event: eventJson(event),
            ...(await maskedOf(payloads, event)),
            payment:
              payment === undefined
                ? null
                : {
                    ...payment,
                    amount: payment.amount ?? null,
                    currency: payment.currency ?? null,
                    transactionId: payment.transactionId ?? null,
                    transactionType: payment.transactionType ?? null,
                    history: [...payment.history],
                  },
            others: page.events.filter((other) => other.id !== event.id).map(eventJson),
            deadLetters: letters.map(deadLetterJson),
          };
        }),
    }),
    apiRoute({
      method: 'post',
      path: '/api/events/{id}/reveal',
      id: 'revealEvent',
      tag,
      summary: 'The whole body of one event; who asked is noted',
      scope: 'operate',
      params: idSchema,
      answer: revealedSchema,
      problems: ['search-too-slow', 'payload-gone', 'payload-damaged'],
      work: ({ params: { id }, audit }) =>
        orTooSlow(async () => {
          const event = await events.get(id);
          if (event === undefined) return NO_EVENT;
          const payload = await orMissing(() => payloads.payloadOf(event));
          if (payload === 'gone') return GONE;
          if (payload === 'damaged') return DAMAGED;
          await audit({ action: 'event.reveal', target: id });
          return revealed(id, payload);
        }),
    }),
  ];
}

async function orTooSlow<T>(work: () => Promise<T>): Promise<T | Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EventSearchSlowError) return TOO_SLOW;
    throw error;
  }
}

/** What is shown of an event does not wait for a store that is away. */
async function maskedOf(payloads: EventParts['payloads'], event: PaymentEvent) {
  const payload = await orMissing(() => payloads.payloadOf(event)).catch((error: unknown) => {
    if (!(error instanceof OutageError)) throw error;
    return 'away' as const;
  });
  if (typeof payload === 'string') return { payload: null, payloadMissing: payload };
  return { payload: maskPayload(payload), payloadMissing: null };
}

async function orMissing(work: () => Promise<Uint8Array>): Promise<Uint8Array | 'gone' | 'damaged'> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PayloadGoneError) return 'gone';
    if (error instanceof ArchiveDamagedError || error instanceof ArchiveFormatError) return 'damaged';
    throw error;
  }
}

function filterOf({ cursor, key, ...query }: z.output<typeof querySchema>): EventFilter {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  const filter = { ...given, limit: query.limit } as EventFilter;
  // No endpoint's name has a colon.
  const colon = key?.indexOf(':') ?? -1;
  return {
    ...(colon > 0 ? { endpoint: key?.slice(0, colon) ?? '' } : {}),
    ...filter,
    ...(key === undefined ? {} : { key: key.slice(colon > 0 ? colon + 1 : 0) }),
    ...(cursor === undefined ? {} : { before: cursor[0] ?? '' }),
  };
}

function eventJson({ payload: _payload, place, ...event }: PaymentEvent): z.input<typeof eventSchema> {
  return {
    ...event,
    reportedStatus: event.reportedStatus ?? null,
    traceparent: event.traceparent ?? null,
    segment: place?.segment ?? null,
  };
}
