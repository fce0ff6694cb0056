/** `tether audit`: who changed what on a running node, or on any node that shares its Postgres. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import type { AuditFlags } from './audit-run.js';
import { addNodeOptions, wholeFrom } from './options.js';
import { columnsOf } from './table.js';

const LIMIT_MAX = 1_000;

function addAuditCommand(program: Command, env: Environment): void {
  addNodeOptions(
    program.command('audit').description('list the changes that operators made, the latest first'),
  )
    .option('--client <name>', 'only by this client')
    .option('--action <name>', 'only of this kind, such as pool.change')
    .option('--from <time>', 'from then on: ISO 8601 with a zone, or milliseconds since 1970')
    .option('--to <time>', 'before then')
    .option('--limit <number>', 'at most so many', wholeFrom(1, LIMIT_MAX), 50)
    .addHelpText('after', '\nExample:\n  $ tether audit --action pool.change --from 2026-11-26T00:00:00Z\n')
    .action(async (flags: AuditFlags) => {
      const { listAudit } = await import('./audit-run.js');
      process.stdout.write(await listAudit(flags, env, columnsOf(process.stdout)));
    });
}

export { addAuditCommand };
