/** `tether log-level`: shows or changes the level of the log of a running node. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Environment } from '../settings.js';
import type { LogLevelFlags } from './log-level-run.js';
import { addNodeOptions, wholeFrom } from './options.js';

const LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error'];
const MINUTES_MAX = 1_440;

function addLogLevelCommand(program: Command, env: Environment): void {
  addNodeOptions(
    program
      .command('log-level')
      .description('show the level of the log of a running node, or change it')
      .argument('[level]', `one of ${LEVELS.join(', ')}; without it, what it is`, parseLevel)
      .option(
        '--for <minutes>',
        'then it goes back to what is configured; debug and trace do after 60 if not said',
        wholeFrom(1, MINUTES_MAX),
      ),
  )
    .addHelpText('after', '\nExample:\n  $ tether log-level debug --for 15\n')
    .action(async (level: string | undefined, flags: LogLevelFlags) => {
      const { runLogLevel } = await import('./log-level-run.js');
      process.stdout.write(await runLogLevel(level, flags, env));
    });
}

function parseLevel(text: string): string {
  if (!LEVELS.includes(text)) throw new InvalidArgumentError(`Allowed are ${LEVELS.join(', ')}.`);
  return text;
}

export { addLogLevelCommand };
