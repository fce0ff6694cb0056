/** What the smoke test reads of the answers of a node. Whatever else they have is no business of its. */
import { z } from 'zod';

export const statusSchema = z.looseObject({
  node: z.looseObject({ version: z.string() }),
  findings: z.array(z.looseObject({ code: z.string() })),
});

export const eventsSchema = z.looseObject({ events: z.array(z.looseObject({ id: z.string() })) });

export const uploadSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  counts: z.looseObject({ total: z.number(), invalid: z.number() }),
  failure: z.looseObject({ detail: z.string() }).nullable(),
});
