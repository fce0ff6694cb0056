/** `tether doctor`: look at a node before it goes live, and say what to do. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import type { DoctorFlags } from './doctor-run.js';
import { overridesOf } from './options.js';

const HELP = `
It changes nothing. To see whether the disk and the object store can be used it makes a probe of its own there, and
removes it. ID is a check or a group of checks, as the list names them.

Exit codes: 0 nothing failed, 1 something failed (with --strict: or is warned of), 78 the configuration is refused.

Examples:
  $ node --env-file=.env node_modules/.bin/tether doctor
  $ tether doctor --only redis,postgres --strict
  $ tether doctor --json | jq '.checks[] | select(.outcome == "failed")'
`;

const ids = (text: string): readonly string[] =>
  text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');

function addDoctorCommand(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  program
    .command('doctor')
    .description('look at a node before it goes live, and say what to do')
    .option('--up', 'as `tether up` would run it; without: as `tether start` would')
    .option('--only <ids>', 'only these checks, separated by commas', ids)
    .option('--skip <ids>', 'without these checks', ids)
    .option('--strict', 'a warning counts as a failure')
    // Node 20 takes --env-file for itself, wherever it stands.
    .option('--dotenv <path>', 'the file of the environment, to look at who may read it', '.env')
    .option('--json', 'print JSON')
    .option('--port <port>', 'TCP port (TETHER_PORT)')
    .option('--host <address>', 'address to listen on (TETHER_HOST)')
    .option('--data-dir <path>', 'directory of the journal (TETHER_DATA_DIR)')
    .option('--endpoints <path>', 'endpoints file (TETHER_ENDPOINTS)')
    .option('--threads <count>', 'worker threads (TETHER_THREADS)')
    .addHelpText('after', HELP)
    .action(async (flags: DoctorFlags & Parameters<typeof overridesOf>[0]) => {
      const { examineNode } = await import('./doctor-run.js');
      const { text, exitCode } = await examineNode(flags, env, overridesOf(flags), process.stdout);
      process.stdout.write(text);
      setExitCode(exitCode);
    });
}

export { addDoctorCommand };
