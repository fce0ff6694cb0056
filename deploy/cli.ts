/** The command `tether`, started by `tether.js`: runs it, says in one line what went wrong, and ends with the exit code that stands for it. */
import { CommanderError } from 'commander';
import { TetherError } from '../runtime/errors.js';
import { censorOf } from './censor.js';
import { ConfigError, UsageError } from './errors.js';
import { EXIT, exitCodeOf } from './exit-codes.js';
import { createProgram, helpCommand } from './program.js';

/** A handle that something forgot must not keep a finished command alive. */
const LINGER_MS_MAX = 10_000;

async function main(): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(process.env, (code) => {
    exitCode = code;
  });
  const help = helpCommand(program, process.argv.slice(2));
  try {
    await program.parseAsync();
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      // Without a command commander shows the help and has nothing to say.
      if (error.code !== 'commander.help') complain(new UsageError(firstLines(error.message)), help);
      return EXIT.usage;
    }
    complain(error, help);
    return exitCodeOf(error);
  }
}

/** Commander writes `error: ...`, with a suggestion on a line of its own. */
function firstLines(message: string): string {
  return message.replace(/^error: /, '').replaceAll('\n', ' ');
}

function complain(error: unknown, help: string): void {
  const censor = censorOf([]);
  const lines = error instanceof ConfigError ? error.problems : [`${messageOf(error)}${codeNote(error)}`];
  for (const line of lines) process.stderr.write(`tether: ${censor(line)}\n`);
  if (error instanceof UsageError) process.stderr.write(`tether: see ${help}\n`);
  if (process.env.TETHER_LOG_LEVEL === 'debug' && error instanceof Error) {
    process.stderr.write(`${censor(error.stack ?? '')}\n`);
  }
}

/** What `docs/reference/errors.md` lists it under. */
function codeNote(error: unknown): string {
  return error instanceof TetherError && !(error instanceof UsageError) ? ` (${error.code})` : '';
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node reports a refused connection to a name with several addresses as an AggregateError without a message.
  const code: unknown = Reflect.get(error, 'code');
  return (error.message || (typeof code === 'string' ? code : error.name)).replaceAll(/\s*\n\s*/g, ' ');
}

// A reader such as `head` may close the pipe early; that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main();
setTimeout(() => process.exit(), LINGER_MS_MAX).unref();
