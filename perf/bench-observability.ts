/**
 * What it costs to be seen: a whole node with all that it measures, and with a tracing provider too, beside one whose threads measure nothing.
 *
 * Two numbers of each, as ratios round by round:
 * - acknowledgements a second. The machine's cores are full, and how they are shared between gateway, actors, Postgres and the load is the
 *   kernel's
 * - messages that a second of the node's CPU acknowledges and handles, main thread and workers together
 *
 * Of two equal nodes one is a few per cent slower for as long as it lives, and by more from second to second. So there are many short rounds,
 * each beginning with an empty log, in blocks: six, one for each order of the three, each with nodes of its own. Said is the median of the
 * blocks' medians, and the 95 % interval by drawing among the blocks.
 *
 * The provider records what is sampled already; webhooks here come without a trace. The times of the gateway and of group commits, two additions
 * each, are in all three.
 *
 * Run: npm run bench:observability -- [rounds of a block, default 8] [seconds of each measurement, default 1]
 * Needs Debian's package wrk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ENDPOINT } from '../deploy/endpoint.js';
import { empTraffic } from '../deploy/send/emp-traffic.js';
import { statusSchema } from '../gateway/api/status-schema.js';
import { until } from '../runtime/testing/until.js';
import { type Child, startChild } from './child.js';
import { medianInterval, showInterval } from './interval.js';
import { formRequest, runWrk, writeRequests } from './load/wrk.js';
import { cpuSeconds } from './process-stats.js';
import { showSpread, spread, table } from './table.js';

const SEED = 20_261_126;
const REQUESTS = 20_000;
const CONNECTIONS = 64;
/** For what was acknowledged to be handled, before the next is measured. */
const SETTLE_MS_MAX = 180_000;
const SUBJECTS = ['none', 'measured', 'traced'] as const;
type Subject = (typeof SUBJECTS)[number];
const NAMES: Readonly<Record<Subject, string>> = {
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

type Block = Record<Subject, Figures[]>;

const [rounds = 8, seconds = 1] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
const password = DEFAULT_ENDPOINT.secrets[0] ?? '';
const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;

/** All orders. */
const BLOCKS: readonly (readonly Subject[])[] = [
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
  const blocks: Block[] = [];
  for (const [at, order] of BLOCKS.entries()) {
    blocks.push(await measureBlock(order, requestsFile, `${at}`));
    process.stderr.write(`block ${at + 1} of ${BLOCKS.length}\n`);
  }
  report(blocks);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measureBlock(order: readonly Subject[], requestsFile: string, name: string): Promise<Block> {
  const nodes = new Map<Subject, Node>();
  const figures: Block = { none: [], measured: [], traced: [] };
  try {
    for (const subject of order) nodes.set(subject, await start(subject, join(directory, name, subject)));
    const measure = async (subject: Subject): Promise<Figures> => {
      const node = nodes.get(subject);
      if (node === undefined) throw new Error(`${subject} does not run`);
      return measureNode(node, requestsFile);
    };
    // What they compile, and the first time that each message comes, is not measured.
    for (const subject of [...order, ...order]) await measure(subject);
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < order.length; turn++) {
        const subject = order[(round + turn) % order.length] ?? 'none';
        figures[subject].push(await measure(subject));
      }
    }
    return figures;
  } finally {
    for (const node of nodes.values()) await node.stop();
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

async function measureNode(node: Node, requestsFile: string): Promise<Figures> {
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
  await until('all is handled', () => isDone(node), SETTLE_MS_MAX);
  return {
    acknowledged: result.requestsPerSecond,
    perCpuSecond: result.requests / (cpuSeconds(node.pid) - before),
  };
}

function start(subject: Subject, dataDir: string): Promise<Node> {
  const provider = new URL('./subjects/tracing.js', import.meta.url).href;
  return startChild(
    new URL('./subjects/node.js', import.meta.url),
    [dataDir, '{}', subject === 'none' ? 'unmeasured' : ''],
    subject === 'traced' ? ['--import', provider] : [],
  );
}

/** Whether nothing waits: by what the node keeps of itself, which costs it next to nothing to tell. */
async function isDone({ ready: { port, apiToken } }: Node): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/status`, {
    headers: { authorization: `Bearer ${apiToken}` },
  });
  return statusSchema.parse(await answer.json()).log.lag === 0;
}

function report(blocks: readonly Block[]): void {
  const all = (subject: Subject, figure: keyof Figures) =>
    blocks.flatMap((block) => block[subject].map((each) => each[figure]));
  const ratio = (subject: Subject, figure: keyof Figures) =>
    subject === 'none'
      ? ''
      : showInterval(medianInterval(blocks.map((block) => ratioIn(block, subject, figure))));
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${blocks.length} blocks of ${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}`,
  );
  console.log(
    'Median over all rounds, least and most in brackets; of ratios the median over the blocks and its 95 % interval. The bar is 0.97.\n',
  );
  console.log(
    table(
      ['what', 'acknowledged/s', 'ratio', 'messages per CPU second', 'ratio'],
      SUBJECTS.map((subject) => [
        NAMES[subject],
        showSpread(spread(all(subject, 'acknowledged')), 0),
        ratio(subject, 'acknowledged'),
        showSpread(spread(all(subject, 'perCpuSecond')), 0),
        ratio(subject, 'perCpuSecond'),
      ]),
    ),
  );
}

/** The median of a block, round by round beside the one that measures nothing. */
function ratioIn(block: Block, subject: Subject, figure: keyof Figures): number {
  return spread(
    block[subject].map((each, round) => each[figure] / (block.none[round]?.[figure] ?? Number.NaN)),
  ).median;
}
