/** A replay, and what one would do, as the API tells of them. */
import { z } from 'zod';
import {
  REPLAY_STATES,
  type Replay,
  type ReplayPreview,
  type ReplayRequest,
} from '../../actors/replay/index.js';

const countSchema = z.number().min(0);

export const stateSchema = z.enum(REPLAY_STATES as readonly [Replay['state'], ...Replay['state'][]]);

const warningSchema = z.object({
  code: z.enum(['none', 'not-counted', 'payment', 'delayed', 'forced', 'pool-not-running']),
  detail: z.string(),
});

export const previewSchema = z
  .object({
    total: countSchema.nullable().meta({ description: 'Null when counting took too long' }),
    atLeast: z.boolean(),
    leftOut: z.object({ payment: countSchema, delayed: countSchema }),
    endpoints: z.array(
      z.object({ endpoint: z.string(), events: countSchema, oldest: z.number(), latest: z.number() }),
    ),
    effect: z.string(),
    warnings: z.array(warningSchema),
  })
  .meta({ id: 'ReplayPreview' });

export const replaySchema = z
  .object({
    id: z.string(),
    state: stateSchema,
    select: z.unknown().meta({ description: 'As it was asked for; a filter ends where the replay was made' }),
    to: z.string().nullable(),
    forced: z.boolean(),
    rate: z.int(),
    total: countSchema.nullable(),
    seen: countSchema.meta({ description: 'Events that were told or left out' }),
    told: countSchema,
    deliveries: countSchema,
    leftOut: z
      .record(z.string(), countSchema)
      .meta({ description: 'By reason: `payment`, `delayed`, `endpoint`, `body`, `damaged`, `unrouted`' }),
    perSecond: z.number().nullable().meta({ description: 'Events, while it runs' }),
    secondsLeft: z.number().nullable(),
    createdAt: z.number(),
    createdBy: z.string(),
    startedAt: z.number().nullable(),
    endedAt: z.number().nullable(),
    reason: z.string().nullable().meta({ description: 'Why it failed' }),
  })
  .meta({ id: 'Replay' });

export function previewJson(
  request: ReplayRequest,
  preview: ReplayPreview,
  poolMode: (actor: string) => string | undefined,
): z.input<typeof previewSchema> {
  const { summary, isAtLeast, leftOut } = preview;
  return {
    total: summary?.total ?? null,
    atLeast: isAtLeast,
    leftOut,
    endpoints: (summary?.endpoints ?? []).map(({ endpoint, events, oldest, latest }) => {
      return { endpoint, events, oldest, latest };
    }),
    effect: effectOf(request, preview),
    warnings: warningsOf(request, preview, poolMode),
  };
}

function effectOf({ target, forced }: ReplayRequest, { summary, isAtLeast, leftOut }: ReplayPreview): string {
  const left = leftOut.payment + leftOut.delayed;
  const many =
    summary === undefined ? 'The events' : `${isAtLeast ? 'At least ' : ''}${summary.total - left} events`;
  const where = target === undefined ? 'the actors of their routes' : target;
  const effects = forced
    ? 'Each may take effect a second time: the keys by which an actor knows them are others.'
    : 'What took effect before has no second one, with actors that keep to the deduplication key.';
  return `${many} are told to ${where}, of each key in the order of acceptance. ${effects}`;
}

function warningsOf(
  { target, forced }: ReplayRequest,
  { summary, leftOut }: ReplayPreview,
  poolMode: (actor: string) => string | undefined,
): z.input<typeof warningSchema>[] {
  const warnings: z.input<typeof warningSchema>[] = [];
  const warn = (code: z.input<typeof warningSchema>['code'], detail: string) =>
    warnings.push({ code, detail });
  if (summary === undefined)
    warn('not-counted', 'counting them took too long: how many there are is not known');
  if (summary?.total === 0) warn('none', 'no event is selected');
  if (leftOut.payment > 0) {
    const why = forced ? ', and cannot be forced' : '';
    warn(
      'payment',
      `${leftOut.payment} events of EMP are left out: payment has had them${why}. Another actor may be told them (to)`,
    );
  }
  if (leftOut.delayed > 0)
    warn('delayed', `${leftOut.delayed} events are left out: their time has not come yet`);
  if (forced)
    warn('forced', 'it is forced: effects come once more, and receivers of forwarded webhooks see new ids');
  const actor = target?.split(':')[0];
  const mode = actor === undefined ? undefined : poolMode(actor);
  if (actor !== undefined && mode !== 'running') {
    warn(
      'pool-not-running',
      mode === undefined
        ? `no pool of ${actor} runs on this node: if there is none in the cluster, the replay fails`
        : `the pool of ${actor} is ${mode}: what is told waits on the log until it runs`,
    );
  }
  return warnings;
}

export function replayJson(replay: Replay): z.input<typeof replaySchema> {
  const { id, state, selection, target, forced, rate, total, told, deliveries, leftOut, workedMs } = replay;
  const seen = told + Object.values(leftOut).reduce((sum, events) => sum + events, 0);
  const perSecond = workedMs < 1_000 ? null : (seen * 1_000) / workedMs;
  const isOpen = state === 'running' || state === 'waiting' || state === 'paused';
  const left = total === undefined || !isOpen ? null : Math.max(total - seen, 0);
  return {
    id,
    state,
    select: selection,
    to: target ?? null,
    forced,
    rate,
    total: total ?? null,
    seen,
    told,
    deliveries,
    leftOut,
    perSecond: perSecond === null ? null : Math.round(perSecond * 10) / 10,
    secondsLeft:
      left === null ? null : Math.ceil(left / (perSecond === null || perSecond === 0 ? rate : perSecond)),
    createdAt: replay.createdAt,
    createdBy: replay.createdBy,
    startedAt: replay.startedAt ?? null,
    endedAt: replay.endedAt ?? null,
    reason: replay.reason ?? null,
  };
}
