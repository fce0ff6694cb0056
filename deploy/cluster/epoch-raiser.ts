/**
 * Raises epochs in Postgres, many partitions in one transaction: a node that joins takes over dozens at once, and each commit is a sync of
 * the disk. What is asked for while a transaction is under way goes with the next.
 *
 * An epoch that cannot be raised at once, for a transaction of the one before still holds it, is raised alone, so that the others do
 * not wait for it.
 */
import type { PartitionEpoch } from '../../runtime/actor.js';
import { FencedError } from '../../runtime/errors.js';
import {
  inTransaction,
  type Pool,
  PostgresConflictError,
  raiseEpochs,
} from '../../storage/postgres/index.js';

interface Raise extends PartitionEpoch {
  readonly actor: string;
  readonly raised: () => void;
  readonly failed: (error: unknown) => void;
}

/** For a row that another transaction holds, while others wait in the same transaction. */
const LOCK_MS_MAX = 50;

export class EpochRaiser {
  readonly #pool: Pool;
  readonly #log: string;
  #waiting: Raise[] = [];
  #isRaising = false;

  /** @param log its id */
  constructor(pool: Pool, log: string) {
    this.#pool = pool;
    this.#log = log;
  }

  /**
   * @throws FencedError (rejects) when it is as high or higher already: Redis has lost what it knew, or was overtaken; the next claim is higher
   * @throws what Postgres says
   */
  raise(actor: string, partition: number, epoch: number): Promise<void> {
    return new Promise((raised, failed) => {
      this.#waiting.push({ actor, partition, epoch, raised, failed });
      // Whoever asks in the same turn goes along.
      if (!this.#isRaising) {
        this.#isRaising = true;
        queueMicrotask(() => void this.#raiseWaiting());
      }
    });
  }

  async #raiseWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#raise(group, LOCK_MS_MAX);
      } catch (error) {
        if (!(error instanceof PostgresConflictError)) for (const { failed } of group) failed(error);
        else for (const one of group) this.#raise([one], 0).catch(one.failed);
      }
    }
    this.#isRaising = false;
  }

  /** @param lockMsMax 0: as long as a statement may take */
  async #raise(group: readonly Raise[], lockMsMax: number): Promise<void> {
    const higher = await inTransaction(this.#pool, async (transaction) => {
      await transaction.query(`SET LOCAL lock_timeout = ${lockMsMax}`);
      const found = new Set<Raise>();
      // One order for all, as within an actor: no deadlock.
      for (const actor of [...new Set(group.map((raise) => raise.actor))].sort()) {
        const raises = group.filter((raise) => raise.actor === actor);
        const refused = new Set(await raiseEpochs(transaction, this.#log, actor, raises));
        for (const raise of raises) if (refused.has(raise.partition)) found.add(raise);
      }
      return found;
    });
    for (const raise of group) {
      if (!higher.has(raise)) raise.raised();
      else
        raise.failed(
          new FencedError(`partition ${raise.partition} of ${raise.actor} was taken over meanwhile`, [
            raise.partition,
          ]),
        );
    }
  }
}
