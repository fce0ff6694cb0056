/** Dead letters over the operators' API, one by one; many at once are in `dead-letters-bulk.ts`. */
import { z } from 'zod';
import type { DeadLetterStore } from '../../runtime/stores/dead-letter.js';
import { problem } from '../problem.js';
import { deadLetterJson, deadLetterSchema } from './dead-letter-json.js';
import { selectionOf, selectionShape } from './dead-letter-selection.js';
import { cursorOf, cursorSchema, limitSchema, MILLISECONDS, UUID } from './paging.js';
import { revealed, revealedSchema } from './revealed-payload.js';
import { type ApiRoute, apiRoute } from './route.js';

export interface DeadLetterParts {
  readonly deadLetters: Pick<DeadLetterStore, 'list' | 'get' | 'count'>;
  /** Puts the message on the log again and marks the dead letter as replayed. False when there is none that waits. */
  replay(id: string): Promise<boolean>;
}

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1000;

const NO_DEAD_LETTER = problem('not-found', 'there is no dead letter of this id');
const NOT_WAITING = problem('not-waiting', 'the dead letter has been replayed or dropped already');

const filterSchema = z.strictObject({
  id: z.string().max(100).optional(),
  ...selectionShape,
  state: z.enum(['waiting', 'replayed', 'dropped', 'all']).default('all'),
  limit: limitSchema(LIMIT_DEFAULT, LIMIT_MAX),
  cursor: cursorSchema(MILLISECONDS, UUID),
});
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
      answer: z.object({
        deadLetters: z.array(deadLetterSchema),
        waiting: z.int(),
        next: z.string().nullable(),
      }),
      async work({ query: { id, state, limit, cursor, ...selection } }) {
        const filter = {
          ...selectionOf(selection),
          ...(id === undefined ? {} : { ids: [id] }),
          ...(state === 'all' ? {} : { state }),
          ...(cursor === undefined ? {} : { after: { deadAt: Number(cursor[0]), id: cursor[1] ?? '' } }),
          limit,
        };
        const [letters, waiting] = await Promise.all([deadLetters.list(filter), deadLetters.count()]);
        const last = letters.length < limit ? undefined : letters.at(-1);
        return {
          deadLetters: letters.map(deadLetterJson),
          waiting,
          next: last === undefined ? null : cursorOf(last.deadAt, last.envelope.id),
        };
      },
    }),
    apiRoute({
      method: 'get',
      path: '/api/dead-letters/{id}',
      id: 'getDeadLetter',
      tag,
      summary: 'One dead letter, its body masked',
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
      path: '/api/dead-letters/{id}/reveal',
      id: 'revealDeadLetter',
      tag,
      summary: 'The whole body of one dead letter; who asked is noted',
      scope: 'operate',
      params: idSchema,
      answer: revealedSchema,
      async work({ params: { id }, audit }) {
        const letter = await deadLetters.get(id);
        if (letter === undefined) return NO_DEAD_LETTER;
        await audit({ action: 'dead-letter.reveal', target: id });
        return revealed(id, letter.envelope.payload);
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
