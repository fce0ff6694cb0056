/**
 * Where webhooks are forwarded to, over the operators' API: to look at. Targets stand in the file of each node, and are changed there.
 *
 * Of a URL its origin is shown, of headers their names, of a secret a short digest: in all of them is what lets somebody in.
 */
import { z } from 'zod';
import { secretSchema } from './endpoints.js';
import { type ApiRoute, apiRoute } from './route.js';

const waitingSchema = z
  .object({
    /** Deliveries, of the 10,000 oldest of all targets. */
    count: z.int(),
    /** Whether there may be more. */
    more: z.boolean(),
    /** When the first attempt of the oldest was. */
    since: z.string(),
    /** When the next attempt of any is due. */
    dueAt: z.string(),
    /** How the latest attempt that failed ended; empty: none was made. */
    reason: z.string(),
  })
  .meta({ id: 'WaitingDeliveries' });

const targetSchema = z
  .object({
    name: z.string(),
    /** False: it was taken out of the file while deliveries wait for it. */
    known: z.boolean(),
    /** Empty of one that is not known. */
    origin: z.string(),
    secrets: z.array(secretSchema),
    /** Their names. */
    headers: z.array(z.string()),
    /** What else stands in its entry. */
    settings: z.record(z.string(), z.unknown()),
    /** Null: nothing waits. */
    waiting: waitingSchema.nullable(),
  })
  .meta({ id: 'Target' });

const listSchema = z.object({
  targets: z.array(targetSchema),
  /** False: Postgres is away, and nobody knows what waits. */
  waitingKnown: z.boolean(),
});

export type TargetState = z.input<typeof targetSchema>;
export type TargetList = z.input<typeof listSchema>;

export interface TargetView {
  /** By name. */
  list(): Promise<TargetList>;
}

export function targetRoutes(targets: TargetView): readonly ApiRoute[] {
  return [
    apiRoute({
      tag: 'Endpoints',
      method: 'get',
      path: '/api/targets',
      id: 'listTargets',
      summary: 'Where this node forwards webhooks to, and what waits for each',
      scope: 'read',
      answer: listSchema,
      work: () => targets.list(),
    }),
  ];
}
