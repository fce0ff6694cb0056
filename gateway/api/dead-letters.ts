/**
 * Dead letters over the operators' API. One in JSON is `StoredDeadLetter` of `runtime/stores/dead-letter.ts` with the payload as base64, and
 * as `payloadText` too when it is valid UTF-8.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type {
  DeadLetterFilter,
  DeadLetterStore,
  StoredDeadLetter,
} from '../../runtime/stores/dead-letter.js';
import { problem } from '../problem.js';
import { type ApiRoute, apiRoute } from './route.js';

export interface DeadLetterParts {
  readonly deadLetters: DeadLetterStore;
  /** Puts the message on the log again and marks the dead letter as replayed. False when there is none that waits. */
  replay(id: string): Promise<boolean>;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;
/** The longest actor or key to look for; longer ones do not exist. */
const FILTER_LENGTH_MAX = 512;

const NO_DEAD_LETTER = problem('not-found', 'there is no dead letter of this id');
const NOT_WAITING = problem('not-waiting', 'the dead letter has been replayed already');

const filterSchema = z.strictObject({
  actor: z.string().max(FILTER_LENGTH_MAX).optional(),
  key: z.string().max(FILTER_LENGTH_MAX).optional(),
  state: z.enum(['waiting', 'replayed', 'all']).default('all'),
  limit: z
    .string()
    .regex(/^[0-9]{1,4}$/)
    .transform(Number)
    .pipe(z.number().min(1).max(LIMIT_MAX))
    .default(LIMIT_DEFAULT),
});

const deadLetterSchema = z
  .object({
    envelope: z.object({
      id: z.string(),
      actor: z.string(),
      key: z.string(),
      dedupe: z.string(),
      receivedAt: z.number(),
      traceparent: z.string(),
      payload: z.string().meta({ description: 'base64' }),
      payloadText: z.string().optional(),
    }),
    cause: z.object({ code: z.string(), message: z.string(), stack: z.string().optional() }),
    attempts: z.int(),
    deadAt: z.number(),
    state: z.enum(['waiting', 'replayed']),
    replayedAt: z.number().optional(),
  })
  .meta({ id: 'DeadLetter' });
const idSchema = z.strictObject({ id: z.string() });

export function deadLetterRoutes({ deadLetters, replay }: DeadLetterParts): readonly ApiRoute[] {
  const tag = 'Dead letters';
  return [
    apiRoute({
      method: 'get',
      path: '/api/dead-letters',
      id: 'listDeadLetters',
      tag,
      summary: 'The dead letters that a filter selects, the oldest first',
      scope: 'read',
      query: filterSchema,
      answer: z.object({ deadLetters: z.array(deadLetterSchema), waiting: z.int() }),
      async work({ query: { state, limit, actor, key } }) {
        const filter: DeadLetterFilter = {
          ...(actor === undefined ? {} : { actor }),
          ...(key === undefined ? {} : { key }),
          ...(state === 'all' ? {} : { state }),
          limit,
        };
        const [letters, waiting] = await Promise.all([deadLetters.list(filter), deadLetters.count()]);
        return { deadLetters: letters.map(deadLetterJson), waiting };
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/dead-letters/{id}',
      id: 'getDeadLetter',
      tag,
      summary: 'One dead letter',
      scope: 'read',
      params: idSchema,
      answer: deadLetterSchema,
      async work({ params: { id } }) {
        const letter = await deadLetters.get(id);
        return letter === undefined ? NO_DEAD_LETTER : deadLetterJson(letter);
      },
    }),
    apiRoute({
      method: 'post',
      path: '/api/dead-letters/{id}/replay',
      id: 'replayDeadLetter',
      tag,
      summary: 'Puts the message on the log again',
      scope: 'operate',
      params: idSchema,
      answer: z.object({ id: z.string(), state: z.literal('replayed') }),
      problems: ['not-waiting', 'log-full', 'log-closed'],
      async work({ params: { id }, audit }) {
        if (await replay(id)) {
          await audit({ action: 'dead-letter.replay', target: id });
          return { id, state: 'replayed' as const };
        }
        return (await deadLetters.get(id)) === undefined ? NO_DEAD_LETTER : NOT_WAITING;
      },
    }),
  ];
}

function deadLetterJson({ envelope, ...letter }: StoredDeadLetter): z.input<typeof deadLetterSchema> {
  const payload = Buffer.from(envelope.payload);
  return {
    ...letter,
    envelope: {
      ...envelope,
      payload: payload.toString('base64'),
      ...(isUtf8(payload) ? { payloadText: payload.toString('utf8') } : {}),
    },
  } as z.input<typeof deadLetterSchema>;
}
