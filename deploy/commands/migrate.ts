/** `tether migrate`: bring the tables up to this version, and end. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import { overridesOf } from './options.js';

const HELP = `
Without TETHER_DATABASE_URL the embedded Postgres of the data directory is started, migrated and stopped. The URL of
the database holds a password and is therefore no option.

Example:
  $ TETHER_DATABASE_URL=postgres://... tether migrate
`;

function addMigrateCommand(program: Command, env: Environment): void {
  program
    .command('migrate')
    .description('bring the tables up to this version')
    .option('--data-dir <path>', 'directory of the embedded Postgres (TETHER_DATA_DIR)')
    .option('--log-level <level>', 'lowest level of the log on stderr (TETHER_LOG_LEVEL)')
    .addHelpText('after', HELP)
    .action(async (options: Record<string, string>) => {
      const { migrateDatabase } = await import('./migrate-run.js');
      const applied = await migrateDatabase(env, overridesOf(options));
      for (const name of applied) process.stdout.write(`applied ${name}\n`);
      if (applied.length === 0) process.stdout.write('nothing to apply\n');
    });
}

export { addMigrateCommand };
