/** The error for a payload of a webhook's message that cannot be read. It never quotes a value. */
import { TetherError } from '../../runtime/errors.js';

export class WebhookMessageError extends TetherError {
  readonly code = 'TETHER_WEBHOOK_MESSAGE';
  readonly retryable = false;
}
