/**
 * What becomes of an event in a replay: deliveries to actors, or the reason why it is left out. Nothing is left out in silence: each is counted by
 * its reason. Of those that are left out whatever their bodies are, no body is fetched.
 *
 * | an event                                                | without a target      | to a target |
 * |---------------------------------------------------------|-----------------------|-------------|
 * | of EMP                                                  | left out: `payment`   | delivered   |
 * | whose time has not come (`delayed`)                     | left out: `delayed`   | as without  |
 * | of an endpoint that is not there any more               | left out: `endpoint`  | delivered   |
 * | whose body is gone                                      | left out: `body`      | as without  |
 * | whose body is not what was archived                     | left out: `damaged`   | as without  |
 * | that no route takes                                     | left out: `unrouted`  | delivered   |
 * | else                                                    | to the actors of its routes, as they are now | delivered |
 *
 * `payment` knows a message by its event, and the event is what is replayed: sent there again, each would be left out there. See decision 0034.
 */
import type { Handover } from '../webhook/handover.js';
import type { WebhookMessage } from '../webhook/message.js';
import type { Routes } from '../webhook/routes.js';
import type { Body } from './bodies.js';
import type { ReplayedEvent } from './selection.js';

export type LeftOut = 'payment' | 'delayed' | 'endpoint' | 'body' | 'damaged' | 'unrouted';

export interface HowReplayed {
  readonly id: string;
  readonly forced: boolean;
  /** An actor, or `forward:<target>`; undefined: the routes. */
  readonly target: string | undefined;
}

const FORM = 'application/x-www-form-urlencoded';

/** Why it is left out, whatever its body is; undefined: its body decides. */
export function leftOutBefore(
  { meta, status, endpoint }: ReplayedEvent,
  { target }: HowReplayed,
  routes: Pick<Routes, 'knows'>,
): LeftOut | undefined {
  if (meta === null && target === undefined) return 'payment';
  if (status === 'delayed') return 'delayed';
  if (target === undefined && !routes.knows(endpoint)) return 'endpoint';
  return undefined;
}

/** Of an event that is not left out before. */
export function replayOf(
  event: ReplayedEvent,
  body: Body,
  { id, forced, target }: HowReplayed,
  routes: Routes,
): Handover | LeftOut {
  if (typeof body === 'string') return body;
  const { key, dedupe, traceparent, receivedAt } = event;
  const webhook = webhookOf(event, body);
  const destinations = target === undefined ? routes.destinationsOf(webhook, key, event.id) : [target];
  if (destinations.length === 0) return 'unrouted';
  return {
    message: { id: event.id, dedupe, receivedAt, traceparent },
    webhook,
    key,
    destinations,
    replay: { id, forced },
  };
}

function webhookOf({ endpoint, kind, meta }: ReplayedEvent, body: Uint8Array): WebhookMessage {
  if (meta === null) {
    return { endpoint, provider: 'emp', type: kind, id: '', contentType: FORM, headers: {}, body };
  }
  const { provider, contentType, id, headers } = meta as Omit<WebhookMessage, 'endpoint' | 'type' | 'body'>;
  return { endpoint, provider, type: kind, id, contentType, headers, body };
}
