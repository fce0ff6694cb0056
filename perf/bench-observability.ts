/**
 * What it costs to be seen: acknowledgements a second of the whole node with all that it measures, and with a tracing provider too, beside one
 * whose threads measure nothing. Every round measures each of them, in another order, and each begins with an empty log, so that none pays
 * for what another left.
 *
 * The provider records what is sampled already; webhooks here come without a trace. The times of the gateway and of group commits, two additions
 * each, are in all three.
 *
 * Run: npm run bench:observability -- [rounds, default 9] [seconds of each measurement, default 3]
 * Needs Debian's package wrk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_ENDPOINT } from '../deploy/endpoint.js';
import { empTraffic } from '../deploy/send/emp-traffic.js';
import { lagOf } from '../deploy/test/node-metrics-text.js';
import { until } from '../runtime/testing/until.js';
import { type Child, startChild } from './child.js';
import { formRequest, runWrk, writeRequests } from './load/wrk.js';
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

type Node = Child<{ readonly port: number }>;

const [rounds = 9, seconds = 3] = process.argv.slice(2).map(Number);
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
  const rates = new Map<Subject, number[]>(SUBJECTS.map((subject) => [subject, []]));
  const measure = async (subject: Subject, measured: number) => {
    const node = nodes.get(subject);
    if (node === undefined) throw new Error(`${subject} does not run`);
    const { port } = node.ready;
    const result = await runWrk({
      port,
      connections: CONNECTIONS,
      seconds: measured,
      requestsFile,
      serverPid: node.pid,
    });
    if (result.errors > 0) throw new Error(`${subject}: ${result.errors} requests were not acknowledged`);
    const url = `http://127.0.0.1:${port}`;
    await until(
      `${subject} has handled all`,
      async () => (await lagOf(url).catch(() => 1)) === 0,
      SETTLE_MS_MAX,
    );
    return result.requestsPerSecond;
  };
  for (const subject of SUBJECTS) await measure(subject, 1);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < SUBJECTS.length; turn++) {
      const subject = SUBJECTS[(round + turn) % SUBJECTS.length] ?? 'none';
      rates.get(subject)?.push(await measure(subject, seconds));
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  report(rates);
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

function report(rates: ReadonlyMap<Subject, readonly number[]>): void {
  const of = (subject: Subject) => rates.get(subject) ?? [];
  const ratio = (subject: Subject) =>
    showSpread(spread(of(subject).map((rate, round) => rate / (of('none')[round] ?? Number.NaN))), 3);
  const { model = 'unknown' } = cpus()[0] ?? {};
  console.log(
    `${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}`,
  );
  console.log('Median over the rounds, least and most in brackets.\n');
  console.log(
    table(
      ['what', 'acknowledged/s', 'ratio, round by round', 'bar'],
      SUBJECTS.map((subject) => [
        NAMES[subject],
        showSpread(spread(of(subject)), 0),
        subject === 'none' ? '' : ratio(subject),
        subject === 'none' ? '' : 'at least 0.97',
      ]),
    ),
  );
}
