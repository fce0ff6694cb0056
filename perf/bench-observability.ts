/**
 * What it costs to be seen: a whole node with all that it measures, and with a tracing provider too, beside one whose threads measure nothing.
 * Every round measures each of them, in another order, and each begins with an empty log, so that none pays for what another left.
 *
 * Two numbers of each, as ratios round by round, with the interval of their median:
 * - acknowledgements a second. The machine's cores are full, and how they are shared between gateway, actors, Postgres and the load is the
 *   kernel's: of two equal nodes one is 10 % slower in one round of seconds and quicker in the next, so there are many short rounds
 * - messages that a second of the node's CPU acknowledges and handles, main thread and workers together: it hardly depends on that
 *
 * The provider records what is sampled already; webhooks here come without a trace. The times of the gateway and of group commits, two additions
 * each, are in all three.
 *
 * Run: npm run bench:observability -- [rounds, default 40] [seconds of each measurement, default 1]
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

const [rounds = 40, seconds = 1] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
const password = DEFAULT_ENDPOINT.secrets[0] ?? '';
const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;

const nodes = new Map<Subject, Node>();
try {
  const requestsFile = join(directory, 'requests');
  const traffic = empTraffic({ seed: SEED, count: REQUESTS, password, kinds: ['processing'] });
  writeRequests(
    requestsFile,
    Array.from(traffic, ({ body }) => formRequest(path, body)),
  );
  for (const subject of SUBJECTS) nodes.set(subject, await start(subject));
  const figures = new Map<Subject, Figures[]>(SUBJECTS.map((subject) => [subject, []]));
  const measure = async (subject: Subject, measured: number): Promise<Figures> => {
    const node = nodes.get(subject);
    if (node === undefined) throw new Error(`${subject} does not run`);
    const { port } = node.ready;
    const before = cpuSeconds(node.pid);
    const result = await runWrk({
      port,
      connections: CONNECTIONS,
      seconds: measured,
      requestsFile,
      serverPid: node.pid,
    });
    if (result.errors > 0) throw new Error(`${subject}: ${result.errors} requests were not acknowledged`);
    await until(`${subject} has handled all`, () => isDone(node), SETTLE_MS_MAX);
    return {
      acknowledged: result.requestsPerSecond,
      perCpuSecond: result.requests / (cpuSeconds(node.pid) - before),
    };
  };
  for (const subject of SUBJECTS) await measure(subject, 1);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < SUBJECTS.length; turn++) {
      const subject = SUBJECTS[(round + turn) % SUBJECTS.length] ?? 'none';
      figures.get(subject)?.push(await measure(subject, seconds));
    }
    if ((round + 1) % 10 === 0) process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  report(figures);
} finally {
  for (const node of nodes.values()) await node.stop();
  rmSync(directory, { recursive: true, force: true });
}

function start(subject: Subject): Promise<Node> {
  const provider = new URL('./subjects/tracing.js', import.meta.url).href;
  return startChild(
    new URL('./subjects/node.js', import.meta.url),
    [join(directory, subject), '{}', subject === 'none' ? 'unmeasured' : ''],
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

function report(figures: ReadonlyMap<Subject, readonly Figures[]>): void {
  const of = (subject: Subject, figure: keyof Figures) =>
    (figures.get(subject) ?? []).map((each) => each[figure]);
  const ratio = (subject: Subject, figure: keyof Figures) => {
    if (subject === 'none') return '';
    const none = of('none', figure);
    return showInterval(
      medianInterval(of(subject, figure).map((value, round) => value / (none[round] ?? Number.NaN))),
    );
  };
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}`,
  );
  console.log(
    'Median over the rounds, least and most in brackets; of ratios the 95 % interval of their median. The bar is 0.97.\n',
  );
  console.log(
    table(
      ['what', 'acknowledged/s', 'ratio', 'messages per CPU second', 'ratio'],
      SUBJECTS.map((subject) => [
        NAMES[subject],
        showSpread(spread(of(subject, 'acknowledged')), 0),
        ratio(subject, 'acknowledged'),
        showSpread(spread(of(subject, 'perCpuSecond')), 0),
        ratio(subject, 'perCpuSecond'),
      ]),
    ),
  );
}
