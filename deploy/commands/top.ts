/** `tether top`: what a node is doing, on the terminal, second by second. */
import type { Command } from 'commander';
import type { Environment } from '../settings.js';
import { addNodeOptions } from './options.js';
import type { TopFlags } from './top-run.js';

const HELP = `
On a terminal a screen that follows the node; ? shows its keys. A token with the scope read shows all; keys that change
a pool need operate. Elsewhere --once prints what the screen would show, --json the status.

Examples:
  $ tether top
  $ tether top --url https://node-1.internal:8080 --token T
  $ tether top --json | jq .findings
`;

function addTopCommand(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  addNodeOptions(program.command('top').description('watch a node and its pools'))
    .option('--once', 'print one snapshot and end')
    .addHelpText('after', HELP)
    .action(async (flags: TopFlags) => {
      const { top } = await import('./top-run.js');
      setExitCode(await top(flags, env));
    });
}

export { addTopCommand };
