/** `tether dead list|show|replay`: look at dead letters of a running node and put them back on the log. */
import type { Command } from 'commander';
import type { Environment } from '../config.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { ListFlags, ReplayFlags } from './dead-run.js';
import type { NodeFlags } from './node-client.js';
import { addNodeOptions, wholeFrom } from './options.js';
import { columnsOf } from './table.js';

const LIMIT_MAX = 1000;
const KEY_FORM = '<endpoint>:<id>, such as emp:44177a21403427eb96664a6d7e5d5d48';

function addDeadCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  const dead = program.command('dead').description('messages that could not be handled');
  const add = (usage: string, description: string) =>
    addNodeOptions(dead.command(usage).description(description));

  add('list', 'list dead letters')
    .option('--actor <type>', 'only of this actor')
    .option('--key <key>', `only of this key: ${KEY_FORM}`)
    .option('--state <state>', 'waiting, replayed or all', 'waiting')
    .option('--limit <number>', 'at most so many', wholeFrom(1, LIMIT_MAX), 100)
    .addHelpText('after', '\nExample:\n  $ tether dead list --actor payment --limit 20\n')
    .action(async (flags: ListFlags) => {
      if (!['waiting', 'replayed', 'all'].includes(flags.state)) {
        throw new UsageError(
          `--state is ${JSON.stringify(flags.state)}: allowed is waiting, replayed or all`,
        );
      }
      const { listDead } = await import('./dead-run.js');
      const { text, hint } = await listDead(flags, env, columnsOf(process.stdout));
      process.stdout.write(text);
      if (hint !== undefined) process.stderr.write(`tether: ${hint}\n`);
    });

  add('show <id>', 'show one dead letter with its cause and payload').action(
    async (id: string, flags: NodeFlags) => {
      const { showDead } = await import('./dead-run.js');
      process.stdout.write(await showDead(id, flags, env));
    },
  );

  add('replay [ids...]', 'put dead letters back on the log')
    .option('--all', 'all that wait, filtered by --actor and --key')
    .option('--actor <type>', 'with --all: only of this actor')
    .option('--key <key>', `with --all: only of this key: ${KEY_FORM}`)
    .addHelpText(
      'after',
      '\nExamples:\n  $ tether dead replay 01890a5d-ac96-774b-bcce-b302099a8057\n  $ tether dead replay --all --actor payment\n',
    )
    .action(async (ids: string[], flags: ReplayFlags) => {
      refuseReplay(ids, flags);
      const { replayDead } = await import('./dead-run.js');
      const { text, failures, hint } = await replayDead(ids, flags, env);
      process.stdout.write(text);
      if (hint !== undefined) process.stderr.write(`tether: ${hint}\n`);
      for (const failure of failures) process.stderr.write(`tether: ${failure}\n`);
      if (failures.length > 0) setExitCode(EXIT.failed);
    });
}

/** @throws UsageError saying what is missing or too much */
function refuseReplay(ids: readonly string[], { all, actor, key }: ReplayFlags): void {
  if (all === true) {
    if (ids.length > 0) throw new UsageError('replay takes ids, or --all, not both');
    return;
  }
  if ((actor ?? key) !== undefined) {
    throw new UsageError(
      '--actor and --key go with --all, which is missing: without it replay takes ids alone',
    );
  }
  if (ids.length === 0) {
    throw new UsageError(
      'nothing to replay: give the ids of dead letters, or --all for every one that waits',
    );
  }
}

export { addDeadCommands };
