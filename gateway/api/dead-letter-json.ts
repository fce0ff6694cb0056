/**
 * A dead letter in JSON: `StoredDeadLetter` of `runtime/stores/dead-letter.ts` with the payload as base64, and as `payloadText` too when it
 * is valid UTF-8; for those who may not read it, `payloadMasked` instead of both.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { StoredDeadLetter } from '../../runtime/stores/dead-letter.js';
import type { Client } from '../auth/client.js';
import { maskedPayloadSchema, maskPayload } from './masked-payload.js';

export const deadLetterSchema = z
  .object({
    envelope: z.object({
      id: z.string(),
      actor: z.string(),
      key: z.string(),
      dedupe: z.string(),
      receivedAt: z.number(),
      traceparent: z.string(),
      payload: z.string().optional().meta({ description: 'base64; with the scope operate' }),
      payloadText: z.string().optional(),
      payloadMasked: maskedPayloadSchema.optional(),
    }),
    cause: z.object({ code: z.string(), message: z.string(), stack: z.string().optional() }),
    attempts: z.int(),
    deadAt: z.number(),
    state: z.enum(['waiting', 'replayed', 'dropped']),
    replayedAt: z.number().optional(),
    droppedAt: z.number().optional(),
    droppedBy: z.string().optional(),
  })
  .meta({ id: 'DeadLetter' });

export function deadLetterJson(
  { envelope, ...letter }: StoredDeadLetter,
  { scopes }: Pick<Client, 'scopes'>,
): z.input<typeof deadLetterSchema> {
  const { payload: bytes, ...rest } = envelope;
  const payload = Buffer.from(bytes);
  const shown = scopes.has('operate')
    ? {
        payload: payload.toString('base64'),
        ...(isUtf8(payload) ? { payloadText: payload.toString('utf8') } : {}),
      }
    : { payloadMasked: maskPayload(payload) };
  return { ...letter, envelope: { ...rest, ...shown } } as z.input<typeof deadLetterSchema>;
}
