/** The errors of webhooks behind the gateway. None quotes a value of a message. */
import { OutageError, PendingError, TetherError } from '../../runtime/errors.js';

/** The payload of a message is no webhook, or has a text that no column takes. */
export class WebhookMessageError extends TetherError {
  readonly code = 'TETHER_WEBHOOK_MESSAGE';
  readonly retryable = false;
}

/** This node has no endpoint of that name, and none has come in the time that a new one takes: it was removed. */
export class WebhookEndpointError extends TetherError {
  readonly code = 'TETHER_WEBHOOK_ENDPOINT';
  readonly retryable = false;
}

/** This node has no endpoint of that name yet: another node served it before this one was told of it. */
export class WebhookEndpointPendingError extends PendingError {
  readonly code = 'TETHER_WEBHOOK_ENDPOINT_PENDING';
}

/** A route cannot be used as it is written; the message says which, what is wrong, and where. */
export class RouteError extends TetherError {
  readonly code = 'TETHER_WEBHOOK_ROUTE';
  readonly retryable = false;
}

/**
 * The log does not take what goes to the actors of a route: it is full, or ends. Nothing is wrong with the message: it waits, for as long as
 * that takes.
 */
export class WebhookHandoverError extends OutageError {
  readonly code = 'TETHER_WEBHOOK_HANDOVER';
}
