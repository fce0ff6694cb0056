/**
 * Pools over the operators' API: what holds, what the file says, and changes while they work.
 *
 * Settings, pause and resume are saved: they hold for every node of a cluster, within two seconds, and after a restart. A drain is of the
 * node that is asked, and of this life of it: it begins with the answer, and whoever waits for its end looks at the pool's mode.
 */
import { z } from 'zod';
import { PoolRequestError } from '../../runtime/errors.js';
import type { Answer } from '../answer.js';
import { problem } from '../problem.js';
import { type ApiRoute, apiRoute } from './route.js';
import { poolSettings } from './status-schema.js';

const range = z.object({ min: z.int(), max: z.int() });

const poolSchema = z
  .object({
    actor: z.string(),
    mode: z.enum(['running', 'paused', 'draining', 'drained', 'stopped']),
    threads: z.int(),
    /** Threads come or go, or partitions move. */
    resizing: z.boolean(),
    inFlight: z.int(),
    done: z.int(),
    delayMs: z.number(),
    outage: z.string().nullable(),
    settings: z.object({ current: poolSettings, file: poolSettings, differs: z.boolean() }),
    /** What each setting may be. */
    allowed: z.object({ min: range, max: range, batchMax: range, lingerMs: range, inFlightMax: range }),
    /** Null: nothing was set, and the pool is not paused. */
    saved: z.object({ paused: z.boolean(), changedAt: z.string(), changedBy: z.string() }).nullable(),
  })
  .meta({ id: 'Pool' });

const changeSchema = z
  .strictObject({
    min: z.int().optional(),
    max: z.int().optional(),
    batchMax: z.int().optional(),
    lingerMs: z.int().optional(),
    inFlightMax: z.int().optional(),
  })
  .refine((change) => Object.keys(change).length > 0);

export type PoolState = z.input<typeof poolSchema>;
export type PoolSettingsChange = z.output<typeof changeSchema>;

/** Each answer is how the pool is after it. */
export interface PoolControl {
  /** @throws PostgresUnavailableError while the node waits for what its actors need to start */
  list(): readonly PoolState[];
  /** @throws PoolRequestError when one is not allowed; and what Postgres throws: then nothing is changed */
  change(actor: string, change: PoolSettingsChange, by: string): Promise<PoolState>;
  /** Back to the file. */
  reset(actor: string, by: string): Promise<PoolState>;
  pause(actor: string, by: string): Promise<PoolState>;
  resume(actor: string, by: string): Promise<PoolState>;
  /** @throws PoolRequestError when it drains already */
  drain(actor: string, deadlineMs: number): PoolState;
}

const DRAIN_MS_MAX = 3_600_000;
const DRAIN_MS_DEFAULT = 30_000;

const NO_POOL = problem('not-found', 'no pool of this actor runs on this node');

function notAllowed(allowed: PoolState['allowed']): Answer {
  const ranges = Object.entries(allowed).map(([name, { min, max }]) => `${name} ${min} to ${max}`);
  return problem('setting-not-allowed', `allowed is ${ranges.join(', ')}, and min not over max`);
}

export function poolRoutes(pools: PoolControl): readonly ApiRoute[] {
  const about = { tag: 'Pools', answer: poolSchema } as const;
  const params = z.strictObject({ actor: z.string() });
  const find = (actor: string) => pools.list().find((pool) => pool.actor === actor);
  const pauses = (verb: 'pause' | 'resume', summary: string) =>
    apiRoute({
      ...about,
      method: 'post',
      path: `/api/pools/{actor}/${verb}`,
      id: `${verb}Pool`,
      summary,
      scope: 'operate',
      params,
      async work({ params: { actor }, client, audit }) {
        const before = find(actor);
        if (before === undefined) return NO_POOL;
        const after = await pools[verb](actor, client.name);
        await audit({
          action: `pool.${verb}`,
          target: actor,
          before: { mode: before.mode },
          after: { mode: after.mode },
        });
        return after;
      },
    });
  return [
    apiRoute({
      ...about,
      method: 'get',
      path: '/api/pools',
      id: 'listPools',
      summary: 'The pools of this node',
      scope: 'read',
      answer: z.object({ pools: z.array(poolSchema) }),
      work: () => ({ pools: [...pools.list()] }),
    }),
    apiRoute({
      ...about,
      method: 'get',
      path: '/api/pools/{actor}',
      id: 'getPool',
      summary: 'One pool',
      scope: 'read',
      params,
      work: ({ params: { actor } }) => find(actor) ?? NO_POOL,
    }),
    apiRoute({
      ...about,
      method: 'put',
      path: '/api/pools/{actor}',
      id: 'changePool',
      summary: 'Changes settings of a pool on every node; what is left out stays',
      scope: 'operate',
      params,
      body: changeSchema,
      problems: ['setting-not-allowed'],
      async work({ params: { actor }, body, client, audit }) {
        const before = find(actor);
        if (before === undefined) return NO_POOL;
        let after: PoolState;
        try {
          after = await pools.change(actor, body, client.name);
        } catch (error) {
          if (error instanceof PoolRequestError) return notAllowed(before.allowed);
          throw error;
        }
        await audit({
          action: 'pool.change',
          target: actor,
          before: before.settings.current,
          after: after.settings.current,
        });
        return after;
      },
    }),
    apiRoute({
      ...about,
      method: 'delete',
      path: '/api/pools/{actor}/settings',
      id: 'resetPool',
      summary: 'Takes the settings of a pool back to those of the file, on every node',
      scope: 'operate',
      params,
      async work({ params: { actor }, client, audit }) {
        const before = find(actor);
        if (before === undefined) return NO_POOL;
        const after = await pools.reset(actor, client.name);
        await audit({
          action: 'pool.reset',
          target: actor,
          before: before.settings.current,
          after: after.settings.current,
        });
        return after;
      },
    }),
    pauses('pause', 'Sends nothing more to a pool, on every node, until it is resumed'),
    pauses('resume', 'Lets a pool go on that was paused or drained, on every node'),
    apiRoute({
      ...about,
      method: 'post',
      path: '/api/pools/{actor}/drain',
      id: 'drainPool',
      summary: 'Pauses a pool on this node until what is in flight is done; begins with the answer',
      scope: 'operate',
      params,
      body: z.strictObject({ deadlineMs: z.int().min(1).max(DRAIN_MS_MAX).default(DRAIN_MS_DEFAULT) }),
      problems: ['drains-already'],
      async work({ params: { actor }, body: { deadlineMs }, audit }) {
        const before = find(actor);
        if (before === undefined) return NO_POOL;
        let after: PoolState;
        try {
          after = pools.drain(actor, deadlineMs);
        } catch (error) {
          if (error instanceof PoolRequestError) return problem('drains-already', 'the pool drains already');
          throw error;
        }
        await audit({
          action: 'pool.drain',
          target: actor,
          before: { mode: before.mode },
          after: { mode: after.mode, deadlineMs },
        });
        return after;
      },
    }),
  ];
}
