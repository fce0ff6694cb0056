/** `tether pools` and `tether drain`: look at the pools of a running node, and change them while they work. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { Environment } from '../settings.js';
import type { NodeFlags } from './node-client.js';
import { addNodeOptions, wholeFrom } from './options.js';
import type { DrainFlags, SetFlags } from './pools-run.js';
import { columnsOf } from './table.js';

const ANY = wholeFrom(0, 1_000_000);
const DEADLINE_S_MAX = 3_600;

function addPoolCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  const pools = program.command('pools').description('worker pools: what holds, and changes while they work');
  const add = (usage: string, description: string, options: { readonly isDefault?: boolean } = {}) =>
    addNodeOptions(pools.command(usage, options).description(description));

  add('list', 'list the pools of a node (the default)', { isDefault: true }).action(
    async (flags: NodeFlags) => {
      const { listPools } = await import('./pools-run.js');
      process.stdout.write(await listPools(flags, env, columnsOf(process.stdout)));
    },
  );

  add('set <actor>', 'change settings of a pool, on every node; what is left out stays')
    .option('--min <threads>', 'at least so many threads', ANY)
    .option('--max <threads>', 'at most so many: between the two as many as it needs', ANY)
    .option('--batch <messages>', 'the most messages of one receive', ANY)
    .option('--linger <ms>', 'how long a batch that is not full waits for more', ANY)
    .option('--in-flight <messages>', 'the most messages that a thread has at a time', ANY)
    .addHelpText('after', '\nExample:\n  $ tether pools set payment --min 1 --max 4 --batch 200\n')
    .action(async (actor: string, flags: SetFlags) => {
      const { changeOf, setPool } = await import('./pools-run.js');
      if (Object.keys(changeOf(flags)).length === 0) {
        throw new UsageError('nothing to set: give --min, --max, --batch, --linger or --in-flight');
      }
      process.stdout.write(await setPool(actor, flags, env, columnsOf(process.stdout)));
    });

  for (const [verb, description] of [
    ['reset', 'take the settings of a pool back to those of the file, on every node'],
    ['pause', 'send nothing more to a pool, on every node, until it is resumed; a restart keeps it'],
    ['resume', 'let a pool go on that was paused or drained, on every node'],
  ] as const) {
    add(`${verb} <actor>`, description).action(async (actor: string, flags: NodeFlags) => {
      const { tellPool } = await import('./pools-run.js');
      process.stdout.write(await tellPool(verb, actor, flags, env, columnsOf(process.stdout)));
    });
  }

  addNodeOptions(
    program
      .command('drain <actor>')
      .description('pause a pool of one node and wait until nothing is in flight'),
  )
    .option(
      '--deadline <seconds>',
      'give up after so long; it stays paused',
      wholeFrom(1, DEADLINE_S_MAX),
      30,
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ tether drain payment --deadline 60 && tether pools resume payment\n',
    )
    .action(async (actor: string, flags: DrainFlags) => {
      const { drainPool } = await import('./pools-run.js');
      const { text, failure } = await drainPool(actor, flags, env);
      process.stdout.write(text);
      if (failure === undefined) return;
      process.stderr.write(`tether: ${failure}\n`);
      setExitCode(EXIT.failed);
    });
}

export { addPoolCommands };
