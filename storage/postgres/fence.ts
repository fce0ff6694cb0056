/**
 * Fencing: a node that has lost a partition without noticing (it was paused, or cut off) must not write any more.
 *
 * Who takes a partition over raises its epoch here before it reads the first message. Who writes what a message does, checks the epoch in the
 * same transaction, and holds it until that ends: a take-over waits for what is being committed, and what begins later finds another epoch.
 */
import type { PartitionEpoch } from '../../runtime/actor.js';
import { FencedError } from '../../runtime/errors.js';
import type { Queryable } from './pool.js';

/** Holds the epochs of one call of `receive`, in a transaction of it. */
export type HoldEpochs = (transaction: Queryable) => Promise<void>;

/** Both go through the rows in the order of partitions, so that they wait for one another instead of forming a deadlock. */
const RAISE = `
INSERT INTO partition_epochs AS e (log, actor, partition, epoch)
SELECT $1, $2, o.partition, o.epoch FROM unnest($3::int[], $4::bigint[]) AS o (partition, epoch) ORDER BY o.partition
ON CONFLICT (log, actor, partition) DO UPDATE SET epoch = excluded.epoch WHERE e.epoch < excluded.epoch
RETURNING partition`;

const HOLD = `
SELECT e.partition FROM partition_epochs e
JOIN unnest($3::int[], $4::bigint[]) AS o (partition, epoch) ON e.partition = o.partition AND e.epoch = o.epoch
WHERE e.log = $1 AND e.actor = $2
ORDER BY e.partition
FOR SHARE OF e`;

/**
 * Makes these epochs the ones that count. Waits for transactions that hold earlier ones.
 * @returns the partitions whose epoch is as high or higher already: somebody else took them over later
 */
export async function raiseEpochs(
  connection: Queryable,
  log: string,
  actor: string,
  epochs: readonly PartitionEpoch[],
): Promise<readonly number[]> {
  const { rows } = await connection.query<{ partition: number }>(RAISE, [log, actor, ...columnsOf(epochs)]);
  const raised = new Set(rows.map(({ partition }) => partition));
  return epochs.map(({ partition }) => partition).filter((partition) => !raised.has(partition));
}

/**
 * Holds the epochs until the transaction ends. The first thing in it, before any other row is locked: so whoever raises an epoch waits for
 * nobody who waits for him.
 * @param epochs `context.epochs` of the messages whose effects the transaction writes
 * @throws FencedError one of them does not count any more, or there is none: nobody knows then whose the messages are
 */
export async function holdEpochs(
  transaction: Queryable,
  log: string,
  actor: string,
  epochs: readonly PartitionEpoch[],
): Promise<void> {
  if (epochs.length === 0) throw new FencedError(`messages of ${actor} came without an epoch`, []);
  const { rows } = await transaction.query<{ partition: number }>(HOLD, [log, actor, ...columnsOf(epochs)]);
  if (rows.length === epochs.length) return;
  const held = new Set(rows.map(({ partition }) => partition));
  const lost = epochs.map(({ partition }) => partition).filter((partition) => !held.has(partition));
  throw new FencedError(`another node reads partition ${lost.join(', ')} of ${actor}`, lost);
}

function columnsOf(epochs: readonly PartitionEpoch[]): readonly (readonly number[])[] {
  return [epochs.map(({ partition }) => partition), epochs.map(({ epoch }) => epoch)];
}
