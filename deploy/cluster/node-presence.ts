/** A gateway node among the nodes of its cluster: seen by the others, and sees them. */
import { randomUUID } from 'node:crypto';
import { monotonicClock } from '../../runtime/clock.js';
import type { ClusterView } from '../../runtime/cluster/membership.js';
import { DEFAULT_POLICY } from '../../runtime/cluster/policy.js';
import { Presence } from '../../runtime/cluster/presence.js';
import type { Logger } from '../../runtime/logger.js';
import type { RedisClient } from '../../storage/redis/client.js';
import { RedisLeases } from '../../storage/redis-leases/leases.js';
import { openRedisClient } from './redis-client.js';

export interface NodePresenceOptions {
  readonly node: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly logger: Logger;
}

export class NodePresence {
  readonly #client: RedisClient;
  readonly #presence: Presence;

  constructor({ node, redisUrl, prefix, logger }: NodePresenceOptions) {
    this.#client = openRedisClient(redisUrl, { name: 'tether-presence', patience: 'fails-fast', logger });
    const incarnation = randomUUID();
    this.#presence = new Presence({
      node,
      incarnation,
      leases: new RedisLeases({
        client: this.#client,
        subscriber: this.#client,
        prefix,
        holder: `${node}/${incarnation}`,
        ttlMs: DEFAULT_POLICY.ttlMs,
      }),
      clock: monotonicClock,
      logger,
    });
    this.#presence.start();
  }

  /** Undefined before anything was heard. */
  view(): ClusterView | undefined {
    return this.#presence.view();
  }

  /** Never rejects. */
  async leave(): Promise<void> {
    await this.#presence.leave();
    this.#client.disconnect();
  }
}
