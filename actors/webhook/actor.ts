/**
 * The webhook actor: webhooks of any sender in, events and deliveries to other actors out.
 *
 * A batch is one transaction: begin, ask which messages are known, write their events, hand them over to the actors of their routes, commit. Each
 * has its one event because the event's primary key commits with it (P3); its deliveries are on the log before the commit, so that none is
 * lost (P4), and carry a key by which a second one has no effect. What is known to be done is left out before, by a bounded memory of the
 * thread, and, where there are many nodes, by one in Redis.
 *
 * | what may happen                                  | what it means                                                             |
 * |--------------------------------------------------|---------------------------------------------------------------------------|
 * | a message cannot be read                         | `WebhookMessageError`: the batch is split until it stands alone; dead letter |
 * | the node has no such endpoint yet                | `WebhookEndpointPendingError`: its key waits, for ten seconds               |
 * | the node has no such endpoint any more           | `WebhookEndpointError`: a dead letter                                       |
 * | there is no such actor                           | `UnknownActorError`: a dead letter                                          |
 * | the log is full, or ends                         | `WebhookHandoverError`: an outage, it waits                                 |
 * | the commit is lost, or its answer                | all of it again: events decide what is new, deliveries come twice           |
 * | another worker wrote the same event              | `PostgresConflictError`: the next try finds it known                        |
 *
 * A webhook of an endpoint with a delay is kept as `delayed`, with a reminder of its key that is there before the commit. When it comes, the
 * event is locked, handed over as any other, and moves on. A reminder without its event (its commit was lost, and the message comes again with
 * another one), or of an event that has moved on, does nothing.
 */
import { LRUCache } from 'lru-cache';
import { type ActorContext, defineActor, type PartitionEpoch, type Reminders } from '../../runtime/actor.js';
import type { Logger } from '../../runtime/logger.js';
import type { RawMessage } from '../../runtime/message.js';
import { holdEpochs } from '../../storage/postgres/fence.js';
import { createPool, inTransaction, type Pool, type Queryable } from '../../storage/postgres/pool.js';
import { openRecentKeys } from '../../storage/redis-idempotency/open.js';
import type { RecentKeys } from '../../storage/redis-idempotency/recent-keys.js';
import { type Delayed, Delays } from './delays.js';
import { type Handover, handOver, type TellDurably, tellBy } from './handover.js';
import { type Arrived, type Due, messageKey, readBatch } from './incoming.js';
import { Routes } from './routes.js';
import { fillWebhookSettings } from './settings.js';
import { endDelay, lockDelayed, selectNew, type Webhook, type WebhookStatus, writeEvents } from './store.js';
import { UnknownEndpoints } from './unknown-endpoints.js';

export interface WebhookResources {
  readonly pool: Pool;
  /** `messageKey`s of messages whose event is committed, the recent ones. */
  readonly recent: LRUCache<string, true>;
  /** The same, of all nodes. */
  readonly shared: RecentKeys | undefined;
  /** Of the settings as they are now. */
  routes: Routes;
  readonly unknown: UnknownEndpoints;
  readonly delays: Delays;
  /** Identity of the log, when many nodes read it. */
  readonly fencedBy: string | undefined;
}

const TYPE = 'webhook';
const BATCH_MAX = 500;
/** As of the payment actor: nobody waits for it, and a transaction costs the same for one message as for a hundred. */
const LINGER_MS = 20;
/** A transaction in which nothing is asked for 5 s is ended by the server. */
const SILENT_MS_MAX = 1_000;

export default defineActor<unknown, undefined, WebhookResources>({
  type: TYPE,
  scope: 'thread',
  batchMax: BATCH_MAX,
  lingerMs: LINGER_MS,

  async open({ settings, logger }) {
    const filled = fillWebhookSettings(settings);
    const { databaseUrl, connectionsMax, idempotencyEntriesMax, fencedBy, endpoints, unknownMsMax } = filled;
    const { redisUrl, redisPrefix: prefix, redisEntriesMax: entriesMax } = filled;
    const shared = await openRecentKeys(redisUrl, { prefix, entriesMax, logger });
    return {
      pool: createPool({ url: databaseUrl, connectionsMax, applicationName: 'tether-webhook', logger }),
      recent: new LRUCache({ max: idempotencyEntriesMax }),
      shared,
      routes: new Routes(endpoints),
      unknown: new UnknownEndpoints(unknownMsMax),
      delays: new Delays(),
      fencedBy,
    };
  },

  configure,

  close({ pool, shared }) {
    shared?.close();
    return pool.end();
  },

  async receive(messages, context) {
    await handleWebhooks(messages, context.resources, outsideOf(context));
  },
});

/** Between two batches: the endpoints as they are from now on. @throws TypeError, RouteError; then they stay as they were */
export function configure(resources: WebhookResources, settings: unknown): void {
  const routes = new Routes(fillWebhookSettings(settings).endpoints);
  resources.routes = routes;
  for (const name of routes.names) resources.unknown.known(name);
}

/** What the actor needs of the runtime. */
export interface Outside {
  readonly epochs: readonly PartitionEpoch[];
  readonly logger: Logger;
  now(): number;
  readonly tell: TellDurably;
  remindersOf(key: string): Pick<Reminders, 'set'>;
}

function outsideOf(context: ActorContext): Outside {
  return {
    epochs: context.epochs,
    logger: context.logger,
    now: () => context.now(),
    tell: tellBy(context.ref),
    remindersOf: (key) => context.remindersOf(key),
  };
}

export async function handleWebhooks(
  messages: readonly RawMessage[],
  resources: WebhookResources,
  outside: Outside,
): Promise<void> {
  const { pool, recent, shared, routes, unknown, delays, fencedBy } = resources;
  const read = readBatch(messages, recent);
  const arrivedKeys = [...read].flatMap(([key, { is }]) => (is === 'arrived' ? [key] : []));
  const known = arrivedKeys.length === 0 ? undefined : await shared?.known(arrivedKeys);
  for (const key of known ?? []) {
    recent.set(key, true);
    read.delete(key);
  }
  if (read.size === 0) return;
  const batch = [...read.values()];

  await inTransaction(pool, async (client) => {
    if (fencedBy !== undefined) await holdEpochs(client, fencedBy, TYPE, outside.epochs);
    const found = await findWork(client, batch);
    for (const { webhook } of found)
      if (!routes.knows(webhook.endpoint)) throw unknown.errorOf(webhook.endpoint, outside.now());
    const decided = found.map((work) => decide(work, routes));
    const isNew = ({ isDue }: Decided) => !isDue;
    if (decided.some(isNew)) await writeEvents(client, decided.filter(isNew));
    if (!decided.every(isNew))
      await endDelay(
        client,
        decided.filter((each) => !isNew(each)),
      );
    const delayed = decided.filter(({ delayMs }) => delayMs > 0);
    await delays.set(delayed, outside.now(), outside.remindersOf);
    await handOver(decided, outside.tell, keepAlive(client, outside));
  });
  // Only now: a message remembered before its commit would be taken for done if the commit failed.
  const done = [...read].flatMap(([key, { is }]) => (is === 'arrived' ? [key] : []));
  for (const key of done) recent.set(key, true);
  // Nobody waits for it: when it is lost, Postgres knows.
  if (done.length > 0) void shared?.remember(done);
  routes.tell(outside.logger, outside.now());
}

interface Work extends Webhook {
  /** Its time has come: it has an event. */
  readonly isDue: boolean;
}

interface Decided extends Work, Handover, Delayed {
  readonly status: WebhookStatus;
}

/** What of a batch is to be done, in its order. */
async function findWork(client: Queryable, batch: readonly (Arrived | Due)[]): Promise<readonly Work[]> {
  const arrived = batch.filter((each): each is Arrived => each.is === 'arrived');
  const due = batch.filter((each): each is Due => each.is === 'due');
  const fresh = new Set(arrived.length === 0 ? [] : await selectNew(client, arrived));
  const delayed = due.length === 0 ? undefined : await lockDelayed(client, due);
  return batch.flatMap((each): readonly Work[] => {
    if (each.is === 'arrived') return fresh.has(each) ? [{ ...each, isDue: false }] : [];
    const event = delayed?.get(messageKey(each.endpoint, each.dedupe));
    return event === undefined ? [] : [{ ...event, isDue: true }];
  });
}

function decide(work: Work, routes: Routes): Decided {
  const { webhook, key, message, isDue } = work;
  const delayMs = isDue ? 0 : routes.delayMsOf(webhook.endpoint);
  if (delayMs > 0) return { ...work, status: 'delayed', destinations: [], delayMs };
  const destinations = routes.destinationsOf(webhook, key, message.id);
  return { ...work, status: destinations.length === 0 ? 'unrouted' : 'routed', destinations, delayMs };
}

function keepAlive(client: Queryable, { now }: Outside): () => Promise<void> {
  let askedAt = now();
  return async () => {
    if (now() - askedAt < SILENT_MS_MAX) return;
    await client.query('SELECT');
    askedAt = now();
  };
}
