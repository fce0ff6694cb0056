/**
 * A dead letter in JSON: `StoredDeadLetter` of `runtime/stores/dead-letter.ts` with its payload masked, for everybody: what is read here is noted
 * nowhere.
 */
import { z } from 'zod';
import type { StoredDeadLetter } from '../../runtime/stores/dead-letter.js';
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
      payloadMasked: maskedPayloadSchema,
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

export function deadLetterJson({ envelope, ...letter }: StoredDeadLetter): z.input<typeof deadLetterSchema> {
  const { payload, ...rest } = envelope;
  const masked = { ...rest, payloadMasked: maskPayload(payload) };
  return { ...letter, envelope: masked } as z.input<typeof deadLetterSchema>;
}
