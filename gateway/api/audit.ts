/** The audit log over the operators' API: who changed what, the latest first. It is only read here; `register.ts` writes it. */
import { z } from 'zod';
import { type ApiRoute, type AuditEntry, apiRoute } from './route.js';

export interface AuditLog {
  record(entry: AuditEntry): Promise<void>;
  /** The latest first. Without what is undefined; `before`: older than the entry of this id. */
  list(filter: {
    readonly client: string | undefined;
    readonly action: string | undefined;
    readonly from: number | undefined;
    readonly to: number | undefined;
    readonly before: number | undefined;
    readonly limit: number;
  }): Promise<readonly (AuditEntry & { readonly id: number })[]>;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
const WORD_CHARS_MAX = 200;

/** Milliseconds since the epoch, or a date and time of ISO 8601 with its zone. */
const moment = z
  .union([z.string().regex(/^\d{1,14}$/), z.iso.datetime({ offset: true })])
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)));

const entrySchema = z
  .object({
    id: z.int(),
    at: z.number(),
    client: z.string(),
    action: z.string(),
    target: z.string(),
    before: z.json(),
    after: z.json(),
  })
  .meta({ id: 'AuditEntry' });

export function auditRoutes(log: Pick<AuditLog, 'list'>): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'get',
      path: '/api/audit',
      id: 'listAudit',
      tag: 'Audit',
      summary: 'Who changed what, the latest first; `cursor` of an answer gives what is older',
      scope: 'read',
      query: z.strictObject({
        client: z.string().max(WORD_CHARS_MAX).optional(),
        action: z.string().max(WORD_CHARS_MAX).optional(),
        from: moment.optional(),
        to: moment.optional(),
        limit: z
          .string()
          .regex(/^\d{1,4}$/)
          .transform(Number)
          .pipe(z.number().min(1).max(LIMIT_MAX))
          .default(LIMIT_DEFAULT),
        cursor: z
          .string()
          .regex(/^\d{1,15}$/)
          .transform(Number)
          .optional(),
      }),
      answer: z.object({ entries: z.array(entrySchema), cursor: z.string().nullable() }),
      async work({ query: { client, action, from, to, limit, cursor } }) {
        const entries = await log.list({ client, action, from, to, before: cursor, limit });
        const last = entries.at(-1);
        return {
          entries: entries as z.input<typeof entrySchema>[],
          cursor: last === undefined || entries.length < limit ? null : String(last.id),
        };
      },
    }),
  ];
}
