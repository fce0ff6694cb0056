/**
 * What a node does with the partitions that it holds leases on: it claims them in the log and in Postgres, and hands them to its actors.
 *
 * The order of a take-over is that of P3: the log's epoch first (commits of the one before are refused), then Postgres's (its effects are, and
 * those under way are waited for), then the first message is read.
 */
import type { ActorSystem } from '../../runtime/actor-system.js';
import type { PartitionWork } from '../../runtime/cluster/agent.js';
import type { Pool } from '../../storage/postgres/index.js';
import type { RedisLog } from '../../storage/redis-log/redis-log.js';
import { EpochRaiser } from './epoch-raiser.js';

export interface WorkOptions {
  readonly log: RedisLog;
  readonly pool: Pool;
  readonly system: Pick<ActorSystem, 'adopt' | 'giveUp' | 'drop'>;
  /** Types of the actors that run here. */
  readonly actors: readonly string[];
}

export function partitionWork({ log, pool, system, actors }: WorkOptions): PartitionWork {
  const raiser = new EpochRaiser(pool, log.id);
  const partitionOf = (actor: string, index: number) => {
    const partition = log.open(actor)[index];
    if (partition === undefined) throw new RangeError(`the log has no partition ${index}`);
    return partition;
  };
  const abandon = (index: number) => {
    for (const actor of actors) log.abandon(partitionOf(actor, index));
  };
  return {
    async claim(index) {
      const claims = await Promise.allSettled(
        actors.map(async (actor) => {
          const epoch = await log.claim(partitionOf(actor, index));
          await raiser.raise(actor, index, epoch);
          return [actor, epoch] as const;
        }),
      );
      const epochs = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
      if (epochs.length === claims.length) return new Map(epochs);
      // What the log takes for ours it does not ask Redis about: it would never hear how far the next reader has come.
      abandon(index);
      throw claims.find((claim) => claim.status === 'rejected')?.reason;
    },

    adopt: (index, epochs) => system.adopt(index, (actor) => epochs.get(actor)),

    async giveUp(index, deadlineMs) {
      await system.giveUp(index, deadlineMs);
      const written = await Promise.allSettled(actors.map((actor) => log.leave(partitionOf(actor, index))));
      for (const each of written) if (each.status === 'rejected') throw each.reason;
    },

    drop(index) {
      system.drop(index);
      abandon(index);
    },
  };
}
