/**
 * The replay actor: events that were handled before, told again to the actors of their routes, or to another actor. A key is a replay.
 *
 * It is woken once a second by a reminder, and works for a part of it: a page of events, their deliveries on the log, the cursor noted; then the next
 * page. So nothing that a replay is lives in memory:
 * - a crash or a drain goes on behind the cursor. What was told and not noted is told again, with the same deduplication keys, and has one effect (P3).
 * - `pause` and `cancel` write the row; the next page finds it so, within a second.
 * - of a key, events go in the order of acceptance, the next when the one before is on the log (P2). Live messages of the key go between them.
 *
 * | what may happen                                 | what it means                                                               |
 * |-------------------------------------------------|-----------------------------------------------------------------------------|
 * | the log is full, or ends; Postgres is away      | an outage: it waits, and goes on                                            |
 * | the store with archived bodies is away          | the same                                                                    |
 * | there is no such actor                          | `failed`, with the reason; nothing behind it is told                        |
 * | an endpoint is not known here                   | it may come yet: tried again for a while, then its events are left out      |
 * | another error                                   | tried again; the fifth in a row: `failed`                                   |
 *
 * A tick that could not do its work is done all the same: the next one comes, and an activation that failed would begin its pace anew.
 *
 * Effects. A delivery of a replay has the deduplication key of the first one: who had its effect has no second one. When it is forced, its key is the
 * replay's own (`handover.ts`): one effect more for each forced replay, however often that is interrupted.
 *
 * It sends of its own accord, so a log that is full for senders is full for it (`asSender`). A page of which some is on the log when it fills is told
 * again, as a smaller one: one that is larger than the room would never be noted, and fill the room again and again.
 */
import { type ActorContext, defineActor } from '../../runtime/actor.js';
import { causeOf, failureOf, fencedPartitionsOf } from '../../runtime/failure.js';
import type { Message } from '../../runtime/message.js';
import { LazyObjectStore } from '../../storage/objects/lazy-store.js';
import { createPool, type Pool } from '../../storage/postgres/pool.js';
import { isUuid } from '../../storage/uuid.js';
import { Payloads } from '../archive/payloads.js';
import { WebhookHandoverError } from '../webhook/errors.js';
import { handOver, tellBy } from '../webhook/handover.js';
import { Routes } from '../webhook/routes.js';
import { leftOutBefore } from './deliveries.js';
import { REMINDER, type ReplayMessage, TICK_MS, TYPE } from './message.js';
import { Pace } from './pace.js';
import { decidePage } from './page.js';
import { type EventPage, readPage } from './selection.js';
import { fillReplaySettings } from './settings.js';
import { goesOn } from './state.js';
import { type Progress, type Replay, ReplayStore } from './store.js';

export interface ReplayResources {
  readonly pool: Pool;
  readonly store: ReplayStore;
  readonly objects: LazyObjectStore;
  /** Of events, wherever they are. */
  readonly payloads: Payloads;
  /** Of the settings as they are now. */
  routes: Routes;
}

interface State {
  readonly pace: Pace;
  /** Since when endpoints are missing here. */
  missingSince: number | undefined;
  /** Since the last page. */
  failures: number;
  /** Events of a page: fewer after the log was full in the middle of one, all of which is told again. */
  pageMax: number;
}

type Context = ActorContext<State, ReplayResources, ReplayMessage>;

/** Of each second. The rest is for others of the thread, and for the next tick to come. */
const WORK_MS = 800;
const EVENTS_OF_PAGE_MAX = 500;
/** For the settings of an endpoint to come to this node. */
const MISSING_MS_MAX = 30_000;
const FAILURES_MAX = 5;
/** A reminder without a row: whoever makes the replay may be about to write it. */
const ROWLESS_MS_MAX = 60_000;

export default defineActor<ReplayMessage, State, ReplayResources>({
  type: TYPE,
  scope: 'key',

  open({ settings, logger }) {
    const filled = fillReplaySettings(settings);
    const { databaseUrl, connectionsMax, endpoints, fencedBy } = filled;
    const pool = createPool({ url: databaseUrl, connectionsMax, applicationName: 'tether-replay', logger });
    const objects = new LazyObjectStore(filled.objects, logger);
    return {
      pool,
      store: new ReplayStore(pool, fencedBy),
      objects,
      payloads: new Payloads(pool, () => objects.open(), logger),
      routes: new Routes(endpoints),
    };
  },

  configure,

  async close({ pool, objects }) {
    await Promise.all([pool.end(), objects.close()]);
  },

  state: () => ({ pace: new Pace(), missingSince: undefined, failures: 0, pageMax: EVENTS_OF_PAGE_MAX }),

  async receive(messages, context) {
    const { key, resources, reminders } = context;
    // Whoever said it may have put a reminder where no service knows of it yet.
    if (messages.some(({ body }) => body.type === 'go')) {
      await reminders.set(
        REMINDER,
        { afterMs: TICK_MS, everyMs: TICK_MS },
        { type: 'tick', at: context.now() },
      );
    }
    const replay = isUuid(key) ? await resources.store.get(key) : undefined;
    if (replay === undefined ? isLate(messages, context) : !goesOn(replay.state)) {
      await reminders.cancel(REMINDER);
    } else if (replay !== undefined) {
      await goOn(replay, context);
    }
  },
});

/** Between two batches: the endpoints as they are from now on. @throws TypeError, RouteError; then they stay as they were */
export function configure(resources: ReplayResources, settings: unknown): void {
  resources.routes = new Routes(fillReplaySettings(settings).endpoints);
}

function isLate(messages: readonly Message<ReplayMessage>[], context: Context): boolean {
  return messages.every(({ body }) => body.type === 'tick' && context.now() - body.at > ROWLESS_MS_MAX);
}

/** Throws of what it cannot do now nothing but that it may not: the next tick tries again, with the pace as it is. @throws FencedError */
async function goOn(replay: Replay, context: Context): Promise<void> {
  const { resources, state, logger } = context;
  const { store } = resources;
  try {
    if (replay.state === 'running' || (await store.begin(replay.id, context.epochs)))
      await work(replay, context);
  } catch (error) {
    if (fencedPartitionsOf(error).length > 0) throw error;
    const failure = failureOf(error);
    state.failures++;
    if (error instanceof WebhookHandoverError) state.pageMax = Math.max(1, Math.floor(state.pageMax / 4));
    if (failure === 'outage' || (failure === 'retryable' && state.failures < FAILURES_MAX)) {
      if (state.failures === 1) logger.warn({ replay: replay.id, err: error }, 'a replay waits');
      return;
    }
    logger.error({ replay: replay.id, err: error }, 'a replay failed');
    const { code, message } = causeOf(error);
    await store.become(replay.id, 'failed', `${code}: ${message}`);
  }
}

/** Page after page, until the time or the credit is used up, or it is over. */
async function work(replay: Replay, context: Context): Promise<void> {
  const { resources, state } = context;
  const { pace } = state;
  const begunAt = context.now();
  let workedMs = pace.look(begunAt, replay.rate);
  let { cursor } = replay;
  const isTimeOver = () => context.now() - begunAt >= WORK_MS;
  while (pace.credit > 0 && !isTimeOver()) {
    const limit = Math.min(pace.credit, state.pageMax);
    const page = await readPage(resources.pool, replay.selection, cursor, limit);
    const told = await tell(replay, page, cursor, context, isTimeOver);
    if (told === undefined) return;
    const progress = { ...told, workedMs };
    const now = await resources.store.progress({ id: replay.id, cursor }, progress, context.epochs);
    resources.routes.tell(context.logger, context.now());
    state.failures = 0;
    state.pageMax = Math.min(2 * state.pageMax, EVENTS_OF_PAGE_MAX);
    if (now !== 'running') return;
    workedMs = 0;
    cursor = progress.cursor;
  }
}

/** What a page comes to, when it is on the log; undefined: it has to wait, and nothing of it was told. */
async function tell(
  replay: Replay,
  page: EventPage,
  cursor: string | undefined,
  context: Context,
  isTimeOver: () => boolean,
): Promise<Omit<Progress, 'workedMs'> | undefined> {
  const { store, payloads, routes } = context.resources;
  const isMissing = page.events.some((event) => leftOutBefore(event, replay, routes) === 'endpoint');
  if (isMissing && mayStillCome(context)) return undefined;
  const decided = await decidePage(page, replay, { payloads, routes }, isTimeOver);
  // Bodies may have taken so long that it was told to stop meanwhile.
  if (isTimeOver() && (await store.get(replay.id))?.state !== 'running') return undefined;
  const { handovers, leftOut, isEnd } = decided;
  // No transaction is open meanwhile that would have to be kept alive.
  await handOver(handovers, tellBy(context.ref, { asSender: true }), async () => {});
  context.state.pace.spend(handovers.length);
  const deliveries = handovers.reduce((sum, { destinations }) => sum + destinations.length, 0);
  return { cursor: decided.cursor ?? cursor, told: handovers.length, deliveries, leftOut, isEnd };
}

/** Whether an endpoint that is missing may still come to this node: its settings are those of the cluster, and take a moment. */
function mayStillCome(context: Context): boolean {
  const { state } = context;
  state.missingSince ??= context.now();
  return context.now() - state.missingSince < MISSING_MS_MAX;
}
