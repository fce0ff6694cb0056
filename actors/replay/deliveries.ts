/**
 * What becomes of an event in a replay: deliveries to actors, or the reason why it is left out. Nothing is left out in silence: each is counted by
 * its reason.
 *
 * | an event                                                | without a target      | to a target |
 * |---------------------------------------------------------|-----------------------|-------------|
 * | of EMP                                                  | left out: `payment`   | delivered   |
 * | whose time has not come (`delayed`)                     | left out: `delayed`   | as without  |
 * | whose body is gone                                      | left out: `body`      | as without  |
 * | of an endpoint that is not there any more               | left out: `endpoint`  | delivered   |
 * | that no route takes                                     | left out: `unrouted`  | delivered   |
 * | else                                                    | to the actors of its routes, as they are now | delivered |
 *
 * `payment` knows a message by its event, and the event is what is replayed: sent there again, each would be left out there. See decision 0034.
 */
import { WebhookEndpointError } from '../webhook/errors.js';
import type { Handover } from '../webhook/handover.js';
import type { WebhookMessage } from '../webhook/message.js';
import type { Routes } from '../webhook/routes.js';
import type { ReplayedEvent } from './selection.js';

export type LeftOut = 'payment' | 'delayed' | 'body' | 'endpoint' | 'unrouted';

export interface HowReplayed {
  readonly id: string;
  readonly forced: boolean;
  /** An actor, or `forward:<target>`; undefined: the routes. */
  readonly target: string | undefined;
}

const FORM = 'application/x-www-form-urlencoded';

export function replayOf(
  event: ReplayedEvent,
  { id, forced, target }: HowReplayed,
  routes: Routes,
): Handover | LeftOut {
  const { meta, status, payload, key, dedupe, traceparent, receivedAt } = event;
  if (meta === null && target === undefined) return 'payment';
  if (status === 'delayed') return 'delayed';
  if (payload === null) return 'body';
  const webhook = webhookOf(event, payload);
  const destinations = target === undefined ? routed(webhook, event, routes) : [target];
  if (destinations === undefined) return 'endpoint';
  if (destinations.length === 0) return 'unrouted';
  return {
    message: { id: event.id, dedupe, receivedAt, traceparent },
    webhook,
    key,
    destinations,
    replay: { id, forced },
  };
}

/** Undefined: there is no such endpoint here. */
function routed(
  webhook: WebhookMessage,
  { key, id }: ReplayedEvent,
  routes: Routes,
): readonly string[] | undefined {
  try {
    return routes.destinationsOf(webhook, key, id);
  } catch (error) {
    if (error instanceof WebhookEndpointError) return undefined;
    throw error;
  }
}

function webhookOf({ endpoint, kind, meta }: ReplayedEvent, body: Uint8Array): WebhookMessage {
  if (meta === null) {
    return { endpoint, provider: 'emp', type: kind, id: '', contentType: FORM, headers: {}, body };
  }
  const { provider, contentType, id, headers } = meta as Omit<WebhookMessage, 'endpoint' | 'type' | 'body'>;
  return { endpoint, provider, type: kind, id, contentType, headers, body };
}
