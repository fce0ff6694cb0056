/**
 * Hands webhooks over to the actors of their routes, by the log.
 *
 * It comes before the commit of their events: a crash between the two repeats it, and the other order would lose them. So a delivery may stand
 * on the log twice; its deduplication key is made of the event's, and the actor that is handed it has one effect of both (P3).
 *
 * Order (P2): of one key, the next goes only when the one before is on the log. Sent without waiting, the second could be taken and the first
 * refused, at the moment when a full log has room again. Different keys go side by side.
 *
 * What a refusal means:
 * - the log is full, away, or ends: `WebhookHandoverError`, an outage; all of it waits and is tried again
 * - there is no actor of that type: `UnknownActorError`, at once a dead letter that says so
 */
import type { ActorContext } from '../../runtime/actor.js';
import type { DurableOptions } from '../../runtime/actor-ref.js';
import { asError } from '../../runtime/failure.js';
import type { WebhookDelivery } from './delivery.js';
import { WebhookHandoverError } from './errors.js';
import type { Webhook } from './store.js';

export interface Handover extends Webhook {
  readonly destinations: readonly string[];
  /** Of one that is replayed. */
  readonly replay?: NonNullable<WebhookDelivery['replay']>;
}

/** Sends one; resolves when it is on the log. */
export type TellDurably = (
  actor: string,
  key: string,
  delivery: WebhookDelivery,
  options: { readonly dedupe: string; readonly traceparent: string },
) => Promise<unknown>;

/** On their way at once. */
const AT_ONCE_MAX = 128;
/** Of a log that takes nothing now, and of a process that ends. */
const WAITS: ReadonlySet<string> = new Set([
  'TETHER_LOG_FULL',
  'TETHER_LOG_CLOSED',
  'TETHER_ASK_TIMEOUT',
  'TETHER_MAILBOX_FULL',
  'TETHER_SYSTEM_MODE',
  'TETHER_THREAD_LOST',
  'TETHER_ACTIVATION_STOPPED',
]);

/** @param how `asSender` of who hands over what no message on the log asks for */
export function tellBy(ref: ActorContext['ref'], how: Pick<DurableOptions, 'asSender'> = {}): TellDurably {
  return (actor, key, delivery, options) => ref(actor, key).tellDurably(delivery, { ...options, ...how });
}

/**
 * @param pause called between two groups of sendings: the caller may have something to keep alive
 * @throws WebhookHandoverError, UnknownActorError
 */
export async function handOver(
  handovers: readonly Handover[],
  tell: TellDurably,
  pause: () => Promise<void>,
): Promise<void> {
  for (let rest = inWaves(handovers); rest.length > 0; rest = rest.slice(1)) {
    const wave = rest[0] ?? [];
    for (let at = 0; at < wave.length; at += AT_ONCE_MAX) {
      const sent = await Promise.allSettled(wave.slice(at, at + AT_ONCE_MAX).map((send) => send(tell)));
      const failed = sent.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw waitOrFail(failed.reason);
      await pause();
    }
  }
}

type Send = (tell: TellDurably) => Promise<unknown>;

/** In a wave a key of an actor is once: the n-th wave has the n-th message of each. */
function inWaves(handovers: readonly Handover[]): readonly (readonly Send[])[] {
  const waves: Send[][] = [];
  const counts = new Map<string, number>();
  for (const handover of handovers) {
    for (const destination of handover.destinations) {
      const [actor = destination, target] = destination.split(':');
      const key = keyOf(handover, target);
      const name = `${actor} ${key}`;
      const before = counts.get(name) ?? 0;
      counts.set(name, before + 1);
      waves[before] ??= [];
      waves[before].push((tell) =>
        tell(actor, key, deliveryOf(handover, target), optionsOf(handover, target)),
      );
    }
  }
  return waves;
}

/** Of one target, as of one actor, the messages of a key are in order. */
function keyOf({ webhook, key }: Webhook, target: string | undefined): string {
  const own = `${webhook.endpoint}:${key}`;
  return target === undefined ? own : `${target}:${own}`;
}

function optionsOf({ message, webhook, replay }: Handover, target: string | undefined) {
  const { dedupe, traceparent } = message;
  // No name of an endpoint or a target holds a colon or a slash: different events never share one.
  const forced = replay?.forced === true ? `replay/${replay.id}:` : '';
  const own = `${forced}${webhook.endpoint}:${dedupe}`;
  return { dedupe: target === undefined ? own : `${target}:${own}`, traceparent };
}

function deliveryOf(
  { message, webhook, key, replay }: Handover,
  target: string | undefined,
): WebhookDelivery {
  const { endpoint, provider, type, id, contentType, headers, body } = webhook;
  return {
    type: 'webhook',
    endpoint,
    provider,
    kind: type,
    key,
    id,
    receivedAt: message.receivedAt,
    contentType,
    headers,
    body,
    ...(target === undefined ? {} : { target }),
    ...(replay === undefined ? {} : { replay }),
  };
}

/** What a refusal of the log, or of what else the main thread does, is to its batch. */
export function waitOrFail(reason: unknown): Error {
  const error = asError(reason);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (!WAITS.has(code)) return error;
  return new WebhookHandoverError(`the log takes no deliveries now: ${error.message}`, { cause: error });
}
