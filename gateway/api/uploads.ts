/** Uploads of all clients over the operators' API, with how far each is. */
import { z } from 'zod';
import { UPLOAD_STATES, type UploadState } from '../../actors/upload/model.js';
import type { Uploads } from '../../actors/upload/uploads.js';
import { uploadJson } from '../uploads/json.js';
import { cursorOf, cursorSchema, limitSchema, textSchema, timeSchema, UUID } from './paging.js';
import { type ApiRoute, apiRoute } from './route.js';

export interface UploadListParts {
  readonly uploads: Pick<Uploads, 'list'>;
  /** Milliseconds since the epoch. */
  now(): number;
}

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;

const statesSchema = z
  .string()
  .transform((text, context) => {
    const states = text.split(',');
    const known: readonly string[] = UPLOAD_STATES;
    if (states.every((state) => known.includes(state))) return states as UploadState[];
    context.addIssue(`one or several of ${UPLOAD_STATES.join(', ')}, with commas between them`);
    return z.NEVER;
  })
  .optional();

const count = z.number();
const time = z.string().nullable();
const uploadSchema = z
  .object({
    id: z.string(),
    state: z.enum(UPLOAD_STATES),
    filename: z.string(),
    mediaType: z.string().nullable(),
    bytes: count,
    bytesExpected: count.nullable(),
    sha256: z.string().nullable(),
    counts: z.object({ total: count, accepted: count, invalid: count, skipped: count }),
    processedBytes: count,
    rate: count.nullable().meta({ description: 'Rows a second' }),
    secondsLeft: count.nullable(),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    client: z.string(),
    via: z.string(),
    version: count,
    createdAt: z.string(),
    storedAt: time,
    startedAt: time,
    finishedAt: time,
    updatedAt: z.string(),
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Upload' });

export function uploadListRoutes({ uploads, now }: UploadListParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'get',
      path: '/api/uploads',
      id: 'listUploads',
      tag: 'Uploads',
      summary: 'Uploads of all clients, the latest first',
      scope: 'read',
      query: z.strictObject({
        state: statesSchema,
        client: textSchema.optional(),
        from: timeSchema.optional().meta({ description: 'When it was created, inclusive' }),
        to: timeSchema.optional().meta({ description: 'When it was created, exclusive' }),
        limit: limitSchema(LIMIT_DEFAULT, LIMIT_MAX),
        cursor: cursorSchema(UUID),
      }),
      answer: z.object({ uploads: z.array(uploadSchema), next: z.string().nullable() }),
      async work({ query: { state, client, from, to, limit, cursor } }) {
        // One more than asked for says whether there is another page.
        const found = await uploads.list({
          ...(state === undefined ? {} : { states: state }),
          ...(client === undefined ? {} : { owner: client }),
          ...(from === undefined ? {} : { createdFrom: new Date(from) }),
          ...(to === undefined ? {} : { createdBefore: new Date(to) }),
          ...(cursor?.[0] === undefined ? {} : { before: cursor[0] }),
          limit: limit + 1,
        });
        const page = found.slice(0, limit);
        const last = found.length > limit ? page.at(-1) : undefined;
        return {
          uploads: page.map((upload) => uploadJson(upload, now()) as z.input<typeof uploadSchema>),
          next: last === undefined ? null : cursorOf(last.id),
        };
      },
    }),
  ];
}
