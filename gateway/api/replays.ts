/** Replays of events over the operators' API: what one would do, made, looked at, paused, resumed and cancelled. */
import { z } from 'zod';
import {
  type EventReplays,
  IDS_MAX,
  RATE_DEFAULT,
  RATE_MAX,
  type ReplayCommand,
  ReplayRefusedError,
  type ReplayRequest,
  ReplayStateError,
  ReplaysFullError,
} from '../../actors/replay/index.js';
import { type Answer, jsonAnswer, noStore } from '../answer.js';
import { problem } from '../problem.js';
import { cursorOf, cursorSchema, limitSchema, textSchema, timeSchema, UUID } from './paging.js';
import { previewJson, previewSchema, replayJson, replaySchema, stateSchema } from './replay-json.js';
import { type ApiRoute, apiRoute } from './route.js';

export interface ReplayRouteParts {
  readonly replays: Pick<EventReplays, 'preview' | 'create' | 'get' | 'list' | 'command'>;
  /** Of the pool that runs here for that actor; undefined when there is none. */
  poolMode(actor: string): string | undefined;
}

/** Of a body with so many ids. */
const BODY_BYTES_MAX = 64 * 1024;
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 200;

const NO_REPLAY = problem('not-found', 'there is no replay of this id');

const tag = 'Replays';

const filterSchema = z.strictObject({
  endpoint: textSchema.optional(),
  kind: textSchema.optional(),
  key: textSchema.optional().meta({ description: 'Alone, or behind `<endpoint>:`' }),
  status: textSchema.optional(),
  from: timeSchema.optional().meta({ description: 'Of acceptance, inclusive' }),
  to: timeSchema.optional().meta({ description: 'Of acceptance, exclusive' }),
});
const requestShape = {
  /** Exactly one of the two. */
  select: z
    .union([
      z.strictObject({ ids: z.array(z.uuid()).min(1).max(IDS_MAX) }),
      z.strictObject({ filter: filterSchema }),
    ])
    .meta({ description: 'Which events: by their ids, or all that a filter selects' }),
  to: textSchema
    .optional()
    .meta({ description: 'An actor, or `forward:<target>`; without it the routes of each endpoint' }),
  forced: z.boolean().default(false).meta({ description: 'Effects may come a second time' }),
};
const requestSchema = z.strictObject(requestShape);

export function replayRoutes({ replays, poolMode }: ReplayRouteParts): readonly ApiRoute[] {
  const idSchema = z.strictObject({ id: z.string() });
  const command = (name: ReplayCommand, summary: string) =>
    apiRoute({
      method: 'post',
      path: `/api/replays/{id}/${name}`,
      id: `${name}Replay`,
      tag,
      summary,
      scope: 'operate',
      params: idSchema,
      answer: replaySchema,
      problems: ['replay-state'],
      work: ({ params: { id }, audit }) =>
        orRefused(async () => {
          const done = await replays.command(id, name);
          if (done === undefined) return NO_REPLAY;
          const { before, after } = done;
          await audit({
            action: `replay.${name}`,
            target: id,
            before: { state: before.state },
            after: { state: after.state },
          });
          return replayJson(after);
        }),
    });
  return [
    apiRoute({
      method: 'post',
      path: '/api/replays/preview',
      id: 'previewReplay',
      tag,
      summary: 'What a replay of events would do',
      scope: 'read',
      body: requestSchema,
      bodyBytesMax: BODY_BYTES_MAX,
      answer: previewSchema,
      problems: ['replay-not-allowed'],
      work: ({ body }) =>
        orRefused(async () => {
          const request = requestOf(body);
          return previewJson(request, await replays.preview(request), poolMode);
        }),
    }),
    apiRoute({
      method: 'post',
      path: '/api/replays',
      id: 'createReplay',
      tag,
      summary: 'Replays events: tells them again, in order of acceptance, at a rate',
      scope: 'operate',
      status: 201,
      body: z.strictObject({
        ...requestShape,
        rate: z
          .int()
          .min(1)
          .max(RATE_MAX)
          .default(RATE_DEFAULT)
          .meta({ description: 'Events a second, at most' }),
      }),
      bodyBytesMax: BODY_BYTES_MAX,
      answer: replaySchema,
      problems: ['replay-not-allowed', 'too-many-replays'],
      work: ({ body, client, audit }) =>
        orRefused(async () => {
          const replay = await replays.create({ ...requestOf(body), rate: body.rate, by: client.name });
          const { to, forced, rate, total } = replayJson(replay);
          const after = { select: describe(body.select), to, forced, rate, total };
          await audit({ action: 'replay.create', target: replay.id, after });
          return noStore(jsonAnswer(replayJson(replay), '201 Created'));
        }),
    }),
    apiRoute({
      method: 'get',
      path: '/api/replays',
      id: 'listReplays',
      tag,
      summary: 'The replays of events, the newest first',
      scope: 'read',
      query: z.strictObject({
        state: stateSchema.optional(),
        limit: limitSchema(LIMIT_DEFAULT, LIMIT_MAX),
        cursor: cursorSchema(UUID),
      }),
      answer: z.object({ replays: z.array(replaySchema), next: z.string().nullable() }),
      async work({ query: { state, limit, cursor } }) {
        const found = await replays.list(state === undefined ? undefined : [state], cursor?.[0], limit);
        const last = found.length < limit ? undefined : found.at(-1);
        return { replays: found.map(replayJson), next: last === undefined ? null : cursorOf(last.id) };
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/replays/{id}',
      id: 'getReplay',
      tag,
      summary: 'One replay, and how far it is',
      scope: 'read',
      params: idSchema,
      answer: replaySchema,
      async work({ params: { id } }) {
        const replay = await replays.get(id);
        return replay === undefined ? NO_REPLAY : replayJson(replay);
      },
    }),
    command('pause', 'Tells nothing more until it is resumed'),
    command('resume', 'Goes on where it was paused'),
    command('cancel', 'Ends it; what was told stays told'),
  ];
}

async function orRefused<T>(work: () => Promise<T>): Promise<T | Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ReplayRefusedError) return problem('replay-not-allowed', error.message);
    if (error instanceof ReplayStateError) return problem('replay-state', error.message);
    if (error instanceof ReplaysFullError) return problem('too-many-replays', error.message);
    throw error;
  }
}

type Given = Pick<z.output<typeof requestSchema>, 'select' | 'to' | 'forced'>;

function requestOf({ select, to, forced }: Given): ReplayRequest {
  return { selection: selectionOf(select), target: to, forced };
}

function selectionOf(select: Given['select']): ReplayRequest['selection'] {
  if ('ids' in select) return select;
  const { key, ...rest } = select.filter;
  // No endpoint's name has a colon.
  const colon = key?.indexOf(':') ?? -1;
  return {
    filter: {
      ...(colon > 0 ? { endpoint: key?.slice(0, colon) ?? '' } : {}),
      ...rest,
      ...(key === undefined ? {} : { key: key.slice(colon > 0 ? colon + 1 : 0) }),
    },
  };
}

/** For the audit log. */
function describe(select: Given['select']): unknown {
  return 'ids' in select ? `${select.ids.length} ids` : select.filter;
}
