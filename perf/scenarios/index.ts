/** All scenarios, in the order in which they run and are told of. */
import type { Scenario } from '../harness/scenario.js';
import { ack } from './ack.js';
import { ackRedis } from './ack-redis.js';
import { actors } from './actors.js';
import { backlog } from './backlog.js';
import { burst } from './burst.js';
import { cluster } from './cluster.js';
import { clusterBacklog } from './cluster-backlog.js';
import { e2e } from './e2e.js';
import { flood } from './flood.js';
import { knobs } from './knobs.js';
import { mixed } from './mixed.js';
import { observability } from './observability.js';
import { providers } from './providers.js';
import { slowPostgres } from './slow-postgres.js';
import { soak } from './soak.js';
import { storm } from './storm.js';
import { uploads } from './uploads.js';

export const SCENARIOS: readonly Scenario[] = [
  ack,
  ackRedis,
  e2e,
  burst,
  storm,
  slowPostgres,
  uploads,
  mixed,
  actors,
  cluster,
  providers,
  observability,
  knobs,
  backlog,
  clusterBacklog,
  flood,
  soak,
];
