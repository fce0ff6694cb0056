/** A message's body for those who may look and not read: `actors/emp/mask.ts` and `actors/webhook/mask.ts` say what is shown. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { maskNotification } from '../../actors/emp/mask.js';
import { maskWebhook } from '../../actors/webhook/mask.js';

export const maskedPayloadSchema = z
  .object({
    bytes: z.int(),
    sha256: z.string(),
    fields: z
      .array(z.object({ name: z.string(), value: z.string(), masked: z.boolean() }))
      .nullable()
      .meta({ description: 'In the order of the body; null when it is neither a notification nor JSON' }),
  })
  .meta({ id: 'MaskedPayload' });

export function maskPayload(payload: Uint8Array): z.input<typeof maskedPayloadSchema> {
  const fields = maskNotification(payload) ?? maskWebhook(payload);
  return {
    bytes: payload.length,
    sha256: createHash('sha256').update(payload).digest('hex'),
    fields: fields === undefined ? null : [...fields],
  };
}
