/** `tether up` and `tether start`: run a node until it is told to stop. */
import type { Command } from 'commander';
import type { Environment, Mode } from '../settings.js';
import { overridesOf } from './options.js';

function addRunCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  const add = (mode: Mode, description: string, help: string) =>
    program
      .command(mode)
      .description(description)
      .option('--port <port>', 'TCP port; 0 lets the system choose (TETHER_PORT)')
      .option('--host <address>', 'address to listen on (TETHER_HOST)')
      .option('--data-dir <path>', 'directory of the journal (TETHER_DATA_DIR)')
      .option('--endpoints <path>', 'endpoints file (TETHER_ENDPOINTS)')
      .option('--threads <count>', 'worker threads (TETHER_THREADS)')
      .option('--log-level <level>', 'lowest level of the log on stderr (TETHER_LOG_LEVEL)')
      .addHelpText('after', help)
      .action(async (options: Record<string, string>) => {
        const { run } = await import('./run-node.js');
        setExitCode(await run(mode, env, overridesOf(options)));
      });
  add(
    'up',
    'run everything in one process tree: a Postgres of its own, an endpoint to try out',
    '\nExample:\n  $ tether up --port 9000 --data-dir /tmp/try\n',
  );
  add(
    'start',
    'run a node in production: endpoints, database and API token are given',
    '\nExample:\n  $ TETHER_ENDPOINTS=endpoints.yaml TETHER_DATABASE_URL=postgres://... TETHER_API_TOKEN=... tether start\n',
  );
}

export { addRunCommands };
