/** Of actors that keep bytes in the object store: where it is, as plain data for a thread. It may hold a secret. */
import { z } from 'zod';

export const objectSettings = z.discriminatedUnion('driver', [
  z.strictObject({ driver: z.literal('folder'), directory: z.string().min(1) }),
  z.strictObject({
    driver: z.literal('s3'),
    url: z.string().min(1),
    encryption: z.string().min(1).optional(),
  }),
]);
