/** A body that is masked, as the operations API answers it (`gateway/api/masked-payload.ts`), in one line. */
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

export { maskedPayloadSchema, maskedText };
