/** `tether smoke`: what senders and clients do, once, against what was just deployed. */
import type { Command } from 'commander';
import { DEFAULT_ENDPOINT, PUBLISHED_SECRET } from '../endpoint.js';
import type { Environment } from '../settings.js';
import { wholeFrom } from './options.js';
import type { SmokeFlags } from './smoke-run.js';

const HELP = `
It sends an identity check (an event, no payment), the same again and a forged one, and a file of two rows that are
both invalid, so that no debtor comes of it. The file is removed again; the event stays, its id begins with smoke-.

Exit codes: 0 all as it should be, 1 something is not, 130 and 143 interrupted.

Examples:
  $ tether smoke
  $ tether smoke https://hooks.example --api-url http://gateway-1.internal:8080 \\
      --endpoint-token file:/etc/tether/emp-token --password file:/etc/tether/emp-password
`;

function addSmokeCommand(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  program
    .command('smoke')
    .argument(
      '[url]',
      'what was deployed, as senders reach it (TETHER_URL; default: TETHER_HOST and TETHER_PORT)',
    )
    .description('after a deployment: a webhook, a duplicate, a forgery, a file, and what comes of them')
    .option('--api-url <url>', 'where /api is, when the balancer hides it')
    .option('--data-dir <path>', 'where an embedded node keeps its API token (TETHER_DATA_DIR)')
    .option('--token <token>', 'API token, or env:NAME or file:/path (TETHER_API_TOKEN)')
    .option('--endpoint <name>', 'an endpoint of EMP', DEFAULT_ENDPOINT.name)
    .option(
      '--endpoint-token <token>',
      "the endpoint's token; env:NAME or file:/path",
      DEFAULT_ENDPOINT.token,
    )
    .option('--password <password>', 'the API password; env:NAME or file:/path', PUBLISHED_SECRET)
    .option('--without-uploads', 'no file')
    .option('--deadline <seconds>', 'how long an effect may take', wholeFrom(1, 600), 30)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(async (url: string | undefined, flags: SmokeFlags) => {
      const { smoke } = await import('./smoke-run.js');
      const { text, exitCode } = await smoke(url, flags, env, process.stdout);
      process.stdout.write(text);
      setExitCode(exitCode);
    });
}

export { addSmokeCommand };
