/**
 * Many dead letters at once: what would happen, replay, drop. A call that does not come to the end of its selection within its time answers
 * with how many are left, and whoever asks again goes on there.
 */
import { z } from 'zod';
import { ReplayBusyError } from '../../runtime/errors.js';
import type { ReplayManyResult } from '../../runtime/replay-many.js';
import type {
  DeadLetterSelection,
  DeadLetterStore,
  DeadLetterSummary,
} from '../../runtime/stores/dead-letter.js';
import { problem } from '../problem.js';
import { BULK_BYTES_MAX, bulkSchema, describeBulk, waitingOf } from './dead-letter-selection.js';
import { type ApiRoute, apiRoute } from './route.js';

export interface DeadLetterBulkParts {
  readonly deadLetters: Pick<DeadLetterStore, 'summary' | 'choose' | 'settle'>;
  /** @throws ReplayBusyError */
  replayMany(selection: DeadLetterSelection, msMax: number): Promise<ReplayManyResult>;
  /** Of the pool that runs here for that actor; undefined when there is none. */
  poolMode(actor: string): string | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Less than the 30 s after which clients and balancers give up. */
const MS_MAX = 25_000;
/** A replay or a drop takes at most so many at once. */
const LETTERS_MAX = 100_000;
const BATCH_LETTERS = 1_000;

const BUSY = problem(
  'replay-busy',
  'dead letters are being replayed on this node already; ask again when that is over',
);

const bulk = { tag: 'Dead letters', body: bulkSchema, bodyBytesMax: BULK_BYTES_MAX } as const;
const countSchema = z.int().min(0);

const previewSchema = z
  .object({
    at: z.number().meta({ description: 'As `to` of a filter it leaves out what dies from now on' }),
    total: countSchema,
    keys: countSchema,
    oldest: z.number().nullable(),
    latest: z.number().nullable(),
    actors: z.array(z.object({ actor: z.string(), count: countSchema, pool: z.string().nullable() })),
    codes: z.array(z.object({ code: z.string(), count: countSchema, atOnce: countSchema })),
    effect: z.object({ replay: z.string(), drop: z.string() }),
    warnings: z.array(
      z.object({
        code: z.enum(['none-waits', 'pool-not-running', 'lasting-cause', 'several-calls']),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'DeadLetterPreview' });

export function deadLetterBulkRoutes(parts: DeadLetterBulkParts): readonly ApiRoute[] {
  const { deadLetters, replayMany, poolMode, now } = parts;
  return [
    apiRoute({
      ...bulk,
      method: 'post',
      path: '/api/dead-letters/preview',
      id: 'previewDeadLetters',
      summary: 'What a replay or a drop of those that wait would do',
      scope: 'read',
      answer: previewSchema,
      async work({ body }) {
        const at = now();
        const summary = await deadLetters.summary(waitingOf(body));
        const actors = summary.actors.map(({ actor, count }) => ({
          actor,
          count,
          pool: poolMode(actor) ?? null,
        }));
        return {
          at,
          ...summary,
          oldest: summary.oldest ?? null,
          latest: summary.latest ?? null,
          codes: [...summary.codes],
          actors,
          effect: effectOf(summary),
          warnings: warningsOf(summary, actors),
        };
      },
    }),
    apiRoute({
      ...bulk,
      method: 'post',
      path: '/api/dead-letters/replay',
      id: 'replayDeadLetters',
      summary: 'Puts those that wait on the log again, of each key in the order of acceptance',
      scope: 'operate',
      answer: z.object({
        replayed: countSchema,
        failed: countSchema,
        failures: z.array(z.object({ id: z.string(), reason: z.string() })),
        left: countSchema,
        stopped: z.string().nullable().meta({ description: '`deadline`, or the code of what stopped it' }),
      }),
      problems: ['replay-busy'],
      async work({ body, audit }) {
        let result: ReplayManyResult;
        try {
          result = await replayMany(waitingOf(body), MS_MAX);
        } catch (error) {
          if (error instanceof ReplayBusyError) return BUSY;
          throw error;
        }
        const { replayed, failed, failures, left, stopped } = result;
        const after = { replayed, failed, left, stopped: stopped ?? null };
        await audit({ action: 'dead-letters.replay', target: describeBulk(body), after });
        return { ...after, failures: [...failures] };
      },
    }),
    apiRoute({
      ...bulk,
      method: 'post',
      path: '/api/dead-letters/drop',
      id: 'dropDeadLetters',
      summary: 'Gives up those that wait; they are kept, with who dropped them and when',
      scope: 'operate',
      answer: z.object({ dropped: countSchema, left: countSchema }),
      async work({ body, client, audit }) {
        const end = now() + MS_MAX;
        const marks = await deadLetters.choose(waitingOf(body), LETTERS_MAX + 1);
        let dropped = 0;
        let at = 0;
        while (at < Math.min(marks.length, LETTERS_MAX) && now() < end) {
          const batch = marks.slice(at, Math.min(at + BATCH_LETTERS, LETTERS_MAX));
          dropped += await deadLetters.settle(batch, { state: 'dropped', by: client.name });
          at += batch.length;
        }
        const after = { dropped, left: marks.length - at };
        await audit({ action: 'dead-letters.drop', target: describeBulk(body), after });
        return after;
      },
    }),
  ];
}

function effectOf({ total, keys }: DeadLetterSummary): { readonly replay: string; readonly drop: string } {
  const many = `${total} ${total === 1 ? 'message' : 'messages'} of ${keys} ${keys === 1 ? 'key' : 'keys'}`;
  return {
    replay: `${many} go back on the log, of each key in the order of acceptance. What took effect before has no second one.`,
    drop: `${many} will not be handled. They are kept as dropped, and are not replayed any more.`,
  };
}

function warningsOf(
  { total, codes }: DeadLetterSummary,
  actors: readonly { readonly actor: string; readonly pool: string | null }[],
): z.input<typeof previewSchema>['warnings'] {
  const warnings: z.input<typeof previewSchema>['warnings'] = [];
  if (total === 0) warnings.push({ code: 'none-waits', detail: 'no dead letter that is selected waits' });
  for (const { actor, pool } of actors) {
    if (pool === null || pool === 'running') continue;
    warnings.push({
      code: 'pool-not-running',
      detail: `the pool of ${actor} is ${pool}: what is replayed waits on the log until it runs`,
    });
  }
  for (const { code, count, atOnce } of codes) {
    if (atOnce === 0) continue;
    warnings.push({
      code: 'lasting-cause',
      detail: `${atOnce} of ${count} with ${code} died at their first delivery, as of a lasting failure: without a change they die again`,
    });
  }
  if (total > LETTERS_MAX) {
    warnings.push({
      code: 'several-calls',
      detail: `one call takes ${LETTERS_MAX}; ask again for the others`,
    });
  }
  return warnings;
}
