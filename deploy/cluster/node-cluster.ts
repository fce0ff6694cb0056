/** A node's part in the cluster, put together: the leases in Redis, the agent, the work. */
import { randomUUID } from 'node:crypto';
import type { ActorSystem } from '../../runtime/actor-system.js';
import { monotonicClock } from '../../runtime/clock.js';
import { type AgentStats, ClusterAgent } from '../../runtime/cluster/agent.js';
import { DEFAULT_POLICY } from '../../runtime/cluster/policy.js';
import type { Logger } from '../../runtime/logger.js';
import { createPool, type Pool } from '../../storage/postgres/index.js';
import type { RedisClient } from '../../storage/redis/client.js';
import { RedisLeases } from '../../storage/redis-leases/leases.js';
import type { RedisLog } from '../../storage/redis-log/redis-log.js';
import { partitionWork } from './partition-work.js';
import { openRedisClient } from './redis-client.js';

export interface NodeClusterOptions {
  /** Unlike that of any other node, and the same after a restart. */
  readonly node: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly log: RedisLog;
  /** Runs. */
  readonly system: ActorSystem;
  readonly logger: Logger;
}

const CONNECTIONS_MAX = 4;
/** A take-over waits for what the one before is committing; one that stands still is cut off, and the claim is made again. */
const RAISE_MS_MAX = 2_000;

export class NodeCluster {
  readonly #clients: readonly RedisClient[];
  readonly #pool: Pool;
  readonly #agent: ClusterAgent;

  /** Joins the cluster. */
  constructor({ node, redisUrl, databaseUrl, log, system, logger }: NodeClusterOptions) {
    const client = openRedisClient(redisUrl, { name: 'tether-leases', patience: 'fails-fast', logger });
    const subscriber = openRedisClient(redisUrl, {
      name: 'tether-lease-news',
      patience: 'subscribes',
      logger,
    });
    this.#clients = [client, subscriber];
    this.#pool = createPool({
      url: databaseUrl,
      connectionsMax: CONNECTIONS_MAX,
      applicationName: 'tether-cluster',
      logger,
      statementMsMax: RAISE_MS_MAX,
    });
    const incarnation = randomUUID();
    const actors = system.stats().actors.map(({ actor }) => actor);
    this.#agent = new ClusterAgent({
      node,
      incarnation,
      partitions: log.partitions,
      leases: new RedisLeases({
        client,
        subscriber,
        prefix: log.prefix,
        holder: `${node}/${incarnation}`,
        ttlMs: DEFAULT_POLICY.ttlMs,
      }),
      work: partitionWork({ log, pool: this.#pool, system, actors }),
      clock: monotonicClock,
      logger,
    });
    for (const actor of actors) {
      for (const partition of log.open(actor)) partition.onLost = () => this.#agent.lost(partition.index);
    }
    system.events.listen((event) => {
      if (event.kind === 'fenced') for (const partition of event.partitions) this.#agent.lost(partition);
    });
    this.#agent.start();
  }

  stats(): AgentStats {
    return this.#agent.stats();
  }

  /** Gives all partitions to the other nodes, in order; the actors run until it has resolved. Never rejects. */
  async leave(deadlineMs: number): Promise<void> {
    await this.#agent.leave(deadlineMs);
    for (const client of this.#clients) client.disconnect();
    await this.#pool.end();
  }
}
