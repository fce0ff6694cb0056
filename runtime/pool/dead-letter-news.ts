/** What is told of a message that is given up: a line of the log, and an event. */
import type { ActorEvent } from '../events.js';
import type { Logger } from '../logger.js';
import { traceFields } from '../traceparent.js';
import type { Dead } from '../worker-protocol.js';

export function tellDead(
  to: { readonly actor: string; readonly logger: Logger; readonly onEvent: (event: ActorEvent) => void },
  { envelope, cause, attempts }: Dead,
): void {
  const { actor, logger, onEvent } = to;
  const { id, key, traceparent } = envelope;
  const { code, message: reason } = cause;
  logger.error(
    { actor, id, ...traceFields(traceparent), code, reason, attempts },
    'a message is given up and becomes a dead letter',
  );
  onEvent({ kind: 'dead-letter', actor, key, id, cause, attempts });
}
