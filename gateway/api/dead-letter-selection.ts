/** Which dead letters a request means: the same words in a query and in a body. */
import { z } from 'zod';
import type { DeadLetterSelection } from '../../runtime/stores/dead-letter.js';
import { textSchema, timeSchema } from './paging.js';

export const selectionShape = {
  actor: textSchema.optional(),
  key: textSchema.optional(),
  endpoint: textSchema.optional(),
  code: textSchema.optional(),
  from: timeSchema.optional().meta({ description: 'When it died, inclusive' }),
  to: timeSchema.optional().meta({ description: 'When it died, exclusive' }),
};
type Given = z.output<z.ZodObject<typeof selectionShape>>;

const IDS_MAX = 1_000;
/** Of a body with so many ids. */
export const BULK_BYTES_MAX = 64 * 1024;

/** Exactly one of the two: nothing that is left out by mistake selects everything. */
export const bulkSchema = z.union([
  z.strictObject({ ids: z.array(z.string().max(100)).min(1).max(IDS_MAX) }),
  z.strictObject({ filter: z.strictObject(selectionShape) }),
]);
export type Bulk = z.output<typeof bulkSchema>;

export function selectionOf({ from, to, ...equal }: Given): DeadLetterSelection {
  const selection: { -readonly [Name in keyof DeadLetterSelection]: DeadLetterSelection[Name] } = {};
  if (equal.actor !== undefined) selection.actor = equal.actor;
  if (equal.key !== undefined) selection.key = equal.key;
  if (equal.endpoint !== undefined) selection.endpoint = equal.endpoint;
  if (equal.code !== undefined) selection.code = equal.code;
  if (from !== undefined) selection.deadFrom = from;
  if (to !== undefined) selection.deadBefore = to;
  return selection;
}

/** Those that wait: the others are done with. */
export function waitingOf(bulk: Bulk): DeadLetterSelection {
  const meant = 'ids' in bulk ? { ids: bulk.ids } : selectionOf(bulk.filter);
  return { ...meant, state: 'waiting' };
}

/** For the audit log. */
export function describeBulk(bulk: Bulk): string {
  return 'ids' in bulk ? `${bulk.ids.length} ids` : JSON.stringify(bulk.filter);
}
