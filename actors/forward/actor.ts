/**
 * The forwarding actor: webhooks to the URL of a target, signed by Standard Webhooks.
 *
 * A key is `<target>:<endpoint>:<key>`. Its deliveries are made in their order, one at a time; the next goes when the one before was taken, or
 * is a dead letter. Different keys go side by side. A delivery is made at least once: over HTTP nobody can know whether one whose answer was lost took
 * effect. All deliveries of a message have the same `webhook-id`, by which the receiver tells.
 *
 * | a delivery                              | what becomes of it                                                              |
 * |-----------------------------------------|---------------------------------------------------------------------------------|
 * | nothing of its key waits                | it is tried at once; taken: done                                                |
 * | it fails, or its target rests           | it goes to the table `forwards`, with a reminder of its key: done with the log  |
 * | others of its key wait                  | it goes behind them                                                             |
 * | it is due                               | tried again, then those behind it                                               |
 * | a final answer, or its time is over     | a dead letter, and its key goes on                                              |
 *
 * Row first, then reminder, then the message is done: a crash between them repeats what is missing. A fresh activation that finds deliveries
 * without having set a reminder sets one. While Postgres is away everything waits on the log (`PostgresUnavailableError`).
 */
import { LRUCache } from 'lru-cache';
import { type ActorContext, defineActor } from '../../runtime/actor.js';
import { monotonicClock } from '../../runtime/clock.js';
import { asError, causeOf } from '../../runtime/failure.js';
import type { RawMessage } from '../../runtime/message.js';
import type { DeadLetterSink } from '../../runtime/stores/dead-letter.js';
import { createDeadLetterStore } from '../../storage/postgres/dead-letters.js';
import { createPool, type Pool } from '../../storage/postgres/pool.js';
import { nextAttemptMs } from './backoff.js';
import { systemResolve } from './connector.js';
import { checkedDelivery, deliveryOf, type ForwardMessage, targetOf } from './delivery.js';
import { ForwardExhaustedError, ForwardRefusedError } from './errors.js';
import { fillForwardSettings } from './settings.js';
import type { Attempt } from './target.js';
import { type FilledTarget, targetSchema } from './target-settings.js';
import { Targets } from './targets.js';
import { type Waiting, WaitingDeliveries } from './waiting.js';

export interface ForwardResources {
  readonly pool: Pool;
  readonly targets: Targets;
  readonly waiting: WaitingDeliveries;
  readonly deadLetters: DeadLetterSink;
  /** Deduplication keys of deliveries that were made, the recent ones: a handover that was repeated is not sent twice. */
  readonly recent: LRUCache<string, true>;
}

interface State {
  /** Whether deliveries of the key wait in the table. */
  waits: boolean;
  /** Whether there is a reminder for them, as far as this activation knows. */
  reminds: boolean;
}

type Context = ActorContext<State, ForwardResources, ForwardMessage>;

const TYPE = 'forward';
const REMINDER = 'due';
/** After that the rest of a key goes on in a call of its own. */
const CALL_MS_MAX = 60_000;
const UNKNOWN = 'there is no such target';
/** A target that is not known may come with the next settings: as long as others wait for theirs. */
const UNKNOWN_RETRY: FilledTarget['retry'] = targetSchema.shape.retry.parse({});

export default defineActor<ForwardMessage, State, ForwardResources>({
  type: TYPE,
  scope: 'key',
  batchMax: 1,
  group: targetOf,

  open({ settings, logger }) {
    const { databaseUrl, connectionsMax, targets, recentMax, fencedBy } = fillForwardSettings(settings);
    const pool = createPool({ url: databaseUrl, connectionsMax, applicationName: 'tether-forward', logger });
    return {
      pool,
      targets: new Targets(targets, {
        resolve: systemResolve,
        clock: monotonicClock,
        random: Math.random,
        logger,
      }),
      waiting: new WaitingDeliveries(pool, TYPE, fencedBy),
      deadLetters: createDeadLetterStore(pool),
      recent: new LRUCache({ max: recentMax }),
    };
  },

  configure,

  async close({ pool, targets }) {
    await targets.close();
    await pool.end();
  },

  async state(key, { resources }) {
    return { waits: (await resources.waiting.dueAt(key)) !== undefined, reminds: false };
  },

  async receive(messages, context) {
    for (const message of messages) {
      if (message.body.type === 'due') await deliverWaiting(context);
      else await deliver(message, context);
    }
  },
});

/** Between two batches: the targets as they are from now on. @throws TypeError; then they stay as they were */
function configure({ targets }: ForwardResources, settings: unknown): void {
  targets.replace(fillForwardSettings(settings).targets);
}

async function deliver(message: RawMessage & { readonly body: unknown }, context: Context): Promise<void> {
  const { resources, state, key } = context;
  const { waiting, recent } = resources;
  const delivery = checkedDelivery(key, message.body);
  const { dedupe, traceparent } = message;
  // Before the others of its key are looked at: one that was made does not wait behind them.
  if (recent.has(dedupe)) return;
  const since = context.now();
  if (state.waits) {
    await waiting.put(message, { attempts: 0, since, dueAt: since, reason: '' }, context.epochs);
    await remindOnce(context);
    return;
  }
  const attempt = await attemptOf({ delivery, dedupe, traceparent, attempt: 1 }, context);
  if (attempt.is === 'delivered') {
    recent.set(dedupe, true);
    return;
  }
  const next = nextOf(attempt, { attempts: 0, since }, context);
  if (next instanceof Error) throw next;
  await waiting.put(message, { ...next, since }, context.epochs);
  state.waits = true;
  await remind(next.dueAt, context);
}

/** One after the other, for as long as they are taken. */
async function deliverWaiting(context: Context): Promise<void> {
  const { resources, state, key } = context;
  const { waiting, recent } = resources;
  const begunAt = context.now();
  for (;;) {
    const first = await waiting.first(key);
    if (first === undefined) {
      state.waits = false;
      return;
    }
    if (first.dueAt > context.now() || context.now() - begunAt > CALL_MS_MAX) {
      await remind(first.dueAt, context);
      return;
    }
    const end = await attemptWaiting(first, context);
    if (end !== 'delivered' && !(end instanceof Error)) {
      await waiting.postpone(first.seq, end, context.epochs);
      await remind(end.dueAt, context);
      return;
    }
    if (end === 'delivered') recent.set(first.envelope.dedupe, true);
    else await bury(first, end, context);
    await waiting.remove(first.seq, context.epochs);
  }
}

type Next = Pick<Waiting, 'attempts' | 'dueAt'> & { readonly reason: string };

/** An error: of a delivery that is given up. */
async function attemptWaiting(first: Waiting, context: Context): Promise<'delivered' | Next | Error> {
  const { envelope, attempts } = first;
  const { dedupe, traceparent } = envelope;
  let delivery: ReturnType<typeof deliveryOf>;
  try {
    delivery = deliveryOf(envelope);
  } catch (error) {
    return asError(error);
  }
  const attempt = await attemptOf({ delivery, dedupe, traceparent, attempt: attempts + 1 }, context);
  return attempt.is === 'delivered' ? 'delivered' : nextOf(attempt, first, context);
}

type Outgoing = Parameters<NonNullable<ReturnType<Targets['get']>>['attempt']>[0];

async function attemptOf(outgoing: Outgoing, { resources, key, signal, logger }: Context): Promise<Attempt> {
  const name = targetOf(key);
  const target = resources.targets.get(name);
  const attempt: Attempt =
    target === undefined
      ? { is: 'failed', reason: UNKNOWN, askedMs: 0 }
      : await target.attempt(outgoing, signal);
  if (attempt.is === 'failed') {
    const { reason } = attempt;
    logger.info({ target: name, reason, attempt: outgoing.attempt }, 'a delivery failed, and waits');
  }
  return attempt;
}

/** What becomes of a delivery that was not made. */
function nextOf(
  attempt: Exclude<Attempt, { is: 'delivered' }>,
  { attempts, since }: Pick<Waiting, 'attempts' | 'since'>,
  context: Context,
): Next | Error {
  const name = targetOf(context.key);
  if (attempt.is === 'final') return new ForwardRefusedError(`target ${name} refused it: ${attempt.reason}`);
  const { retry } = context.resources.targets.get(name)?.settings ?? { retry: UNKNOWN_RETRY };
  const at = context.now();
  const failures = attempts + (attempt.is === 'failed' ? 1 : 0);
  const reason = attempt.is === 'failed' ? attempt.reason : 'the target rests, or has enough to do';
  const ms =
    attempt.is === 'failed'
      ? nextAttemptMs(failures, at - since, attempt.askedMs, retry, Math.random)
      : at - since > retry.totalSeconds * 1_000
        ? undefined
        : attempt.afterMs;
  if (ms === undefined) {
    return new ForwardExhaustedError(`target ${name} did not take it, ${failures} attempts: ${reason}`);
  }
  return { attempts: failures, dueAt: at + ms, reason };
}

/** Before its row goes: a crash between the two buries it again, as the same letter. */
async function bury({ envelope, attempts }: Waiting, error: Error, context: Context): Promise<void> {
  const cause = causeOf(error);
  const letter = { envelope, cause, attempts: attempts + 1, deadAt: context.now() };
  await context.resources.deadLetters.put([letter]);
  context.logger.error(
    { target: targetOf(context.key), id: envelope.id, cause: cause.message },
    'a delivery is a dead letter',
  );
}

async function remind(dueAt: number, context: Context): Promise<void> {
  const afterMs = Math.max(0, Math.ceil(dueAt - context.now()));
  await context.reminders.set(REMINDER, { afterMs }, { type: 'due' });
  context.state.reminds = true;
}

/** Of deliveries that an activation before this one left, in case it came to its end between row and reminder. */
async function remindOnce(context: Context): Promise<void> {
  if (context.state.reminds) return;
  const dueAt = await context.resources.waiting.dueAt(context.key);
  await remind(dueAt ?? context.now(), context);
}
