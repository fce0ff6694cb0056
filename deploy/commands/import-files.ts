/** `tether import-files DIR`: moves files on a local disk into the object store of a running node. */
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import type { Environment } from '../settings.js';
import type { ImportFlags } from './import-files-run.js';
import { wholeFrom } from './options.js';

const HELP = `
Every file below DIR is sent unless the node has it, read back and compared by SHA-256. Files are kept as uploads that are
not processed. A second run goes on where the first one ended. The exit code is 1 when a file is not there afterwards.

Examples:
  $ tether import-files storage/app/uploads --dry-run
  $ tether import-files storage/app/uploads --remove
`;

function addImportFilesCommand(
  program: Command,
  env: Environment,
  setExitCode: (code: number) => void,
): void {
  program
    .command('import-files <dir>')
    .description('move local files into the object store of a running node')
    .option('--dry-run', 'only say what would be done')
    .option('--remove', 'remove each file here once the node has given it back unchanged')
    .option('--concurrency <number>', 'files at one time', wholeFrom(1, 16), 2)
    .option(
      '--deadline <seconds>',
      'how long one file is tried while the node is away',
      wholeFrom(1, 86_400),
      60,
    )
    .option('--url <url>', 'the node (TETHER_URL; default: TETHER_HOST and TETHER_PORT)')
    .option('--data-dir <path>', 'where an embedded node keeps its API token (TETHER_DATA_DIR)')
    .option('--token <token>', 'API token, or env:NAME or file:/path (TETHER_API_TOKEN)')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', HELP)
    .action(async (directory: string, flags: ImportFlags) => {
      const { runImport } = await import('./import-files-run.js');
      const { text, complete } = await runImport(directory, flags, env);
      process.stdout.write(text);
      if (!complete) setExitCode(EXIT.failed);
    });
}

export { addImportFilesCommand };
