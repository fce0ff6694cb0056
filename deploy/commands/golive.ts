/** `tether golive`: the checklist before and after a deployment, as a program. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import type { GoliveFlags } from './golive-run.js';
import { wholeFrom } from './options.js';

const HELP = `
Without URL, before a deployment: every check of the doctor, with the configuration of this environment. With URL,
after it: these, then what the nodes say of themselves, what the world sees of them, and the smoke test, which leaves
one event of an identity check. Each item has its evidence; the report is kept where --out says.

Exit codes: 0 go, 1 no go, 78 the configuration is refused, 130 and 143 interrupted.

Examples:
  $ tether golive --strict
  $ tether golive https://hooks.example --api-url http://gateway-1.internal:8080 --out golive \\
      --endpoint-token file:/etc/tether/emp-token --password file:/etc/tether/emp-password
`;

function addGoliveCommand(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  program
    .command('golive')
    .argument('[url]', 'what was deployed, as senders reach it; without: before a deployment')
    .description('the checklist before and after a deployment, with evidence')
    .option('--api-url <url>', 'where /api is, when the balancer hides it')
    .option('--token <token>', 'API token, or env:NAME or file:/path (TETHER_API_TOKEN)')
    .option('--data-dir <path>', 'directory of the journal and the API token (TETHER_DATA_DIR)')
    .option('--endpoint <name>', 'an endpoint of EMP for the smoke test', 'emp')
    .option('--endpoint-token <token>', "the endpoint's token; env:NAME or file:/path")
    .option('--password <password>', 'the API password; env:NAME or file:/path')
    .option('--without-uploads', 'no file in the smoke test')
    .option('--deadline <seconds>', 'how long an effect may take', wholeFrom(1, 600), 30)
    .option('--strict', 'a warning is a no, too')
    // Node 20 takes --env-file for itself, wherever it stands.
    .option('--dotenv <path>', 'the file of the environment, to look at who may read it', '.env')
    .option('--out <directory>', 'where golive.md and golive.json go')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(async (url: string | undefined, flags: GoliveFlags) => {
      const { golive } = await import('./golive-run.js');
      const { text, exitCode } = await golive(url, flags, env, process.stdout);
      process.stdout.write(text);
      setExitCode(exitCode);
    });
}

export { addGoliveCommand };
