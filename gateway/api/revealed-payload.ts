/** The whole body of a message, for who may read it; whoever answers with it has noted who asked. */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';

export const revealedSchema = z
  .object({
    id: z.string(),
    payload: z.string().meta({ description: 'base64' }),
    payloadText: z.string().nullable().meta({ description: 'Null when it is not UTF-8' }),
  })
  .meta({ id: 'RevealedPayload' });

export function revealed(id: string, bytes: Uint8Array): z.input<typeof revealedSchema> {
  const payload = Buffer.from(bytes);
  return {
    id,
    payload: payload.toString('base64'),
    payloadText: isUtf8(payload) ? payload.toString('utf8') : null,
  };
}
