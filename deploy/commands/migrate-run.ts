/** What `tether migrate` does. */
import { makeDirectory } from '../../storage/make-directory.js';
import { startEmbeddedPostgres } from '../../storage/postgres/embedded.js';
import { migrate } from '../../storage/postgres/migrate.js';
import { postgresDir } from '../data-dir.js';
import { createLogger } from '../logger.js';
import { type Environment, type Overrides, parseSettings } from '../settings.js';

/** The names of the migrations that were applied. @throws ConfigError, and what `storage/postgres` throws */
async function migrateDatabase(env: Environment, overrides: Overrides): Promise<readonly string[]> {
  const { databaseUrl, dataDir, logLevel } = parseSettings(env, overrides);
  const logger = createLogger({ level: logLevel, secrets: databaseUrl === undefined ? [] : [databaseUrl] });
  if (databaseUrl !== undefined) return (await migrate(databaseUrl, { logger })).applied;

  await makeDirectory(dataDir, 0o700);
  const server = await startEmbeddedPostgres({ dataDir: postgresDir(dataDir), logger });
  try {
    return (await migrate(server.url, { logger })).applied;
  } finally {
    await server.stop();
  }
}

export { migrateDatabase };
