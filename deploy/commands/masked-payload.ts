/** A body as the operations API answers it, in one line: masked (`gateway/api/masked-payload.ts`), or whole (`revealed-payload.ts`). */
import { z } from 'zod';

const maskedPayloadSchema = z.object({
  bytes: z.number(),
  sha256: z.string(),
  fields: z.array(z.object({ name: z.string(), value: z.string(), masked: z.boolean() })).nullable(),
});

function maskedText({ bytes, sha256, fields }: z.output<typeof maskedPayloadSchema>): string {
  if (fields === null) return `${bytes} bytes, SHA-256 ${sha256}`;
  return fields.map(({ name, value, masked }) => `${name}=${masked ? '***' : value}`).join('&');
}

const revealedSchema = z.object({ id: z.string(), payload: z.base64(), payloadText: z.string().nullable() });

function revealedText({ payload, payloadText }: z.output<typeof revealedSchema>): string {
  return payloadText ?? payload;
}

export { maskedPayloadSchema, maskedText, revealedSchema, revealedText };
