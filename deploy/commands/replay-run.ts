/** What `tether replay` does, against the operations API of a running node. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import type { Environment } from '../settings.js';
import { confirm } from './confirm.js';
import { connectToNode, type NodeFlags } from './node-client.js';
import { printable, textTable } from './table.js';

interface FilterFlags {
  readonly endpoint?: string;
  readonly kind?: string;
  readonly key?: string;
  readonly status?: string;
  readonly from?: string;
  readonly to?: string;
}
type StartFlags = NodeFlags &
  FilterFlags & {
    readonly all?: true;
    readonly target?: string;
    readonly rate: number;
    readonly forced?: true;
    readonly yes?: true;
    readonly dryRun?: true;
  };
type ListFlags = NodeFlags & { readonly state?: string; readonly limit: number };

const count = z.number();
const previewSchema = z.object({
  total: count.nullable(),
  atLeast: z.boolean(),
  leftOut: z.object({ payment: count, delayed: count }),
  endpoints: z.array(z.object({ endpoint: z.string(), events: count, oldest: count, latest: count })),
  effect: z.string(),
  warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
});

const replaySchema = z.object({
  id: z.string(),
  state: z.string(),
  select: z.unknown(),
  to: z.string().nullable(),
  forced: z.boolean(),
  rate: count,
  total: count.nullable(),
  seen: count,
  told: count,
  deliveries: count,
  leftOut: z.record(z.string(), count),
  perSecond: count.nullable(),
  secondsLeft: count.nullable(),
  createdAt: count,
  createdBy: z.string(),
  startedAt: count.nullable(),
  endedAt: count.nullable(),
  reason: z.string().nullable(),
});
type ReplayJson = z.output<typeof replaySchema>;
const listSchema = z.object({ replays: z.array(replaySchema) });

interface StartReport {
  readonly text: string;
  /** Why there is no replay, though there was something to replay. */
  readonly failure: string | undefined;
}

/** Undefined: nobody could be asked. */
type Ask = (question: string) => Promise<boolean | undefined>;
type Say = (text: string) => void;

const sayOnStderr: Say = (text) => void process.stderr.write(text);

/** @throws UsageError when it is forced, was not confirmed, and nobody can be asked */
async function startReplay(
  ids: readonly string[],
  flags: StartFlags,
  env: Environment,
  say = sayOnStderr,
  ask: Ask = confirm,
): Promise<StartReport> {
  const { target, forced = false, rate, json, dryRun, yes } = flags;
  const client = await connectToNode(flags, env);
  const body = {
    select: ids.length > 0 ? { ids } : { filter: filterOf(flags) },
    ...(target === undefined ? {} : { to: target }),
    forced,
  };
  const preview = await client.call('POST', '/api/replays/preview', previewSchema, body);
  if (dryRun === true) {
    return {
      text: json === true ? `${JSON.stringify(preview)}\n` : previewText(preview, rate),
      failure: undefined,
    };
  }
  say(previewText(preview, rate));
  if (preview.total === 0) return { text: '', failure: undefined };
  const answer = yes === true ? true : await ask('Replay them?');
  // A script that said --all means it; what has effects twice needs a word more.
  if (answer === undefined && forced) {
    throw new UsageError('nothing is forced without a terminal to ask on: give --yes');
  }
  if (answer === false) return { text: '', failure: 'not confirmed: nothing is replayed' };
  const replay = await client.call('POST', '/api/replays', replaySchema, { ...body, rate });
  return { text: json === true ? `${JSON.stringify(replay)}\n` : `${replay.id}\n`, failure: undefined };
}

async function listReplays(flags: ListFlags, env: Environment, columns?: number): Promise<string> {
  const client = await connectToNode(flags, env);
  const query = new URLSearchParams({ limit: String(flags.limit) });
  if (flags.state !== undefined) query.set('state', flags.state);
  const { replays } = await client.call('GET', `/api/replays?${query}`, listSchema);
  if (flags.json === true) return `${JSON.stringify(replays)}\n`;
  if (replays.length === 0) return 'no replays\n';
  const head = ['ID', 'STATE', 'PROGRESS', 'TOLD', 'TO', 'FORCED', 'BY', 'SINCE'];
  const rows = replays.map((replay) => [
    replay.id,
    replay.state,
    progressOf(replay),
    String(replay.told),
    replay.to ?? 'routes',
    replay.forced ? 'yes' : 'no',
    replay.createdBy,
    time(replay.createdAt),
  ]);
  return textTable(head, rows, columns);
}

async function showReplay(id: string, flags: NodeFlags, env: Environment): Promise<string> {
  const client = await connectToNode(flags, env);
  const replay = await client.call('GET', `/api/replays/${encodeURIComponent(id)}`, replaySchema);
  return flags.json === true ? `${JSON.stringify(replay)}\n` : replayText(replay);
}

async function commandReplay(
  id: string,
  command: 'pause' | 'resume' | 'cancel',
  flags: NodeFlags,
  env: Environment,
): Promise<string> {
  const client = await connectToNode(flags, env);
  const path = `/api/replays/${encodeURIComponent(id)}/${command}`;
  const replay = await client.call('POST', path, replaySchema);
  return flags.json === true ? `${JSON.stringify(replay)}\n` : `${replay.id} is ${replay.state}\n`;
}

function previewText(
  { effect, total, endpoints, warnings }: z.output<typeof previewSchema>,
  rate: number,
): string {
  const lines = [
    effect,
    ...endpoints.map(
      ({ endpoint, events, oldest, latest }) =>
        `  ${events} of endpoint ${endpoint}, accepted from ${time(oldest)} to ${time(latest)}`,
    ),
    ...(total === null || total === 0
      ? []
      : [`  at ${rate} a second: ${duration(Math.ceil(total / rate))} or more`]),
    ...warnings.map(({ detail }) => `  warning: ${detail}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function replayText(replay: ReplayJson): string {
  const { state, reason, secondsLeft, leftOut } = replay;
  const left = Object.entries(leftOut).map(([why, events]) => `${events} ${why}`);
  const rows: [string, string][] = [
    ['id', replay.id],
    ['state', reason === null ? state : `${state}: ${reason}`],
    ['events', JSON.stringify(replay.select)],
    ['to', replay.to ?? 'the routes of each endpoint'],
    ['forced', replay.forced ? 'yes' : 'no'],
    ['progress', progressOf(replay)],
    ['told', `${replay.told} events, ${replay.deliveries} deliveries`],
    ['left out', left.length === 0 ? 'none' : left.join(', ')],
    ['rate', `${replay.perSecond ?? '-'} a second, at most ${replay.rate}`],
    ['time left', secondsLeft === null ? '-' : duration(secondsLeft)],
    ['made', `${time(replay.createdAt)} by ${replay.createdBy}`],
    ['begun', replay.startedAt === null ? '-' : time(replay.startedAt)],
    ['ended', replay.endedAt === null ? '-' : time(replay.endedAt)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join('');
}

function progressOf({ seen, total }: ReplayJson): string {
  if (total === null) return String(seen);
  const share = total === 0 ? 100 : Math.min(100, Math.floor((seen / total) * 100));
  return `${seen} of ${total} (${share} %)`;
}

function filterOf({ endpoint, kind, key, status, from, to }: FilterFlags): Record<string, string> {
  const given = Object.entries({ endpoint, kind, key, status, from, to });
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

export { commandReplay, type ListFlags, listReplays, type StartFlags, showReplay, startReplay };
