/** `tether tune`: measure a node under load, and find what limits it. */
import type { Command } from 'commander';
import { DEFAULT_ENDPOINT, PUBLISHED_SECRET } from '../endpoint.js';
import type { Environment } from '../settings.js';
import { addNodeOptions, wholeFrom } from './options.js';
import type { TuneFlags } from './tune-run.js';

const HELP = `
Test payments are sent at a rising rate, and leave real rows behind: events and payments whose ids begin with tune-.
They are as much work for the node as others, and delay what comes meanwhile. A node on this machine shares its cores
with the sender; the output says when the sender was the limit. Without --try and --write no setting is touched.

Examples:
  $ tether tune
  $ tether tune --seconds 60 --try --yes
  $ tether tune --url http://10.0.0.7:8080 --remote 10.0.0.7 --endpoint-token env:T --password env:EMP_PASSWORD
`;

function addTuneCommand(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  addNodeOptions(
    program.command('tune').description('send a short load, find what limits the node, recommend settings'),
  )
    .option('--seconds <number>', 'how long the rate rises', wholeFrom(5, 600), 30)
    .option('--rate-first <number>', 'payments per second at first', wholeFrom(1, 100_000), 20)
    .option('--rate-max <number>', 'payments per second at most', wholeFrom(1, 1_000_000), 50_000)
    .option('--p99 <ms>', 'a rate is held while its p99 is not over this', wholeFrom(1, 60_000), 200)
    .option('--connections <number>', 'connections at most', wholeFrom(1, 4096), 64)
    .option('--endpoint <name>', 'the endpoint', DEFAULT_ENDPOINT.name)
    .option(
      '--endpoint-token <token>',
      "the endpoint's token; env:NAME or file:/path",
      DEFAULT_ENDPOINT.token,
    )
    .option('--password <password>', 'the API password; env:NAME or file:/path', PUBLISHED_SECRET)
    .option('--actor <type>', 'the pool to look at (default: the one that gets the payments)')
    .option('--try', 'try what is recommended, in turn with what holds; keep it if it is better')
    .option('--rounds <number>', 'of each kind with --try', wholeFrom(2, 20), 3)
    .option('--write', 'set what is recommended, without trying')
    .option('--remote <host>', 'the node is not on this machine: its host, to say that it is meant')
    .option('--yes', 'do not ask')
    .addHelpText('after', HELP)
    .action(async (flags: TuneFlags) => {
      const { tune } = await import('./tune-run.js');
      setExitCode(await tune(flags, env));
    });
}

export { addTuneCommand };
