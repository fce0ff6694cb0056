/** What the scenarios that send notifications of EMP have in common: to whom they go, and when their effects stand in Postgres. */
import type { Pool } from 'pg';
import { DEFAULT_ENDPOINT } from '../../deploy/endpoint.js';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { lagOf } from '../../deploy/test/node-metrics-text.js';
import { statusSchema } from '../../gateway/api/status-schema.js';
import { until } from '../../runtime/testing/until.js';
import { startChild } from '../harness/child.js';
import type { Bench } from '../harness/scenario.js';
import type { BlastResult } from '../load/blast.js';
import { formRequest, writeRequests } from '../load/wrk.js';

export const PASSWORD = DEFAULT_ENDPOINT.secrets[0] ?? '';
const START_MS_MAX = 60_000;
export const PATH = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;

export interface StartedNode {
  readonly pid: number;
  readonly port: number;
  readonly databaseUrl: string;
  readonly apiToken: string;
  stop(): Promise<void>;
}

/** The whole node in its embedded default, but for some keys of its configuration. */
export async function startNode(
  bench: Bench,
  directory: string,
  keys: Readonly<Record<string, string>> = {},
): Promise<StartedNode> {
  const { pid, ready, stop } = await startChild<Omit<StartedNode, 'pid' | 'stop'>>(
    new URL('../subjects/node.js', import.meta.url),
    [directory, JSON.stringify(keys)],
    bench.nodeOptions('the whole node'),
  );
  bench.onEnd(stop);
  await bench.pinning.subject(pid);
  const node = { pid, stop, ...ready };
  await untilAtWork(node);
  bench.profileFromNow('the whole node');
  return node;
}

/** A node takes webhooks before its database is there; then there are tables, and actors at work. */
export async function untilAtWork(node: Pick<StartedNode, 'port' | 'apiToken'>): Promise<void> {
  await until('the threads of the node have started', () => isAtWork(node), START_MS_MAX);
}

/** Threads start when the database is there; those that nobody needs yet are asleep. */
async function isAtWork({ port, apiToken }: Pick<StartedNode, 'port' | 'apiToken'>): Promise<boolean> {
  const headers = { authorization: `Bearer ${apiToken}` };
  const answer = await fetch(`http://127.0.0.1:${port}/api/status`, { headers });
  const { pools } = statusSchema.parse(await answer.json());
  const modes = pools.flatMap(({ threads }) => threads.map(({ mode }) => mode));
  return modes.includes('ready') && !modes.includes('starting');
}

/** Bodies of different notifications, of the kind that most of EMP's are. */
export function bodiesOf(seed: number, count: number): readonly string[] {
  return Array.from(
    empTraffic({ seed, count, password: PASSWORD, kinds: ['processing'] }),
    ({ body }) => body,
  );
}

/** Writes them as wrk's scripts read them. */
export function writeNotifications(file: string, bodies: readonly string[]): void {
  writeRequests(
    file,
    bodies.map((body) => formRequest(PATH, body)),
  );
}

export interface BlastOrder {
  readonly port: number;
  readonly connections: number;
  readonly count: number;
  readonly seed: number;
  readonly deadlineMs: number;
}

export interface Blast {
  /** Sends each of `count` different notifications once, as fast as they are acknowledged. */
  run(): Promise<BlastResult>;
}

/** Its requests are built and its connections open when this resolves. */
export async function preparedBlast({
  port,
  connections,
  count,
  seed,
  deadlineMs,
}: BlastOrder): Promise<Blast> {
  const args = [port, PATH, connections, count, seed, PASSWORD, 'processing'].map(String);
  const load = await startChild(new URL('../load/blast.js', import.meta.url), args);
  return { run: async () => (await load.ask({}, deadlineMs).finally(load.stop)) as BlastResult };
}

export type EventTable = 'events' | 'peer_events';

export async function rowsOf(pool: Pool, name: EventTable): Promise<number> {
  return Number((await pool.query(`select count(*) from ${name}`)).rows[0].count);
}

/** Resolves with how many there are when at least so many rows are there. @throws Error (rejects) after `deadlineMs` */
export async function rowsReach(
  pool: Pool,
  name: EventTable,
  rows: number,
  deadlineMs: number,
): Promise<number> {
  let found = 0;
  const look = async () => {
    found = await rowsOf(pool, name);
    return found >= rows;
  };
  await until(`${rows} rows in ${name}`, look, deadlineMs);
  return found;
}

/** The same, of exactly so many. @throws Error (rejects) when there are more, too */
export async function rowsBecome(
  pool: Pool,
  name: EventTable,
  rows: number,
  deadlineMs: number,
): Promise<void> {
  const found = await rowsReach(pool, name, rows, deadlineMs);
  if (found !== rows) throw new Error(`${name} has ${found - rows} rows too many`);
}

/** A request to the API of a node. @throws Error (rejects) with what it answered, unless that is a success */
export async function api(node: StartedNode, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${node.port}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${node.apiToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/**
 * Resolves when nothing is left on the log. By its metrics, which are of the moment: what `progressOf` reads may be a second old, and say of a short load that it
 * has not begun.
 */
export async function logEmpties({ port }: Pick<StartedNode, 'port'>, deadlineMs: number): Promise<void> {
  await until('the log is empty', async () => (await lagOf(`http://127.0.0.1:${port}`)) === 0, deadlineMs);
}

/** Messages that are on the log and not handled, and how many have been handled since the start. */
export async function progressOf(
  node: StartedNode,
): Promise<{ readonly lag: number; readonly done: number }> {
  const status = (await api(node, 'GET', '/api/status')) as {
    readonly log: { readonly lag: number };
    readonly totals: { readonly done: number };
  };
  return { lag: status.log.lag, done: status.totals.done };
}
