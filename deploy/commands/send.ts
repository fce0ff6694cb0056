/** `tether send emp`: valid, signed EMP notifications against a running node. */
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_ENDPOINT, PUBLISHED_SECRET } from '../endpoint.js';
import { EXIT } from '../exit-codes.js';
import { EMP_KINDS, EMP_PREFIX, type EmpKind } from '../send/emp-story.js';
import type { Environment } from '../settings.js';
import { parseRate, parseShare, wholeFrom } from './options.js';
import type { SendFlags } from './send-run.js';

const HELP = `
The count includes the duplicates: 1000 with 10% are 900 distinct messages and 100 repeats. The same seed sends the
same messages. The exit code is 1 when anything was not acknowledged. Trouble that lasts is told on stderr.

Examples:
  $ tether send emp --count 1000 --duplicates 10% --rate 500
  $ tether send emp --count 100000 --rate max --connections 64 --json
  $ tether send emp --url https://hooks.example --endpoint emp --token T --password env:EMP_PASSWORD
`;

function addSendCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  program
    .command('send')
    .description('send test traffic to a running node')
    .command('emp')
    .description(
      'send signed EMP notifications: payments, chargebacks, payment pages, checks, external events',
    )
    .option('--count <number>', 'deliveries in all', wholeFrom(1, 1_000_000_000), 100)
    .option('--duplicates <share>', 'share of them that repeat an earlier one', parseShare, 0)
    .option('--rate <number>', 'deliveries per second, or max', parseRate, 500)
    .option('--url <url>', 'the node (TETHER_URL; default: TETHER_HOST and TETHER_PORT)')
    .option('--endpoint <name>', 'the endpoint', DEFAULT_ENDPOINT.name)
    .option('--token <token>', "the endpoint's token; env:NAME or file:/path", DEFAULT_ENDPOINT.token)
    .option('--password <password>', 'the API password; env:NAME or file:/path', PUBLISHED_SECRET)
    .option('--seed <number>', 'decides the messages (default: drawn)', wholeFrom(0, 2 ** 32 - 1))
    .option('--prefix <text>', 'what every signed id begins with, to find them by', parsePrefix)
    .option('--connections <number>', 'connections at most', wholeFrom(1, 4096), 16)
    .option('--kinds <list>', 'of processing,wpf,kyc,apm', parseKinds, EMP_KINDS)
    .option(
      '--deadline <seconds>',
      'how long one delivery is tried; nothing acknowledged for so long ends it all',
      wholeFrom(1, 86_400),
      60,
    )
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', HELP)
    .action(async (flags: SendFlags) => {
      const { send, summaryText } = await import('./send-run.js');
      const { summary, failure } = await send(flags, env);
      process.stdout.write(flags.json === true ? `${JSON.stringify(summary)}\n` : summaryText(summary));
      if (failure !== undefined) process.stderr.write(`tether: ${failure}\n`);
      setExitCode(summary.acknowledged === flags.count ? EXIT.ok : EXIT.failed);
    });
}

function parsePrefix(text: string): string {
  if (!EMP_PREFIX.test(text))
    throw new InvalidArgumentError('Allowed are at most 64 letters, digits, - and _.');
  return text;
}

function parseKinds(text: string): readonly EmpKind[] {
  const kinds = text.split(',').map((name) => EMP_KINDS.find((kind) => kind === name.trim()));
  const known = kinds.filter((kind) => kind !== undefined);
  if (known.length < kinds.length) throw new InvalidArgumentError(`Allowed are ${EMP_KINDS.join(', ')}.`);
  return [...new Set(known)];
}

export { addSendCommands };
