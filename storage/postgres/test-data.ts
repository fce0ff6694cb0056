/**
 * A migrated data directory for tests, made once for a run of the whole suite and copied for each test: `initdb` and the migrations take most of
 * a second of a core, a copy a tenth of it. A test that runs alone has none and makes its data from the beginning.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '../../runtime/logger.js';
import { startEmbeddedPostgres } from './embedded.js';
import { migrate } from './migrate.js';

/** Of the environment: where the directory is. */
export const TEST_DATA = 'TEST_POSTGRES_DATA';

/** @param dataDir made here; shut down in an orderly way, so that a copy has nothing to recover */
export async function makeTestData(dataDir: string): Promise<void> {
  const server = await startEmbeddedPostgres({ dataDir, logger: silentLogger });
  try {
    await migrate(server.url, { logger: silentLogger });
  } finally {
    await server.stop();
  }
}

/** @returns whether `dataDir`, which is not there yet, is a copy now; otherwise nothing was done */
export async function copyTestData(dataDir: string): Promise<boolean> {
  const made = process.env[TEST_DATA];
  if (made === undefined) return false;
  await mkdir(dirname(dataDir), { recursive: true });
  // With `cp` of Node it takes four times as long.
  await promisify(execFile)('cp', ['-a', made, dataDir]);
  return true;
}
