/**
 * A Postgres for one test: embedded, migrated, gone with the test.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../runtime/logger.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.js';
import { migrate } from './migrate.js';
import { createPool, type Pool } from './pool.js';
import { copyTestData } from './test-data.js';

/** The part of tap's `t` that is used. */
export interface TestScope {
  teardown(work: () => Promise<void>): void;
}

export interface TestPostgres {
  readonly url: string;
  readonly pool: Pool;
  readonly server: EmbeddedPostgres;
  /** Of the server: to stop it and start it again on the same data. */
  readonly dataDir: string;
}

/** Takes one to three seconds when a file runs alone: start one for a file of tests, not one for each test. */
export async function startTestPostgres(
  t: TestScope,
  options: { readonly connectionsMax?: number; readonly migrated?: boolean } = {},
): Promise<TestPostgres> {
  const root = await mkdtemp(join(tmpdir(), 'tether-postgres-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const dataDir = join(root, 'data');
  const migrated = options.migrated !== false;
  const copied = migrated && (await copyTestData(dataDir));
  const server = await startEmbeddedPostgres({ dataDir, logger: silentLogger });
  t.teardown(() => server.stop());
  const pool = createPool({
    url: server.url,
    connectionsMax: options.connectionsMax ?? 4,
    applicationName: 'tether test',
    logger: silentLogger,
  });
  t.teardown(() => pool.end());
  if (migrated && !copied) await migrate(pool, { logger: silentLogger });
  return { url: server.url, pool, server, dataDir };
}
