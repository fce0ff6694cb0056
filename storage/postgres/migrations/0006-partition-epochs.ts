import type { Migration } from './migration.js';

/**
 * Of each partition of a log with many nodes, the epoch of its reader: whoever writes what a message does, checks in the same transaction that
 * it is still his (`fence.ts`). One row for each partition of each actor type.
 */
export const partitionEpochs: Migration = {
  version: 6,
  name: 'partition-epochs',
  sql: `
    CREATE TABLE partition_epochs (
      -- The log's identity: another log has other epochs.
      log uuid NOT NULL,
      actor text COLLATE "C" NOT NULL,
      partition integer NOT NULL,
      epoch bigint NOT NULL,
      PRIMARY KEY (log, actor, partition)
    ) WITH (
      -- Small, and changed again and again.
      fillfactor = 50
    );
  `,
};
