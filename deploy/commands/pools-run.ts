/** What `tether pools` and `tether drain` do, against the operations API of a running node (`gateway/api/pools.ts`). */
import { z } from 'zod';
import type { Environment } from '../settings.js';
import { connectToNode, type NodeClient, type NodeFlags } from './node-client.js';
import { textTable } from './table.js';

interface SetFlags extends NodeFlags {
  readonly min?: number;
  readonly max?: number;
  readonly batch?: number;
  readonly linger?: number;
  readonly inFlight?: number;
}
interface DrainFlags extends NodeFlags {
  /** Seconds. */
  readonly deadline: number;
}

const settingsSchema = z.object({
  min: z.number(),
  max: z.number(),
  batchMax: z.number(),
  lingerMs: z.number(),
  inFlightMax: z.number(),
});
const poolSchema = z.looseObject({
  actor: z.string(),
  mode: z.string(),
  threads: z.number(),
  inFlight: z.number(),
  settings: z.object({ current: settingsSchema, file: settingsSchema, differs: z.boolean() }),
  saved: z.object({ changedAt: z.string(), changedBy: z.string() }).nullable(),
});
const listSchema = z.object({ pools: z.array(poolSchema) });
type PoolJson = z.infer<typeof poolSchema>;

/** Between two looks at a pool that drains. */
const LOOK_MS = 200;
/** After its deadline the node should have given up. */
const PATIENCE_MS = 10_000;

async function listPools(flags: NodeFlags, env: Environment, columns?: number): Promise<string> {
  const node = await connectToNode(flags, env);
  const { pools } = await node.call('GET', '/api/pools', listSchema);
  if (flags.json === true) return `${JSON.stringify(pools)}\n`;
  return pools.length === 0 ? 'no pools\n' : poolTable(pools, columns);
}

function changeOf({ min, max, batch, linger, inFlight }: SetFlags): object {
  const given = { min, max, batchMax: batch, lingerMs: linger, inFlightMax: inFlight };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function setPool(actor: string, flags: SetFlags, env: Environment, columns?: number): Promise<string> {
  const node = await connectToNode(flags, env);
  return poolText(await node.call('PUT', pathOf(actor), poolSchema, changeOf(flags)), flags, columns);
}

async function tellPool(
  verb: 'reset' | 'pause' | 'resume',
  actor: string,
  flags: NodeFlags,
  env: Environment,
  columns?: number,
): Promise<string> {
  const node = await connectToNode(flags, env);
  const pool =
    verb === 'reset'
      ? await node.call('DELETE', `${pathOf(actor)}/settings`, poolSchema)
      : await node.call('POST', `${pathOf(actor)}/${verb}`, poolSchema);
  return poolText(pool, flags, columns);
}

interface DrainReport {
  readonly text: string;
  readonly failure: string | undefined;
}

async function drainPool(actor: string, flags: DrainFlags, env: Environment): Promise<DrainReport> {
  const node = await connectToNode(flags, env);
  const deadlineMs = flags.deadline * 1_000;
  const begun = await node.call('POST', `${pathOf(actor)}/drain`, poolSchema, { deadlineMs });
  const pool = await drained(node, begun, Date.now() + deadlineMs + PATIENCE_MS);
  const text = flags.json === true ? `${JSON.stringify(pool)}\n` : '';
  if (pool.mode === 'drained') {
    return { text: text || `${actor} is drained: nothing is in flight\n`, failure: undefined };
  }
  const left = `${pool.inFlight} messages in flight; the pool is ${pool.mode}`;
  return { text, failure: `${actor} did not drain within ${flags.deadline} s: ${left}` };
}

/** As it is when it drains no more, or, on a node that does not keep to its deadline, at the end of our patience. */
async function drained(node: NodeClient, begun: PoolJson, until: number): Promise<PoolJson> {
  let pool = begun;
  while (pool.mode === 'draining' && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    pool = await node.call('GET', pathOf(pool.actor), poolSchema);
  }
  return pool;
}

function pathOf(actor: string): string {
  return `/api/pools/${encodeURIComponent(actor)}`;
}

function poolText(pool: PoolJson, flags: NodeFlags, columns: number | undefined): string {
  return flags.json === true ? `${JSON.stringify(pool)}\n` : poolTable([pool], columns);
}

/** What differs from the file has the file's value behind it. */
function poolTable(pools: readonly PoolJson[], columns: number | undefined): string {
  const head = ['ACTOR', 'MODE', 'THREADS', 'MIN', 'MAX', 'BATCH', 'LINGER MS', 'IN FLIGHT', 'CHANGED'];
  const rows = pools.map(({ actor, mode, threads, settings: { current, file }, saved }) => {
    const values = (Object.keys(current) as (keyof typeof current)[]).map((name) =>
      current[name] === file[name] ? `${current[name]}` : `${current[name]} (${file[name]})`,
    );
    return [
      actor,
      mode,
      `${threads}`,
      ...values,
      saved === null ? '-' : `${saved.changedAt} ${saved.changedBy}`,
    ];
  });
  const differs = pools.some(({ settings }) => settings.differs);
  const note = 'in brackets: what the file says; `tether pools reset ACTOR` goes back to it\n';
  return `${textTable(head, rows, columns)}${differs ? note : ''}`;
}

export { changeOf, type DrainFlags, drainPool, listPools, type SetFlags, setPool, tellPool };
