/** The commands of `tether`, their options and their help. What a command does stands in `commands/`. */
import { Command } from 'commander';
import { addAuditCommand } from './commands/audit.js';
import { addConfigCommand } from './commands/config.js';
import { addDeadCommands } from './commands/dead.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEndpointCommands } from './commands/endpoints.js';
import { addEventCommands } from './commands/events.js';
import { addGoliveCommand } from './commands/golive.js';
import { addIbanCommands } from './commands/ibans.js';
import { addImportFilesCommand } from './commands/import-files.js';
import { addLogLevelCommand } from './commands/log-level.js';
import { addMigrateCommand } from './commands/migrate.js';
import { addPoolCommands } from './commands/pools.js';
import { addReplayCommands } from './commands/replay.js';
import { addRunCommands } from './commands/run.js';
import { addSendCommands } from './commands/send.js';
import { addSmokeCommand } from './commands/smoke.js';
import { addTokenCommands } from './commands/tokens.js';
import { addTopCommand } from './commands/top.js';
import { addTuneCommand } from './commands/tune.js';
import { addUploadCommands } from './commands/uploads.js';
import type { Environment } from './settings.js';
import { version } from './version.js';

const EXAMPLES = `
Examples:
  $ tether up                                     everything in one process, data in .tether
  $ tether up --port 9000 --data-dir /tmp/try
  $ tether start                                  production: settings from the environment
  $ tether doctor                                 is this node fit to go live?
  $ tether golive --strict                        the checklist before a deployment
  $ tether smoke https://hooks.example            does what was just deployed work?
  $ tether send emp --count 1000 --duplicates 10% --rate 500
  $ tether top                                    what it is doing, on the terminal
  $ tether dead list
  $ tether dead replay --all --actor payment
  $ tether pools set payment --min 1 --max 4
  $ tether endpoints check endpoints.yaml
  $ tether tune                                   what limits it, and which settings to change
  $ tether events find --key 44177a21403427eb96664a6d7e5d5d48
  $ tether replay start --all --endpoint shop --from 2026-11-25 --to 2026-11-26
  $ tether ibans seal                             encrypt every IBAN with the first key
  $ tether tokens create --client acme --scopes uploads:read,uploads:write

Configuration: the TETHER_ keys of .env.example; an option wins over its key.
Exit codes: 0 done, 1 failed, 64 wrong usage, 65 damaged or foreign data, 78 refused configuration.`;

/** `setExitCode` is called by a command that ends with another code than 0 without an error. */
function createProgram(env: Environment, setExitCode: (code: number) => void): Command {
  const program = new Command('tether')
    .description('Durable webhooks for payment back ends')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', EXAMPLES);
  addRunCommands(program, env, setExitCode);
  addMigrateCommand(program, env);
  addConfigCommand(program, env, setExitCode);
  addDoctorCommand(program, env, setExitCode);
  addGoliveCommand(program, env, setExitCode);
  addSmokeCommand(program, env, setExitCode);
  addSendCommands(program, env, setExitCode);
  addDeadCommands(program, env, setExitCode);
  addEventCommands(program, env);
  addReplayCommands(program, env, setExitCode);
  addUploadCommands(program, env);
  addImportFilesCommand(program, env, setExitCode);
  addTokenCommands(program, env);
  addIbanCommands(program, env, setExitCode);
  addTopCommand(program, env, setExitCode);
  addPoolCommands(program, env, setExitCode);
  addEndpointCommands(program, env);
  addTuneCommand(program, env, setExitCode);
  addAuditCommand(program, env);
  addLogLevelCommand(program, env);
  return program;
}

/** The command line that prints the help of the command that `args` call, as far as there is one. */
function helpCommand(program: Command, args: readonly string[]): string {
  const names = [program.name()];
  let command = program;
  for (const name of args) {
    const next = command.commands.find((candidate) => candidate.name() === name);
    if (next === undefined) break;
    names.push(name);
    command = next;
  }
  return `${names.join(' ')} --help`;
}

export { createProgram, helpCommand };
