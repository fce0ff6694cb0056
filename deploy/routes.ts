/** The routes of the operators' API of a node, made of its parts. */
import type { Payloads } from '../actors/archive/payloads.js';
import { PaymentEvents } from '../actors/payment/events.js';
import { EventReplays } from '../actors/replay/index.js';
import { Uploads } from '../actors/upload/uploads.js';
import {
  type ApiRoute,
  type AuditLog,
  auditRoutes,
  deadLetterBulkRoutes,
  deadLetterRoutes,
  type EndpointControl,
  endpointRoutes,
  eventRoutes,
  type LogLevels,
  logLevelRoutes,
  type PoolControl,
  poolRoutes,
  replayRoutes,
  type TargetView,
  targetRoutes,
  tokenRoutes,
  uploadListRoutes,
} from '../gateway/index.js';

import type { ActorSystem } from '../runtime/actor-system.js';
import type { Logger } from '../runtime/logger.js';
import { MessageIdSource } from '../runtime/message-id.js';
import type { DeadLetterStore } from '../runtime/stores/dead-letter.js';
import { createReminderStore, type Pool, type Tokens } from '../storage/postgres/index.js';

interface RoutedParts {
  readonly deadLetters: DeadLetterStore;
  readonly logLevels: LogLevels;
  readonly pool: Pool;
  readonly payloads: Payloads;
  readonly system: Pick<ActorSystem, 'ref' | 'replay' | 'replays' | 'stats'>;
  /** Undefined on a node that knows none. */
  readonly tokens: Tokens | undefined;
  readonly pools: PoolControl;
  readonly endpoints: EndpointControl;
  readonly targets: TargetView;
  readonly audit: AuditLog;
  readonly logger: Logger;
}

function nodeRoutes(parts: RoutedParts): readonly ApiRoute[] {
  const { deadLetters, logLevels, pool, payloads, system, tokens, pools, endpoints, targets, audit, logger } =
    parts;
  const ids = new MessageIdSource();
  const poolMode = (actor: string) => system.stats().actors.find((pool) => pool.actor === actor)?.mode;
  return [
    ...deadLetterRoutes({ deadLetters, replay: (id) => system.replay(id) }),
    ...deadLetterBulkRoutes({
      deadLetters,
      replayMany: (selection, msMax) => system.replays.many(selection, msMax),
      poolMode,
      now: Date.now,
    }),
    ...eventRoutes({ events: new PaymentEvents(pool), deadLetters, payloads }),
    ...replayRoutes({
      replays: new EventReplays({
        pool,
        reminders: createReminderStore(pool),
        tell: (id, message) => system.ref('replay', id).tellDurably(message),
        newId: () => ids.next(Date.now()),
        now: Date.now,
        logger,
      }),
      poolMode,
    }),
    ...poolRoutes(pools),
    ...endpointRoutes(endpoints),
    ...targetRoutes(targets),
    ...auditRoutes(audit),
    ...uploadListRoutes({ uploads: new Uploads(pool), now: Date.now }),
    ...logLevelRoutes(logLevels),
    ...(tokens === undefined ? [] : tokenRoutes(tokens, () => ids.next(Date.now()))),
  ];
}

export { nodeRoutes };
