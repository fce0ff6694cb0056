/** What `tether dead list|show` and `tether dead replay ID...` do, against the operations API of a running node. */

import { NodeRequestError } from '../errors.js';
import type { Environment } from '../settings.js';
import { type BulkFlags, type FilterFlags, filterOf, replayAll } from './dead-bulk.js';
import {
  type DeadLetterJson,
  deadLetterListSchema,
  deadLetterSchema,
  deadLetterTable,
  deadLetterText,
  replayedSchema,
} from './dead-letter.js';
import { revealedSchema, revealedText } from './masked-payload.js';
import { connectToNode, type NodeClient, type NodeFlags } from './node-client.js';

type ListFlags = NodeFlags &
  FilterFlags & { readonly id?: string; readonly state: string; readonly limit: number };

type ShowFlags = NodeFlags & { readonly reveal?: true };

interface ListReport {
  readonly text: string;
  /** Why nothing may have been found. */
  readonly hint: string | undefined;
}

/** `columns`: the width of the terminal, if it is one. */
async function listDead(flags: ListFlags, env: Environment, columns?: number): Promise<ListReport> {
  const client = await connectToNode(flags, env);
  const letters = await list(client, flags);
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

async function showDead(id: string, flags: ShowFlags, env: Environment): Promise<string> {
  const client = await connectToNode(flags, env);
  const path = `/api/dead-letters/${encodeURIComponent(id)}`;
  const letter = await client.call('GET', path, deadLetterSchema);
  const whole =
    flags.reveal === true ? await client.call('POST', `${path}/reveal`, revealedSchema) : undefined;
  if (flags.json === true)
    return `${JSON.stringify(whole === undefined ? letter : { ...letter, revealed: whole })}\n`;
  return deadLetterText(letter, whole === undefined ? undefined : revealedText(whole));
}

interface ReplayReport {
  readonly text: string;
  /** A line for each that was not replayed. */
  readonly failures: readonly string[];
  readonly hint: string | undefined;
}

async function replayDead(ids: readonly string[], flags: BulkFlags, env: Environment): Promise<ReplayReport> {
  if (flags.all === true) {
    const { text, failures, total } = await replayAll(flags, env);
    return { text, failures, hint: total === 0 ? keyHint(flags.key) : undefined };
  }
  const client = await connectToNode(flags, env);
  const result = await replay(client, ids);
  const counts = `${result.replayed.length} replayed, ${result.failed.length} failed`;
  return {
    text: `${flags.json === true ? JSON.stringify(result) : counts}\n`,
    failures: result.failed.map(({ id, reason }) => `${id}: ${reason}`),
    hint: undefined,
  };
}

function listText(letters: readonly DeadLetterJson[], columns: number | undefined): string {
  return letters.length === 0 ? 'no dead letters\n' : deadLetterTable(letters, columns);
}

async function list(
  client: NodeClient,
  { id, state, limit, ...filter }: ListFlags,
): Promise<readonly DeadLetterJson[]> {
  const query = new URLSearchParams({ limit: String(limit), ...filterOf(filter) });
  if (id !== undefined) query.set('id', id);
  if (state !== 'all') query.set('state', state);
  return (await client.call('GET', `/api/dead-letters?${query}`, deadLetterListSchema)).deadLetters;
}

interface ReplayResult {
  readonly replayed: readonly string[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

/** One after another, so that messages of one key come back in the order in which they are listed. */
async function replay(client: NodeClient, ids: readonly string[]): Promise<ReplayResult> {
  const done: string[] = [];
  const failed: { id: string; reason: string }[] = [];
  for (const id of ids) {
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

export { type ListFlags, listDead, replayDead, type ShowFlags, showDead };
