/** `tether uploads list`: uploads of all clients, and how far each is. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import { addNodeOptions, wholeFrom } from './options.js';
import { columnsOf } from './table.js';
import type { UploadListFlags } from './uploads-run.js';

const LIMIT_MAX = 200;

function addUploadCommands(program: Command, env: Environment): void {
  const uploads = program.command('uploads').description('files that came in');
  addNodeOptions(uploads.command('list').description('list uploads of all clients, the latest first'))
    .option('--state <states>', 'only in these states, with commas between them')
    .option('--client <name>', 'only of this client')
    .option('--from <time>', 'created at this time or later: ISO 8601, or milliseconds')
    .option('--to <time>', 'created before this time')
    .option('--limit <number>', 'at most so many', wholeFrom(1, LIMIT_MAX), 50)
    .addHelpText('after', '\nExample:\n  $ tether uploads list --state receiving,processing\n')
    .action(async (flags: UploadListFlags) => {
      const { listUploads } = await import('./uploads-run.js');
      process.stdout.write(await listUploads(flags, env, columnsOf(process.stdout)));
    });
}

export { addUploadCommands };
