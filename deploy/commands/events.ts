/** `tether events find|show`: find one webhook among those that took effect, and what became of it. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import type { FindFlags, ShowFlags } from './events-run.js';
import { addNodeOptions, wholeFrom } from './options.js';
import { columnsOf } from './table.js';

const LIMIT_MAX = 1000;

function addEventCommands(program: Command, env: Environment): void {
  const events = program.command('events').description('messages that took effect');
  const add = (usage: string, description: string) =>
    addNodeOptions(events.command(usage).description(description));

  add('find', 'find events, the newest first')
    .option('--id <id>', "the message's id")
    .option('--key <id>', "the payment's id, or another webhook's key, alone or as <endpoint>:<key>")
    .option('--dedupe <prefix>', 'what the deduplication key begins with, such as processing:1234:')
    .option('--endpoint <name>', 'only of this endpoint')
    .option('--kind <kind>', 'processing, wpf, kyc or apm; of other senders their type')
    .option('--status <status>', 'applied, stale, recorded; of other senders routed, unrouted, delayed')
    .option('--from <time>', 'accepted at this time or later: ISO 8601, or milliseconds')
    .option('--to <time>', 'accepted before this time')
    .option('--limit <number>', 'at most so many', wholeFrom(1, LIMIT_MAX), 50)
    .addHelpText('after', '\nExample:\n  $ tether events find --key 44177a21403427eb96664a6d7e5d5d48\n')
    .action(async (flags: FindFlags) => {
      const { findEvents } = await import('./events-run.js');
      const { text, hint } = await findEvents(flags, env, columnsOf(process.stdout));
      process.stdout.write(text);
      if (hint !== undefined) process.stderr.write(`tether: ${hint}\n`);
    });

  add('show <id>', 'show one with its payment and all that came for it; the body is masked')
    .option('--reveal', 'show the whole body; the node notes who asked')
    .action(async (id: string, flags: ShowFlags) => {
      const { showEvent } = await import('./events-run.js');
      process.stdout.write(await showEvent(id, flags, env));
    });
}

export { addEventCommands };
