/** A message's body for those who may look and not read: `actors/emp/mask.ts` says what of a notification is shown. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { maskNotification } from '../../actors/emp/mask.js';

export const maskedPayloadSchema = z
  .object({
    bytes: z.int(),
    sha256: z.string(),
    fields: z
      .array(z.object({ name: z.string(), value: z.string(), masked: z.boolean() }))
      .nullable()
      .meta({ description: 'In the order of the body; null when it is no notification that can be read' }),
  })
  .meta({ id: 'MaskedPayload' });

export function maskPayload(payload: Uint8Array): z.input<typeof maskedPayloadSchema> {
  const fields = maskNotification(payload);
  return {
    bytes: payload.length,
    sha256: createHash('sha256').update(payload).digest('hex'),
    fields: fields === undefined ? null : [...fields],
  };
}
