/** `tether config`: what the environment and the command line set, and where each value comes from. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import type { ConfigFlags } from './config-run.js';
import { overridesOf } from './options.js';
import { columnsOf } from './table.js';

function addConfigCommand(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  program
    .command('config')
    .description('show what each configuration key holds and where it comes from; never a secret')
    .option('--up', 'as `tether up` would take it; without: as `tether start` would')
    .option('--all', 'also keys that have their default')
    .option('--json', 'print JSON')
    .option('--port <port>', 'TCP port (TETHER_PORT)')
    .option('--host <address>', 'address to listen on (TETHER_HOST)')
    .option('--data-dir <path>', 'directory of the journal (TETHER_DATA_DIR)')
    .option('--endpoints <path>', 'endpoints file (TETHER_ENDPOINTS)')
    .action(async (flags: ConfigFlags & Parameters<typeof overridesOf>[0]) => {
      const { showConfig } = await import('./config-run.js');
      const shown = await showConfig(flags, env, overridesOf(flags), columnsOf(process.stdout));
      process.stdout.write(shown.text);
      for (const line of shown.notes) process.stderr.write(`tether: ${line}\n`);
      setExitCode(shown.exitCode);
    });
}

export { addConfigCommand };
