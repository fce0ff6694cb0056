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
 * in turn; then the next node. Each round begins with an empty log.
 *
 * And one that is exact: the share that the functions which measure have in the CPU time of a node of its own, by a sampling profile of each thread. The
 * garbage that they make is not in it.
 *
 * The provider records what is sampled already; webhooks here come without a trace. The times of the gateway and of group commits, two additions
 * each, are in all three.
 *
 * `OBSERVABILITY_NODES` (default 4) says how many nodes are measured: 1 for a short try.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Status, statusSchema } from '../../gateway/api/status-schema.js';
import { until } from '../../runtime/testing/until.js';
import { type Child, startChild } from '../harness/child.js';
import { cpuShare, profileClockUs } from '../harness/cpu-share.js';
import { Findings } from '../harness/findings.js';
import { cpuSeconds } from '../harness/process-stats.js';
import { type Bench, type Scenario, WRK } from '../harness/scenario.js';
import { runWrk } from '../load/wrk.js';
import { NODE_STATES, type NodeState } from '../subjects/node-state.js';
import { bodiesOf, untilAtWork, writeNotifications } from './emp.js';

const SEED = 20_261_126;
const REQUESTS = 20_000;
const CONNECTIONS = 64;
const NODES = 4;
const PROFILES_MAX = 3;
const PROFILE_US = 250;
/** Of what a node does while it measures nothing. */
const BAR = 0.97;
const ASK_MS_MAX = 5_000;
/** For what was acknowledged to be handled, before the next is measured. */
const SETTLE_MS_MAX = 180_000;
/**
 * Threads look once a second whether there is a tracing provider and what they are to measure, and say a second later that they do; the node looks
 * at that once a second. As long for each state: a node that rests for longer has a smaller heap after it.
 */
const FOLLOW_MS = 3_300;
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
  readonly loadCores: number;
}

type Round = Readonly<Record<NodeState, Figures>>;

/** All orders, so that none is always the first, or always after the same. */
const ORDERS: readonly (readonly NodeState[])[] = [
  ['none', 'measured', 'traced'],
  ['traced', 'measured', 'none'],
  ['measured', 'traced', 'none'],
  ['none', 'traced', 'measured'],
  ['traced', 'none', 'measured'],
  ['measured', 'none', 'traced'],
];

/** What each measurement needs. */
interface Settings {
  readonly bench: Bench;
  readonly rounds: number;
  readonly seconds: number;
  readonly requestsFile: string;
}

export const observability: Scenario = {
  name: 'observability',
  title: 'What it costs to be seen',
  needs: [WRK],
  minutes: 16,
  isUsual: false,
  async run(bench) {
    const { rounds = 9, seconds = 1 } = bench;
    const nodes = Number(process.env.OBSERVABILITY_NODES ?? NODES);
    if (!(Number.isInteger(nodes) && nodes > 0))
      throw new RangeError(`OBSERVABILITY_NODES is ${nodes}, allowed is a whole number above 0`);
    const profiles = Math.min(nodes, PROFILES_MAX);
    const found = new Findings([
      `${nodes} nodes, one after the other, ${rounds} rounds of each; a round measures the node in each of three states, in a changing order, for ${seconds} s over ${CONNECTIONS} connections (closed loop, wrk with one thread). One node is compared with itself only.`,
      'Before each measurement the threads follow what they are told, and the log is empty.',
      'The tracing provider records what is sampled already, and webhooks here come without a trace.',
      `Share of the CPU time: of functions that measure, by a sampling profile of each thread of ${profiles} further nodes; the garbage that they make is not in it.`,
    ]);
    const requestsFile = join(bench.directory, 'requests');
    writeNotifications(requestsFile, bodiesOf(SEED, REQUESTS));
    const settings = { bench, rounds, seconds, requestsFile };
    const all: Round[] = [];
    for (let at = 0; at < nodes; at++) {
      all.push(...(await measureNode(settings, at)));
      bench.note(`node ${at + 1} of ${nodes}`);
    }
    const shares: number[] = [];
    for (let at = 0; at < profiles; at++) {
      shares.push((await profileNode(settings, at)) * 100);
      bench.note(`profile ${at + 1} of ${profiles}`);
    }
    tell(found, all);
    found.group('Share of the CPU time in functions that measure', '%', 'less', [
      { subject: NAMES.measured, role: 'tether', rounds: shares },
    ]);
    return found.done();
  },
};

async function measureNode(settings: Settings, at: number): Promise<readonly Round[]> {
  const dataDir = join(settings.bench.directory, `${at}`);
  const tracing = new URL('../subjects/tracing.js', import.meta.url).href;
  const node = await startNode(dataDir, ['--import', tracing]);
  try {
    await settings.bench.pinning.subject(node.pid);
    await untilAtWork(node.ready);
    // What is compiled, and the first time that each message comes, is not measured.
    for (const state of [...NODE_STATES, ...NODE_STATES]) await measure(node, state, settings);
    const figures: Round[] = [];
    for (let round = 0; round < settings.rounds; round++) {
      const found = new Map<NodeState, Figures>();
      for (const state of ORDERS[(at + round) % ORDERS.length] ?? NODE_STATES) {
        found.set(state, await measure(node, state, settings));
      }
      figures.push(Object.fromEntries(found) as Record<NodeState, Figures>);
    }
    return figures;
  } finally {
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function startNode(dataDir: string, execArgv: readonly string[]): Promise<Node> {
  return startChild(new URL('../subjects/node.js', import.meta.url), [dataDir], execArgv);
}

/** The share of what measures in the CPU time of a node. */
async function profileNode(settings: Settings, at: number): Promise<number> {
  const dataDir = join(settings.bench.directory, `profiled-${at}`);
  const profiles = join(dataDir, 'profiles');
  const profiling = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-interval=${PROFILE_US}`];
  const node = await startNode(join(dataDir, 'node'), profiling);
  let from = 0;
  try {
    await untilAtWork(node.ready);
    for (let warm = 0; warm < 2; warm++) await measure(node, 'measured', settings);
    from = profileClockUs();
    for (let round = 0; round < settings.rounds; round++) await measure(node, 'measured', settings);
  } finally {
    await node.stop();
  }
  return cpuShare(profiles, from, (url) => /\/runtime\/(measure\/|worker\/gauges\.js)/.test(url));
}

async function measure(node: Node, state: NodeState, settings: Settings): Promise<Figures> {
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
  const result = await runWrk({
    port: node.ready.port,
    connections: CONNECTIONS,
    seconds: settings.seconds,
    requestsFile: settings.requestsFile,
    serverPid: node.pid,
    pinning: settings.bench.pinning,
  });
  if (result.errors > 0) throw new Error(`${result.errors} requests were not acknowledged`);
  await until('all is handled', async () => (await status(node)).log.lag === 0, SETTLE_MS_MAX);
  return {
    acknowledged: result.requestsPerSecond,
    perCpuSecond: result.requests / (cpuSeconds(node.pid) - before),
    loadCores: result.loadCores,
  };
}

/** What the node keeps of itself, which costs it next to nothing to tell. */
async function status({ ready: { port, apiToken } }: Node): Promise<Status> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/status`, {
    headers: { authorization: `Bearer ${apiToken}` },
  });
  return statusSchema.parse(await answer.json());
}

function tell(found: Findings, all: readonly Round[]): void {
  const of = (state: NodeState, figure: keyof Figures) => all.map((round) => round[state][figure]);
  const runs = (figure: keyof Figures) =>
    NODE_STATES.map((state) => ({
      subject: NAMES[state],
      role: 'tether' as const,
      rounds: of(state, figure),
    }));
  found.group(`Acknowledged, ${CONNECTIONS} connections`, 'requests/s', 'more', runs('acknowledged'));
  found.group(
    'Acknowledged and handled with a second of CPU of the node',
    'messages',
    'more',
    runs('perCpuSecond'),
  );
  const figures = [
    ['acknowledged', 'acknowledged'],
    ['perCpuSecond', 'messages with a second of CPU'],
  ] as const;
  for (const [figure, title] of figures) {
    for (const state of ['measured', 'traced'] as const) {
      found.ratio(`${title}: ${NAMES[state]} / nothing`, of(state, figure), of('none', figure), {
        atLeast: BAR,
      });
    }
  }
  for (const state of NODE_STATES) found.loadCores(NAMES[state], of(state, 'loadCores'));
}
