/** `tether ibans status|seal|unseal`: in which form IBANs stand in the tables, and to bring them into another one. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import type { IbanFlags } from './ibans-run.js';

const ENVIRONMENT = `
It works on the database of TETHER_DATABASE_URL, beside nodes that run; without the URL it starts the embedded Postgres of the data
directory, which no node may be using. The keys are those of TETHER_IBAN_KEYS.
`;

const SEAL_HELP = `
Rows in plain text and rows of other keys are sealed with the first key, 1,000 at a time. It can be stopped and run again: what is done is done.
${ENVIRONMENT}
Exit codes: 0 every IBAN is sealed with the first key, 1 some are not (it says which), 78 the configuration is refused, 130 and 143 interrupted.

Example, after a new key was put in front on all nodes:
  $ TETHER_IBAN_KEYS=2027:...,2026:... tether ibans seal
`;

const UNSEAL_HELP = `
The way back, before a release that knows no sealed IBANs: give the keys to this command and take them from the nodes. Uploads wait from
then on until it is done.
${ENVIRONMENT}`;

function addIbanCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  const ibans = program.command('ibans').description('encryption of IBANs in Postgres');
  const add = (name: string, description: string, help: string, run: keyof typeof import('./ibans-run.js')) =>
    ibans
      .command(name)
      .description(description)
      .option('--data-dir <path>', 'directory of the embedded Postgres (TETHER_DATA_DIR)')
      .option('--log-level <level>', 'lowest level of the log on stderr (TETHER_LOG_LEVEL)')
      .option('--json', 'print JSON')
      .addHelpText('after', help)
      .action(async (flags: IbanFlags) => {
        const commands = await import('./ibans-run.js');
        const { text, exitCode } = await commands[run](flags, env, process.stderr);
        process.stdout.write(text);
        setExitCode(exitCode);
      });
  add(
    'status',
    'count rows by the key that their IBAN is sealed with',
    `${ENVIRONMENT}
Exit codes: 0 every IBAN is sealed with the first key, or no key is set and none is sealed; 1 otherwise.
`,
    'ibanStatus',
  );
  add('seal', 'seal every IBAN with the first key: turn it on, or rotate', SEAL_HELP, 'sealIbans');
  add('unseal', 'write every IBAN in plain text again', UNSEAL_HELP, 'unsealIbans');
}

export { addIbanCommands };
