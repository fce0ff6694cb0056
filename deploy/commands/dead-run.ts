/** What `tether dead list|show|replay` do, against the operations API of a running node. */
import type { Environment } from '../config.js';
import { NodeRequestError } from '../errors.js';
import {
  type DeadLetterJson,
  deadLetterListSchema,
  deadLetterSchema,
  deadLetterTable,
  deadLetterText,
  replayedSchema,
} from './dead-letter.js';
import { connectToNode, type NodeClient, type NodeFlags } from './node-client.js';

interface FilterFlags {
  readonly actor?: string;
  readonly key?: string;
}
type ListFlags = NodeFlags & FilterFlags & { readonly state: string; readonly limit: number };
type ReplayFlags = NodeFlags & FilterFlags & { readonly all?: true };

const PAGE = 1000;

interface ListReport {
  readonly text: string;
  /** Why nothing may have been found. */
  readonly hint: string | undefined;
}

/** `columns`: the width of the terminal, if it is one. */
async function listDead(flags: ListFlags, env: Environment, columns?: number): Promise<ListReport> {
  const client = await connectToNode(flags, env);
  const letters = await list(client, flags, flags.state === 'all' ? undefined : flags.state, flags.limit);
  return {
    text: flags.json === true ? `${JSON.stringify(letters)}\n` : listText(letters, columns),
    hint: letters.length === 0 ? keyHint(flags.key) : undefined,
  };
}

/** A payment's id alone is an easy mistake: it stands so in the table of payments. */
function keyHint(key: string | undefined): string | undefined {
  if (key === undefined || key.includes(':')) return undefined;
  return `the key of a payment has the form <endpoint>:<id>: try --key ${JSON.stringify(`emp:${key}`)}`;
}

async function showDead(id: string, flags: NodeFlags, env: Environment): Promise<string> {
  const client = await connectToNode(flags, env);
  const letter = await client.call('GET', `/api/dead-letters/${encodeURIComponent(id)}`, deadLetterSchema);
  return flags.json === true ? `${JSON.stringify(letter)}\n` : deadLetterText(letter);
}

interface ReplayReport {
  readonly text: string;
  /** A line for each that was not replayed. */
  readonly failures: readonly string[];
  readonly hint: string | undefined;
}

async function replayDead(
  ids: readonly string[],
  flags: ReplayFlags,
  env: Environment,
): Promise<ReplayReport> {
  const client = await connectToNode(flags, env);
  const result = await replay(client, flags.all === true ? waitingIds(client, flags) : ids);
  const counts = `${result.replayed.length} replayed, ${result.failed.length} failed`;
  return {
    text: `${flags.json === true ? JSON.stringify(result) : counts}\n`,
    failures: result.failed.map(({ id, reason }) => `${id}: ${reason}`),
    hint: result.replayed.length + result.failed.length === 0 ? keyHint(flags.key) : undefined,
  };
}

function listText(letters: readonly DeadLetterJson[], columns: number | undefined): string {
  return letters.length === 0 ? 'no dead letters\n' : deadLetterTable(letters, columns);
}

async function list(
  client: NodeClient,
  filter: FilterFlags,
  state: string | undefined,
  limit: number,
): Promise<readonly DeadLetterJson[]> {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries({ actor: filter.actor, key: filter.key, state })) {
    if (value !== undefined) query.set(name, value);
  }
  return (await client.call('GET', `/api/dead-letters?${query}`, deadLetterListSchema)).deadLetters;
}

/** The ids that wait, page by page. A message that dies again waits again: each id is given once, so it ends. */
async function* waitingIds(client: NodeClient, filter: FilterFlags): AsyncGenerator<string> {
  const given = new Set<string>();
  for (;;) {
    const fresh = (await list(client, filter, 'waiting', PAGE)).filter(
      ({ envelope }) => !given.has(envelope.id),
    );
    if (fresh.length === 0) return;
    for (const { envelope } of fresh) {
      given.add(envelope.id);
      yield envelope.id;
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
      await client.call('POST', `/api/dead-letters/${encodeURIComponent(id)}/replay`, replayedSchema);
      done.push(id);
    } catch (error) {
      if (!(error instanceof NodeRequestError)) throw error;
      failed.push({ id, reason: error.message });
    }
  }
  return { replayed: done, failed };
}

export { type ListFlags, listDead, type ReplayFlags, replayDead, showDead };
