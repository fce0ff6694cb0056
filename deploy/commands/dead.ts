/** `tether dead list|show|replay|drop`: look at dead letters of a running node, put them back on the log, or give them up. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { Environment } from '../settings.js';
import type { BulkFlags } from './dead-bulk.js';
import type { ListFlags, ShowFlags } from './dead-run.js';
import { addNodeOptions, wholeFrom } from './options.js';
import { columnsOf } from './table.js';

const LIMIT_MAX = 1000;
const KEY_FORM = '<endpoint>:<id>, such as emp:44177a21403427eb96664a6d7e5d5d48';

function addDeadCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  const dead = program.command('dead').description('messages that could not be handled');
  const add = (usage: string, description: string) =>
    addNodeOptions(dead.command(usage).description(description));

  addFilter(add('list', 'list dead letters'))
    .option('--id <id>', 'only that of this message')
    .option('--state <state>', 'waiting, replayed, dropped or all', 'waiting')
    .option('--limit <number>', 'at most so many', wholeFrom(1, LIMIT_MAX), 100)
    .addHelpText('after', '\nExample:\n  $ tether dead list --actor payment --limit 20\n')
    .action(async (flags: ListFlags) => {
      if (!['waiting', 'replayed', 'dropped', 'all'].includes(flags.state)) {
        throw new UsageError(
          `--state is ${JSON.stringify(flags.state)}: allowed is waiting, replayed, dropped or all`,
        );
      }
      const { listDead } = await import('./dead-run.js');
      const { text, hint } = await listDead(flags, env, columnsOf(process.stdout));
      process.stdout.write(text);
      if (hint !== undefined) process.stderr.write(`tether: ${hint}\n`);
    });

  add('show <id>', 'show one dead letter with its cause and its payload, masked')
    .option('--reveal', 'show the whole payload; the node notes who asked')
    .action(async (id: string, flags: ShowFlags) => {
      const { showDead } = await import('./dead-run.js');
      process.stdout.write(await showDead(id, flags, env));
    });

  addFilter(add('replay [ids...]', 'put dead letters back on the log'), 'with --all: ')
    .option('--all', 'all that wait and that the filters select')
    .option('--yes', 'do not ask on a terminal')
    .addHelpText(
      'after',
      '\nExamples:\n  $ tether dead replay 01890a5d-ac96-774b-bcce-b302099a8057\n  $ tether dead replay --all --actor payment\n',
    )
    .action(async (ids: string[], flags: BulkFlags) => {
      refuse('replay', ids, flags);
      const { replayDead } = await import('./dead-run.js');
      const { text, failures, hint } = await replayDead(ids, flags, env);
      process.stdout.write(text);
      if (hint !== undefined) process.stderr.write(`tether: ${hint}\n`);
      for (const failure of failures) process.stderr.write(`tether: ${failure}\n`);
      if (failures.length > 0) setExitCode(EXIT.failed);
    });

  addFilter(
    add('drop [ids...]', 'give dead letters up; they are kept, and not replayed any more'),
    'with --all: ',
  )
    .option('--all', 'all that wait and that the filters select')
    .option('--yes', 'do not ask; needed without a terminal')
    .addHelpText(
      'after',
      '\nExample:\n  $ tether dead drop --all --actor payment --code TETHER_EMP_MALFORMED\n',
    )
    .action(async (ids: string[], flags: BulkFlags) => {
      refuse('drop', ids, flags);
      const { dropDead } = await import('./dead-bulk.js');
      const { text, failures } = await dropDead(ids, flags, env);
      process.stdout.write(text);
      for (const failure of failures) process.stderr.write(`tether: ${failure}\n`);
      if (failures.length > 0) setExitCode(EXIT.failed);
    });
}

function addFilter(command: Command, when = ''): Command {
  return command
    .option('--actor <type>', `${when}only of this actor`)
    .option('--key <key>', `${when}only of this key: ${KEY_FORM}`)
    .option('--endpoint <name>', `${when}only of keys of this endpoint`)
    .option('--code <code>', `${when}only with this cause`)
    .option('--from <time>', `${when}that died at this time or later: ISO 8601, or milliseconds`)
    .option('--to <time>', `${when}that died before this time`);
}

/** @throws UsageError saying what is missing or too much */
function refuse(
  what: 'replay' | 'drop',
  ids: readonly string[],
  { all, actor, key, endpoint, code, from, to }: BulkFlags,
): void {
  if (all === true) {
    if (ids.length > 0) throw new UsageError(`${what} takes ids, or --all, not both`);
    return;
  }
  if ((actor ?? key ?? endpoint ?? code ?? from ?? to) !== undefined) {
    throw new UsageError(
      `--actor, --key and the other filters go with --all, which is missing: without it ${what} takes ids alone`,
    );
  }
  if (ids.length === 0) {
    throw new UsageError(
      `nothing to ${what}: give the ids of dead letters, or --all for every one that waits`,
    );
  }
}

export { addDeadCommands };
