/**
 * The snapshots of Postgres for a worker thread: a module for `loadSnapshotStore`. It has connections of its own, which
 * `close` closes; the database must be migrated.
 */
import { silentLogger } from '../../runtime/logger.js';
import type { SnapshotStore } from '../../runtime/stores/snapshot.js';
import { createPool } from './pool.js';
import { createSnapshotStore } from './snapshots.js';

export interface SnapshotsModuleSettings {
  readonly databaseUrl: string;
  /** Of one thread; default 2. */
  readonly connectionsMax?: number;
}

const CONNECTIONS_MAX = 2;

/**
 * Opens no connection yet.
 * @throws TypeError the settings are none; it does not say what they are, for they may hold a password
 */
export default function openSnapshots(settings: unknown): SnapshotStore {
  const { databaseUrl, connectionsMax = CONNECTIONS_MAX } = Object(settings) as Partial<
    Record<keyof SnapshotsModuleSettings, unknown>
  >;
  if (typeof databaseUrl !== 'string' || databaseUrl === '') {
    throw new TypeError('the settings of the snapshots of Postgres are { databaseUrl, connectionsMax? }');
  }
  if (typeof connectionsMax !== 'number' || !Number.isInteger(connectionsMax) || connectionsMax < 1) {
    throw new TypeError('connectionsMax of the snapshots of Postgres is a number from 1');
  }
  const pool = createPool({
    url: databaseUrl,
    connectionsMax,
    applicationName: 'tether snapshots',
    logger: silentLogger,
  });
  return { ...createSnapshotStore(pool), close: () => pool.end() };
}
