/**
 * What the actors of a simulated node do: one transaction for each batch, as actors with effects in Postgres do it: the epochs first, then
 * deduplication rows and effects, then COMMIT. Some messages are poison, and some fail at first.
 */
import type { ActorDefinition } from '../../../runtime/actor.js';
import { TetherError } from '../../../runtime/errors.js';
import { holdEpochs } from '../../../storage/postgres/fence.js';
import { inTransaction, type Pool } from '../../../storage/postgres/pool.js';
import type { Dice } from './dice.js';
import { EFFECTS, type Effect } from './postgres-words.js';
import type { Process } from './process.js';

/** The first byte of a payload. */
export const KINDS = { plain: 0, poison: 1, flaky: 2 } as const;
export type Kind = keyof typeof KINDS;

class PoisonError extends TetherError {
  readonly code = 'TEST_POISON';
  readonly retryable = false;
}

class FlakyError extends TetherError {
  readonly code = 'TEST_FLAKY';
  readonly retryable = true;
}

export interface ActorOptions {
  readonly type: string;
  readonly scope: 'key' | 'thread';
  readonly batchMax: number;
  readonly slow: { readonly share: number; readonly msMax: number };
  readonly onBatch: () => void;
  readonly log: string;
  readonly node: string;
  readonly pool: Pool;
  readonly process: Process;
  readonly dice: Dice;
}

export function simulatedActor(options: ActorOptions): ActorDefinition {
  const { type, scope, batchMax, slow, onBatch, log, node, pool, process, dice } = options;
  const sleep = (ms: number) => new Promise<void>((resolve) => process.monotonic.after(ms, resolve));
  return {
    type,
    scope,
    batchMax,
    async receive(messages, { epochs }) {
      for (const { payload, attempt } of messages) {
        if (payload[0] === KINDS.poison) throw new PoisonError('this message is poison');
        if (payload[0] === KINDS.flaky && attempt < 3) throw new FlakyError('this message fails at first');
      }
      const epochOf = new Map(epochs.map(({ partition, epoch }) => [partition, epoch]));
      const effects = messages.map(({ key, dedupe, payload }): Effect => {
        const partition = payload[1] ?? 0;
        const epoch = epochOf.get(partition) ?? 0;
        return { actor: type, key, dedupe, partition, epoch, node, number: payload[2] ?? 0 };
      });
      onBatch();
      const isSlow = dice.chance(slow.share);
      // Before its transaction it holds up nobody else.
      const beforeIt = dice.chance(0.7);
      if (isSlow && beforeIt) await sleep(dice.between(1, slow.msMax));
      await inTransaction(pool, async (transaction) => {
        await holdEpochs(transaction, log, type, epochs);
        if (isSlow && !beforeIt) await sleep(dice.between(1, slow.msMax));
        await transaction.query(EFFECTS, [effects]);
      });
    },
  };
}
