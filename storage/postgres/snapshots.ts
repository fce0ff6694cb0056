/**
 * Snapshots in Postgres: the table of migration 0003, behind the runtime's `SnapshotStore`. Each call is one statement, durable
 * when it is answered.
 */
import { FencedError } from '../../runtime/errors.js';
import { assertSnapshot, type Snapshot, type SnapshotStore } from '../../runtime/stores/snapshot.js';
import { recordId } from '../record-id.js';
import { escapeNul, toBytea, unescapeNul } from './columns.js';
import type { Pool } from './pool.js';

const SAVE = `
  INSERT INTO snapshots (owner, actor, key, version, state, log, log_partition, log_offset)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (owner) DO UPDATE SET
    version = excluded.version, state = excluded.state,
    log = excluded.log, log_partition = excluded.log_partition, log_offset = excluded.log_offset, saved_at = now()`;

/**
 * The same, unless another process has the partition by now: its epoch is looked at and held until this is saved. One that nobody has raised
 * yet is nobody's.
 */
const SAVE_FENCED = `
  WITH held AS MATERIALIZED (
    SELECT epoch FROM partition_epochs WHERE log = $9 AND actor = $10 AND partition = $11 FOR SHARE
  )
  INSERT INTO snapshots AS s (owner, actor, key, version, state, log, log_partition, log_offset)
  SELECT $1::bytea, $2, $3, $4::bigint, $5::bytea, $6, $7::integer, $8::bigint
  WHERE NOT EXISTS (SELECT FROM held WHERE epoch <> $12)
  ON CONFLICT (owner) DO UPDATE SET
    version = excluded.version, state = excluded.state,
    log = excluded.log, log_partition = excluded.log_partition, log_offset = excluded.log_offset, saved_at = now()`;

const LOAD = `SELECT version, state, log, log_partition, log_offset FROM snapshots WHERE owner = $1`;

interface Row {
  readonly version: string;
  readonly state: Buffer;
  readonly log: string | null;
  readonly log_partition: number | null;
  readonly log_offset: string | null;
}

/**
 * `close` leaves the pool to who made it.
 * @throws the store's promises reject with the errors of `toPostgresError`
 */
export function createSnapshotStore(pool: Pool): SnapshotStore {
  return {
    async load(actor, key) {
      const { rows } = await pool.query<Row>(LOAD, [recordId(actor, key)]);
      return rows[0] && fromRow(rows[0]);
    },

    async save(actor, key, snapshot, fence) {
      assertSnapshot(snapshot);
      const { version, state, position } = snapshot;
      const values = [
        recordId(actor, key),
        escapeNul(actor),
        escapeNul(key),
        version,
        toBytea(state),
        position === undefined ? null : escapeNul(position.log),
        position?.partition ?? null,
        position?.offset ?? null,
      ];
      if (fence === undefined) {
        await pool.query(SAVE, values);
        return;
      }
      const { log, partition, epoch } = fence;
      const { rowCount } = await pool.query(SAVE_FENCED, [...values, log, actor, partition, epoch]);
      if (rowCount === 0)
        throw new FencedError(`another node reads partition ${partition} of ${actor}`, [partition]);
    },

    async delete(actor, key) {
      await pool.query('DELETE FROM snapshots WHERE owner = $1', [recordId(actor, key)]);
    },

    async close() {},
  };
}

function fromRow({ version, state, log, log_partition, log_offset }: Row): Snapshot {
  const position =
    log === null || log_partition === null || log_offset === null
      ? undefined
      : { log: unescapeNul(log), partition: log_partition, offset: Number(log_offset) };
  return { version: Number(version), state, position };
}
