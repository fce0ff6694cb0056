/** `tether dead list|show|replay`: look at dead letters of a running node and put them back on the log. */
import type { Command } from 'commander';
import { z } from 'zod';
import { type Environment, parseConfig } from '../config.js';
import {
  type DeadLetterDetail,
  type DeadLetterSummary,
  deadLetterDetailJson,
  deadLetterListJson,
} from '../dead-letter-json.js';
import { NodeRequestError, UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { apiTokenOf, createNodeClient, type NodeClient } from './node-client.js';
import { overridesOf, wholeFrom } from './options.js';

interface NodeFlags {
  readonly url?: string;
  readonly dataDir?: string;
  readonly token?: string;
  readonly json?: true;
}
interface FilterFlags {
  readonly actor?: string;
  readonly key?: string;
}
type ListFlags = NodeFlags & FilterFlags & { readonly state: string; readonly limit: number };
type ReplayFlags = NodeFlags & FilterFlags & { readonly all?: true };

const PAGE = 1000;
const replayed = z.object({ id: z.string(), state: z.string() });

function addDeadCommands(program: Command, env: Environment, setExitCode: (code: number) => void): void {
  const dead = program.command('dead').description('messages that could not be handled');
  const add = (usage: string, description: string) =>
    dead
      .command(usage)
      .description(description)
      .option('--url <url>', 'the node (TETHER_URL; default: TETHER_HOST and TETHER_PORT)')
      .option('--data-dir <path>', 'where an embedded node keeps its API token (TETHER_DATA_DIR)')
      .option('--token <token>', 'API token (TETHER_API_TOKEN)')
      .option('--json', 'print JSON');

  add('list', 'list dead letters')
    .option('--actor <type>', 'only of this actor')
    .option('--key <key>', 'only of this key')
    .option('--state <state>', 'waiting, replayed or all', 'waiting')
    .option('--limit <number>', 'at most so many', wholeFrom(1, PAGE), 100)
    .addHelpText('after', '\nExample:\n  $ tether dead list --actor payment --limit 20\n')
    .action(async (flags: ListFlags) => {
      if (!['waiting', 'replayed', 'all'].includes(flags.state)) {
        throw new UsageError(
          `--state is ${JSON.stringify(flags.state)}: allowed is waiting, replayed or all`,
        );
      }
      const client = await connect(flags, env);
      const letters = await list(client, flags, flags.state === 'all' ? undefined : flags.state, flags.limit);
      process.stdout.write(flags.json === true ? `${JSON.stringify(letters)}\n` : table(letters));
    });

  add('show <id>', 'show one dead letter with its cause and payload').action(
    async (id: string, flags: NodeFlags) => {
      const client = await connect(flags, env);
      const letter = await client.call(
        'GET',
        `/api/dead-letters/${encodeURIComponent(id)}`,
        deadLetterDetailJson,
      );
      process.stdout.write(flags.json === true ? `${JSON.stringify(letter)}\n` : detailText(letter));
    },
  );

  add('replay [ids...]', 'put dead letters back on the log')
    .option('--all', 'all that wait, filtered by --actor and --key')
    .option('--actor <type>', 'with --all: only of this actor')
    .option('--key <key>', 'with --all: only of this key')
    .addHelpText(
      'after',
      '\nExamples:\n  $ tether dead replay 01890a5d-ac96-774b-bcce-b302099a8057\n  $ tether dead replay --all --actor payment\n',
    )
    .action(async (ids: string[], flags: ReplayFlags) => {
      if (ids.length > 0 === (flags.all === true))
        throw new UsageError('replay takes ids, or --all, not both');
      if (flags.all !== true && (flags.actor ?? flags.key) !== undefined) {
        throw new UsageError('--actor and --key go with --all');
      }
      const client = await connect(flags, env);
      const result = await replay(client, flags.all === true ? waitingIds(client, flags) : ids);
      if (flags.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
      else process.stdout.write(`${result.replayed.length} replayed, ${result.failed.length} failed\n`);
      for (const { id, reason } of result.failed) process.stderr.write(`tether: ${id}: ${reason}\n`);
      if (result.failed.length > 0) setExitCode(EXIT.failed);
    });
}

async function connect(flags: NodeFlags, env: Environment): Promise<NodeClient> {
  const settings = parseConfig(
    env,
    overridesOf({
      ...(flags.url === undefined ? {} : { url: flags.url }),
      ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }),
    }),
  );
  return createNodeClient(settings.url, await apiTokenOf(settings, flags.token));
}

async function list(
  client: NodeClient,
  filter: FilterFlags,
  state: string | undefined,
  limit: number,
): Promise<readonly DeadLetterSummary[]> {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries({ actor: filter.actor, key: filter.key, state })) {
    if (value !== undefined) query.set(name, value);
  }
  return (await client.call('GET', `/api/dead-letters?${query}`, deadLetterListJson)).deadLetters;
}

/** The ids that wait, page by page. A message that dies again waits again: each id is given once, so it ends. */
async function* waitingIds(client: NodeClient, filter: FilterFlags): AsyncGenerator<string> {
  const given = new Set<string>();
  for (;;) {
    const fresh = (await list(client, filter, 'waiting', PAGE)).filter(({ id }) => !given.has(id));
    if (fresh.length === 0) return;
    for (const { id } of fresh) {
      given.add(id);
      yield id;
    }
  }
}

interface ReplayResult {
  readonly replayed: readonly string[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

/** One after another, so that messages of one key come back in the order in which they are listed. */
async function replay(
  client: NodeClient,
  ids: Iterable<string> | AsyncIterable<string>,
): Promise<ReplayResult> {
  const done: string[] = [];
  const failed: { id: string; reason: string }[] = [];
  for await (const id of ids) {
    try {
      await client.call('POST', `/api/dead-letters/${encodeURIComponent(id)}/replay`, replayed);
      done.push(id);
    } catch (error) {
      if (!(error instanceof NodeRequestError)) throw error;
      failed.push({ id, reason: error.message });
    }
  }
  return { replayed: done, failed };
}

/** What comes from a message may hold anything; a terminal gets no control characters of it. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

function table(letters: readonly DeadLetterSummary[]): string {
  if (letters.length === 0) return 'no dead letters\n';
  const head = ['ID', 'ACTOR', 'KEY', 'STATE', 'TRIES', 'SINCE', 'CAUSE'];
  const rows = letters.map(({ id, actor, key, state, attempts, deadAt, cause }) =>
    [id, actor, key, state, String(attempts), deadAt, `${cause.code}: ${cause.message}`].map(printable),
  );
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[head, ...rows].map(line).join('\n')}\n`;
}

function detailText(letter: DeadLetterDetail): string {
  const payload = Buffer.from(letter.payload, 'base64').toString('utf8');
  const rows: [string, string][] = [
    ['id', letter.id],
    ['actor', letter.actor],
    ['key', letter.key],
    ['dedupe', letter.dedupe],
    ['state', letter.state],
    ['attempts', String(letter.attempts)],
    ['received', letter.receivedAt],
    ['dead since', letter.deadAt],
    ['replayed', letter.replayedAt ?? '-'],
    ['cause', `${letter.cause.code}: ${letter.cause.message}`],
    ['payload', payload],
  ];
  const stack = (letter.cause.stack ?? '').split('\n').map((line) => `  ${printable(line)}\n`);
  return rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join('') + stack.join('');
}

export { addDeadCommands };
