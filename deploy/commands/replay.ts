/** `tether replay start|list|show|pause|resume|cancel`: events that were handled before, told again. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { Environment } from '../settings.js';
import { addNodeOptions, wholeFrom } from './options.js';
import type { ListFlags, StartFlags } from './replay-run.js';
import { columnsOf } from './table.js';

const LIMIT_MAX = 200;
const RATE_MAX = 10_000;
const STATES = ['waiting', 'running', 'paused', 'done', 'cancelled', 'failed'];

function addReplayCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  const replay = program.command('replay').description('events that were handled before, told again');
  const add = (usage: string, description: string) =>
    addNodeOptions(replay.command(usage).description(description));

  add('start [ids...]', 'replay events: those of these ids, or with --all every one that the filters select')
    .option('--all', 'all events that the filters select')
    .option('--endpoint <name>', 'with --all: only of this endpoint')
    .option('--kind <kind>', 'with --all: only of this kind, such as invoice.paid')
    .option('--key <key>', 'with --all: only of this key, alone or as <endpoint>:<key>')
    .option('--status <status>', 'with --all: routed or unrouted; of EMP applied, stale, recorded')
    .option('--from <time>', 'with --all: accepted at this time or later: ISO 8601, or milliseconds')
    .option('--to <time>', 'with --all: accepted before this time')
    .option('--target <actor>', 'an actor, or forward:<target>; default: the routes of each endpoint')
    .option('--rate <number>', 'events a second, at most', wholeFrom(1, RATE_MAX), 500)
    .option('--forced', 'effects may come a second time')
    .option('--yes', 'do not ask; with --forced needed without a terminal')
    .option('--dry-run', 'say what would happen, and nothing more')
    .addHelpText(
      'after',
      '\nExamples:\n  $ tether replay start --all --endpoint shop --from 2026-11-25 --to 2026-11-26\n  $ tether replay start --all --endpoint shop --status unrouted --target ledger --rate 100\n',
    )
    .action(async (ids: string[], flags: StartFlags) => {
      refuse(ids, flags);
      const { startReplay } = await import('./replay-run.js');
      const { text, failure } = await startReplay(ids, flags, env);
      process.stdout.write(text);
      if (failure === undefined) return;
      process.stderr.write(`tether: ${failure}\n`);
      setExitCode(EXIT.failed);
    });

  add('list', 'list replays, the newest first')
    .option('--state <state>', `only those that are ${STATES.join(', ')}`)
    .option('--limit <number>', 'at most so many', wholeFrom(1, LIMIT_MAX), 50)
    .action(async (flags: ListFlags) => {
      if (flags.state !== undefined && !STATES.includes(flags.state)) {
        throw new UsageError(`--state is ${JSON.stringify(flags.state)}: allowed is ${STATES.join(', ')}`);
      }
      const { listReplays } = await import('./replay-run.js');
      process.stdout.write(await listReplays(flags, env, columnsOf(process.stdout)));
    });

  add('show <id>', 'show one replay and how far it is').action(async (id: string, flags) => {
    const { showReplay } = await import('./replay-run.js');
    process.stdout.write(await showReplay(id, flags, env));
  });

  for (const [command, description] of [
    ['pause', 'tell nothing more until it is resumed'],
    ['resume', 'go on where it was paused'],
    ['cancel', 'end it; what was told stays told'],
  ] as const) {
    add(`${command} <id>`, description).action(async (id: string, flags) => {
      const { commandReplay } = await import('./replay-run.js');
      process.stdout.write(await commandReplay(id, command, flags, env));
    });
  }
}

/** @throws UsageError saying what is missing or too much */
function refuse(ids: readonly string[], { all, endpoint, kind, key, status, from, to }: StartFlags): void {
  if (all === true) {
    if (ids.length > 0) throw new UsageError('start takes ids, or --all, not both');
    return;
  }
  if ((endpoint ?? kind ?? key ?? status ?? from ?? to) !== undefined) {
    throw new UsageError(
      '--endpoint, --key and the other filters go with --all, which is missing: without it start takes ids alone',
    );
  }
  if (ids.length === 0) {
    throw new UsageError('nothing to replay: give the ids of events, or --all with what selects them');
  }
}

export { addReplayCommands };
