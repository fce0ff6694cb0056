/**
 * What it costs to be seen: a whole node whose threads measure nothing, beside itself with all that it measures, and with a tracing provider
 * in each thread too.
 *
 * Two numbers of each, as ratios round by round, which a second of a busy machine does not tell to a few per cent:
 * - acknowledgements a second. The machine's cores are full, and how they are shared between gateway, actors, Postgres and the load is the
 *   kernel's
 * - messages that a second of the node's CPU acknowledges and handles, main thread and workers together
 *
 * Of two equal nodes one is a few per cent slower for as long as it lives. So it is one node that is told what to measure, again and again,
 * in turn; then the next node. Each round begins with an empty log. Said is the median over all rounds, with its 95 % interval.
 *
 * And one that is exact: the share that the functions which measure have in the CPU time of a node of its own, by a sampling profile of each thread. The
 * garbage that they make is not in it.
 *
 * The provider records what is sampled already; webhooks here come without a trace. The times of the gateway and of group commits, two additions
 * each, are in all three.
 *
 * Run: npm run bench:observability -- [nodes, default 4] [rounds of a node, default 9] [seconds of each measurement, default 1]
 * Needs Debian's package wrk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ENDPOINT } from '../deploy/endpoint.js';
import { empTraffic } from '../deploy/send/emp-traffic.js';
import { type Status, statusSchema } from '../gateway/api/status-schema.js';
import { until } from '../runtime/testing/until.js';
import { type Child, startChild } from './child.js';
import { cpuShare, profileClockUs } from './cpu-share.js';
import { medianInterval, showInterval } from './interval.js';
import { formRequest, runWrk, writeRequests } from './load/wrk.js';
import { cpuSeconds } from './process-stats.js';
import { NODE_STATES, type NodeState } from './subjects/node-state.js';
import { showSpread, spread, table } from './table.js';

const SEED = 20_261_126;
const REQUESTS = 20_000;
const CONNECTIONS = 64;
const ASK_MS_MAX = 5_000;
/** For what was acknowledged to be handled, before the next is measured. */
const SETTLE_MS_MAX = 180_000;
/**
 * Threads look once a second whether there is a tracing provider and what they are to measure, and say a second later that they do; the node looks
 * at that once a second. As long for each state: a node that rests for longer has a smaller heap after it.
 */
const FOLLOW_MS = 3_300;
const PROFILES = 3;
const PROFILE_US = 250;
const NAMES: Readonly<Record<NodeState, string>> = {
  none: 'threads measure nothing',
  measured: 'all is measured',
  traced: 'all is measured, and a tracing provider is there',
};

type Node = Child<{ readonly port: number; readonly apiToken: string }>;
/** One measurement: a second, and a second of the node's CPU. */
interface Figures {
  readonly acknowledged: number;
  readonly perCpuSecond: number;
}

type Round = Readonly<Record<NodeState, Figures>>;

const [nodes = 4, rounds = 9, seconds = 1] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
const password = DEFAULT_ENDPOINT.secrets[0] ?? '';
const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;

/** All orders, so that none is always the first, or always after the same. */
const ORDERS: readonly (readonly NodeState[])[] = [
  ['none', 'measured', 'traced'],
  ['traced', 'measured', 'none'],
  ['measured', 'traced', 'none'],
  ['none', 'traced', 'measured'],
  ['traced', 'none', 'measured'],
  ['measured', 'none', 'traced'],
];

try {
  const requestsFile = join(directory, 'requests');
  const traffic = empTraffic({ seed: SEED, count: REQUESTS, password, kinds: ['processing'] });
  writeRequests(
    requestsFile,
    Array.from(traffic, ({ body }) => formRequest(path, body)),
  );
  const all: Round[] = [];
  for (let at = 0; at < nodes; at++) {
    const ofNode = await measureNode(join(directory, `${at}`), requestsFile, at);
    const ratio = showInterval(medianInterval(ratios(ofNode, 'measured', 'acknowledged')));
    process.stderr.write(`node ${at + 1} of ${nodes}: ${ratio}\n`);
    all.push(...ofNode);
  }
  report(all);
  const shares: number[] = [];
  for (let at = 0; at < PROFILES; at++) {
    shares.push(await profileNode(join(directory, `profiled-${at}`), requestsFile));
  }
  const { median, min, max } = spread(shares.map((share) => share * 100));
  console.log(
    `\nIn functions that measure: ${median.toFixed(2)} % of the CPU time (${min.toFixed(2)} to ${max.toFixed(2)}, ${PROFILES} nodes).`,
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measureNode(dataDir: string, requestsFile: string, at: number): Promise<readonly Round[]> {
  const node: Node = await startChild(
    new URL('./subjects/node.js', import.meta.url),
    [dataDir],
    ['--import', new URL('./subjects/tracing.js', import.meta.url).href],
  );
  try {
    // What is compiled, and the first time that each message comes, is not measured.
    for (const state of [...NODE_STATES, ...NODE_STATES]) await measure(node, state, requestsFile);
    const figures: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      const found = new Map<NodeState, Figures>();
      for (const state of ORDERS[(at + round) % ORDERS.length] ?? NODE_STATES) {
        found.set(state, await measure(node, state, requestsFile));
      }
      figures.push(Object.fromEntries(found) as Record<NodeState, Figures>);
    }
    return figures;
  } finally {
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The share of what measures in the CPU time of a node. */
async function profileNode(dataDir: string, requestsFile: string): Promise<number> {
  const profiles = join(dataDir, 'profiles');
  const node: Node = await startChild(
    new URL('./subjects/node.js', import.meta.url),
    [join(dataDir, 'node')],
    ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-interval=${PROFILE_US}`],
  );
  let from = 0;
  try {
    for (let warm = 0; warm < 2; warm++) await measure(node, 'measured', requestsFile);
    from = profileClockUs();
    for (let round = 0; round < rounds; round++) await measure(node, 'measured', requestsFile);
  } finally {
    await node.stop();
  }
  return cpuShare(profiles, from, (url) => /\/runtime\/(measure\/|worker\/gauges\.js)/.test(url));
}

async function measure(node: Node, state: NodeState, requestsFile: string): Promise<Figures> {
  await node.ask({ state }, ASK_MS_MAX);
  await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
  // Of pools that nobody needs here the threads sleep.
  const threads = (await status(node)).pools.flatMap((pool) =>
    pool.threads.filter(({ mode }) => mode === 'ready'),
  );
  if (threads.some(({ busy }) => (busy !== null) !== (state !== 'none'))) {
    throw new Error(`the threads do not measure as they should: ${state}`);
  }
  const before = cpuSeconds(node.pid);
  const { port } = node.ready;
  const result = await runWrk({
    port,
    connections: CONNECTIONS,
    seconds,
    requestsFile,
    serverPid: node.pid,
  });
  if (result.errors > 0) throw new Error(`${result.errors} requests were not acknowledged`);
  await until('all is handled', async () => (await status(node)).log.lag === 0, SETTLE_MS_MAX);
  return {
    acknowledged: result.requestsPerSecond,
    perCpuSecond: result.requests / (cpuSeconds(node.pid) - before),
  };
}

/** What the node keeps of itself, which costs it next to nothing to tell. */
async function status({ ready: { port, apiToken } }: Node): Promise<Status> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/status`, {
    headers: { authorization: `Bearer ${apiToken}` },
  });
  return statusSchema.parse(await answer.json());
}

function report(all: readonly Round[]): void {
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${nodes} nodes, ${rounds} rounds of ${seconds} s each, ${CONNECTIONS} connections, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}`,
  );
  console.log(
    'Median over all rounds, least and most in brackets; of ratios the median and its 95 % interval. The bar is 0.97.\n',
  );
  const ratio = (state: NodeState, figure: keyof Figures) =>
    state === 'none' ? '' : showInterval(medianInterval(ratios(all, state, figure)));
  const figures = (state: NodeState, figure: keyof Figures) =>
    showSpread(spread(all.map((round) => round[state][figure])), 0);
  console.log(
    table(
      ['what', 'acknowledged/s', 'ratio', 'messages per CPU second', 'ratio'],
      NODE_STATES.map((state) => [
        NAMES[state],
        figures(state, 'acknowledged'),
        ratio(state, 'acknowledged'),
        figures(state, 'perCpuSecond'),
        ratio(state, 'perCpuSecond'),
      ]),
    ),
  );
}

/** Round by round beside itself while it measures nothing. */
function ratios(all: readonly Round[], state: NodeState, figure: keyof Figures): number[] {
  return all.map((round) => round[state][figure] / round.none[figure]);
}
