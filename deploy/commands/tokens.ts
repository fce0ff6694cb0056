/** `tether tokens create|list|revoke`: bearer tokens of clients, made by a running node and known by their hash alone; `generate`: the operators'. */
import { type Command, InvalidArgumentError } from 'commander';
import { SCOPES } from '../../gateway/auth/client.js';
import type { Environment } from '../settings.js';
import type { NodeFlags } from './node-client.js';
import { addNodeOptions, wholeFrom } from './options.js';
import { columnsOf } from './table.js';
import type { CreateFlags } from './tokens-run.js';

const DAYS_MAX = 3650;

function addTokenCommands(program: Command, env: Environment): void {
  const tokens = program.command('tokens').description('bearer tokens of clients');
  const add = (usage: string, description: string) =>
    addNodeOptions(tokens.command(usage).description(description));

  add('create', 'make a token and print it, once')
    .requiredOption('--client <name>', 'whose token: a client sees its own uploads only')
    .requiredOption('--scopes <list>', `what it may do: ${SCOPES.join(', ')}`, parseScopes)
    .option('--note <text>', 'what it is for, for people')
    .option('--expires-in-days <days>', 'valid for so many days; else until revoked', wholeFrom(1, DAYS_MAX))
    .addHelpText(
      'after',
      '\nExample:\n  $ tether tokens create --client acme --scopes uploads:read,uploads:write --note "nightly export"\n',
    )
    .action(async (flags: CreateFlags) => {
      const { createToken } = await import('./tokens-run.js');
      const { text, hint } = await createToken(flags, env);
      process.stdout.write(text);
      process.stderr.write(`tether: ${hint}\n`);
    });

  tokens
    .command('generate')
    .description(
      'make a token for TETHER_API_TOKEN and print it, once, with the hash that the configuration can hold',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nIt needs no node. Give nodes the hash, and keep the token where operators keep theirs.\n',
    )
    .action(async (flags: { readonly json?: true }) => {
      const { generateToken } = await import('./tokens-run.js');
      const { text, hint } = generateToken(flags);
      process.stdout.write(text);
      process.stderr.write(`tether: ${hint}\n`);
    });

  add('list', 'list tokens, the latest first').action(async (flags: NodeFlags) => {
    const { listTokens } = await import('./tokens-run.js');
    process.stdout.write(await listTokens(flags, env, columnsOf(process.stdout)));
  });

  add('revoke <id>', 'end a token')
    .addHelpText('after', '\nExample:\n  $ tether tokens revoke 01890a5d-ac96-774b-bcce-b302099a8057\n')
    .action(async (id: string, flags: NodeFlags) => {
      const { revokeToken } = await import('./tokens-run.js');
      process.stdout.write(await revokeToken(id, flags, env));
    });
}

/** `a,b` */
function parseScopes(text: string): readonly string[] {
  const scopes = text.split(',').map((scope) => scope.trim());
  const known: readonly string[] = SCOPES;
  if (!scopes.every((scope) => known.includes(scope))) {
    throw new InvalidArgumentError(`Allowed are ${SCOPES.join(', ')}, with commas between them.`);
  }
  return [...new Set(scopes)];
}

export { addTokenCommands };
