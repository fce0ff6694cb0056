/** `tether dead replay --all` and `tether dead drop`: what will happen, a question on a terminal, and the node's bulk routes until none is left. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import type { Environment } from '../settings.js';
import { confirm } from './confirm.js';
import { connectToNode, type NodeClient, type NodeFlags } from './node-client.js';
import { printable } from './table.js';

interface FilterFlags {
  readonly actor?: string;
  readonly key?: string;
  readonly endpoint?: string;
  readonly code?: string;
  readonly from?: string;
  readonly to?: string;
}
type BulkFlags = NodeFlags & FilterFlags & { readonly all?: true; readonly yes?: true };

const count = z.number();
const previewSchema = z.object({
  at: z.number(),
  total: count,
  keys: count,
  oldest: z.number().nullable(),
  latest: z.number().nullable(),
  actors: z.array(z.object({ actor: z.string(), count, pool: z.string().nullable() })),
  codes: z.array(z.object({ code: z.string(), count, atOnce: count })),
  effect: z.object({ replay: z.string(), drop: z.string() }),
  warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
});
type Preview = z.output<typeof previewSchema>;

const replaySchema = z.object({
  replayed: count,
  failed: count,
  failures: z.array(z.object({ id: z.string(), reason: z.string() })),
  left: count,
  stopped: z.string().nullable(),
});
const dropSchema = z.object({ dropped: count, left: count });

/** One request has so many ids. */
const IDS_MAX = 1_000;
/** Each takes 100,000 letters, or as many as its time allows. */
const CALLS_MAX = 1_000;
const FAILURES_MAX = 100;

interface BulkReport {
  readonly text: string;
  /** For stderr; there are some when not all was done. */
  readonly failures: readonly string[];
  readonly total: number;
}

/** What says `what` when the user said no, or could not be asked. */
type Ask = (question: string) => Promise<boolean | undefined>;
type Say = (text: string) => void;

const sayOnStderr: Say = (text) => void process.stderr.write(text);

/** Without a terminal it is not asked for: a script that said --all means it. */
async function replayAll(
  flags: BulkFlags,
  env: Environment,
  say = sayOnStderr,
  ask: Ask = confirm,
): Promise<BulkReport> {
  const client = await connectToNode(flags, env);
  const { preview, filter } = await look(client, flags, say, 'replay');
  const done = {
    replayed: 0,
    failed: 0,
    failures: [] as { id: string; reason: string }[],
    left: 0,
    stopped: null as string | null,
  };
  if (preview.total === 0) return replayReport(flags, done, 0);
  if (flags.yes !== true && (await ask('Replay them?')) === false) {
    return replayReport(flags, { ...done, left: preview.total, stopped: 'not confirmed' }, preview.total);
  }
  for (let call = 0; call < CALLS_MAX; call++) {
    const result = await client.call('POST', '/api/dead-letters/replay', replaySchema, { filter });
    done.replayed += result.replayed;
    // Those that failed wait on, and fail again in the next call.
    done.failed = result.failed;
    done.failures = result.failures.slice(0, FAILURES_MAX);
    done.left = result.left;
    done.stopped = result.stopped;
    const stands = result.replayed === 0 || (result.stopped ?? 'deadline') !== 'deadline';
    if (result.left === 0 || stands) break;
  }
  return replayReport(flags, done, preview.total);
}

function replayReport({ json }: BulkFlags, done: z.output<typeof replaySchema>, total: number): BulkReport {
  const counts = `${done.replayed} replayed, ${done.failed} failed${done.left === 0 ? '' : `, ${done.left} left`}`;
  return {
    text: `${json === true ? JSON.stringify(done) : counts}\n`,
    failures: [
      ...done.failures.map(({ id, reason }) => `${id}: ${reason}`),
      ...(done.left === 0 ? [] : [`${done.left} dead letters wait still: ${done.stopped ?? 'unknown'}`]),
    ],
    total,
  };
}

/** @throws UsageError when it was not confirmed and nobody can be asked */
async function dropDead(
  ids: readonly string[],
  flags: BulkFlags,
  env: Environment,
  say = sayOnStderr,
  ask: Ask = confirm,
): Promise<BulkReport> {
  const client = await connectToNode(flags, env);
  const { preview, filter } = await look(client, flags, say, 'drop', ids);
  let dropped = 0;
  let left = preview.total;
  if (preview.total > 0) {
    const answer = flags.yes === true ? true : await ask('Drop them?');
    if (answer === undefined)
      throw new UsageError('nothing is dropped without a terminal to ask on: give --yes');
    if (answer) {
      const bodies = ids.length === 0 ? undefined : chunks(ids).map((chunk) => ({ ids: chunk }));
      left = 0;
      for (const body of bodies ?? repeat({ filter })) {
        const result = await client.call('POST', '/api/dead-letters/drop', dropSchema, body);
        dropped += result.dropped;
        if (bodies === undefined) left = result.left;
        else left += result.left;
        if (bodies === undefined && (result.left === 0 || result.dropped === 0)) break;
      }
    }
  }
  // Of the given ids: those that are unknown, or wait no more.
  const missing = ids.length === 0 ? 0 : Math.max(ids.length - dropped - left, 0);
  return {
    text: `${flags.json === true ? JSON.stringify({ dropped, left }) : `${dropped} dropped`}\n`,
    failures: [
      ...(left === 0 ? [] : [`${left} dead letters wait still`]),
      ...(missing === 0 ? [] : [`${missing} of the ids are of no dead letter that waits`]),
    ],
    total: preview.total,
  };
}

/** The preview, told; and the filter without what dies from then on, so that a call after a call comes to an end. */
async function look(
  client: NodeClient,
  flags: BulkFlags,
  say: Say,
  what: 'replay' | 'drop',
  ids: readonly string[] = [],
): Promise<{ readonly preview: Preview; readonly filter: Record<string, string | number> }> {
  const filter = filterOf(flags);
  const bodies = ids.length === 0 ? [{ filter }] : chunks(ids).map((chunk) => ({ ids: chunk }));
  let preview: Preview | undefined;
  for (const body of bodies) {
    const part = await client.call('POST', '/api/dead-letters/preview', previewSchema, body);
    if (part.total > 0) say(previewText(part, what));
    preview = { ...part, total: part.total + (preview?.total ?? 0) };
  }
  if (preview === undefined) throw new TypeError('there is one body at least');
  return { preview, filter: { ...filter, to: flags.to ?? preview.at } };
}

function previewText(
  { effect, codes, actors, oldest, latest, warnings }: Preview,
  what: 'replay' | 'drop',
): string {
  const time = (ms: number | null) => (ms === null ? '-' : new Date(ms).toISOString());
  const lines = [
    effect[what],
    ...actors.map(
      ({ actor, count, pool }) => `  ${count} of actor ${actor}${pool === null ? '' : `, pool ${pool}`}`,
    ),
    ...codes.map(({ code, count }) => `  ${count} with ${code}`),
    ...(oldest === null ? [] : [`  dead from ${time(oldest)} to ${time(latest)}`]),
    ...warnings
      .filter(({ code }) => what === 'replay' || code === 'several-calls')
      .map(({ detail }) => `  warning: ${detail}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function filterOf({ actor, key, endpoint, code, from, to }: FilterFlags): Record<string, string> {
  const given = Object.entries({ actor, key, endpoint, code, from, to });
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function chunks(ids: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / IDS_MAX) }, (_, at) =>
    ids.slice(at * IDS_MAX, (at + 1) * IDS_MAX),
  );
}

function* repeat<Value>(value: Value): Generator<Value> {
  for (let call = 0; call < CALLS_MAX; call++) yield value;
}

export { type BulkFlags, dropDead, type FilterFlags, filterOf, replayAll };
