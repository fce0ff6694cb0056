/**
 * How fast a webhook is acknowledged durably, beside the limits (a bare uWebSockets.js handler, a bare synced write) and what a team would build
 * instead. Closed loop at 512, 64 and 1 connections; then an open loop at half of the highest rate, which tells what a sender waits.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../harness/child.js';
import { Findings } from '../harness/findings.js';
import { percentileMs } from '../harness/latencies.js';
import type { Role } from '../harness/results.js';
import { interleaved, warmedUp } from '../harness/rounds.js';
import { type Bench, PEER_NEEDS, type Scenario, WRK } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import { bareSyncUs } from '../limits/synced-write.js';
import type { OpenLoopResult } from '../load/open-loop.js';
import { runWrk, type WrkResult } from '../load/wrk.js';
import { PEER_NAMES, PEERS, startPeer } from '../peers/webhook-peers.js';
import {
  bodiesOf,
  logEmpties,
  PASSWORD,
  PATH,
  preparedBlast,
  type StartedNode,
  startNode,
  writeNotifications,
} from './emp.js';

const SEED = 20_261_124;
const REQUESTS = 20_000;
const CONNECTIONS = [512, 64, 1] as const;
/** Of peers: they are no faster with more. */
const PEER_CONNECTIONS = 64;
const DISK_WRITES = 500;
const OPEN_CONNECTIONS = 64;
const OPEN_MS_MAX = 120_000;
/** Of the generator. */
const WARM_UP_SECONDS = 1;
/** For the rate at which the node processes. */
const PROCESSED = 20_000;

interface Subject {
  readonly name: string;
  readonly role: Role;
  readonly port: number;
  readonly pid: number;
  /** Of the whole node. */
  readonly node?: StartedNode;
}

export const ack: Scenario = {
  name: 'ack',
  title: 'Durable acknowledgements',
  needs: [WRK, ...PEER_NEEDS],
  minutes: 5,
  isUsual: true,
  async run(bench) {
    const { rounds = 5, seconds = 3 } = bench;
    const requestsFile = join(bench.directory, 'requests');
    writeNotifications(requestsFile, bodiesOf(SEED, REQUESTS));
    const found = new Findings([
      `${rounds} rounds; each measures every subject for ${seconds} s at 512, at 64 and at 1 connections, peers at 64 (closed loop, wrk with one thread, signed EMP notifications built before the run).`,
      'Tether is measured twice: gateway and journal with a reader that commits at once, and the whole node, whose actors and Postgres share the cores with it.',
      'Peers only keep their jobs here: no worker is at work.',
      'A synced write is 4 KiB written and synced (fdatasync) in a preallocated file on the same disk.',
    ]);
    const subjects = await startSubjects(bench);
    const measure = (subject: Subject, connections: number, measured = seconds) =>
      runWrk({
        port: subject.port,
        connections,
        seconds: measured,
        requestsFile,
        serverPid: subject.pid,
        pinning: bench.pinning,
      });
    for (const subject of subjects) {
      const steady = await warmedUp(async () => (await measure(subject, 64, 1)).requestsPerSecond);
      if (!steady) found.warn(`${subject.name}: its rate did not become steady in the warm-up`);
    }
    const results = new Map<number, ReadonlyMap<Subject, readonly WrkResult[]>>();
    for (const connections of CONNECTIONS) {
      const some = subjects.filter(({ role }) => role !== 'peer' || connections === PEER_CONNECTIONS);
      const measured = await interleaved(some, rounds, async (subject, round) => {
        const result = await measure(subject, connections);
        if (result.errors > 0)
          throw new Error(`${subject.name}: ${result.errors} requests were not acknowledged`);
        bench.note(`${connections} connections, round ${round + 1} of ${rounds}: ${subject.name}`);
        return result;
      });
      results.set(connections, measured);
    }
    const disk = Array.from({ length: rounds }, () => bareSyncUs(bench.directory, DISK_WRITES));
    tellClosed(found, subjects, results, disk);
    await openLoop(bench, found, subjects, results.get(64) ?? new Map());
    return found.done();
  },
};

async function startSubjects(bench: Bench): Promise<readonly Subject[]> {
  const { directory } = bench;
  const start = async (name: string, role: Role, module: string, ...args: string[]) => {
    const child = await startChild<{ readonly port: number }>(
      new URL(module, import.meta.url),
      args,
      role === 'tether' ? bench.nodeOptions(name) : [],
    );
    bench.onEnd(() => child.stop());
    await bench.pinning.subject(child.pid);
    bench.profileFromNow(name);
    return { name, role, pid: child.pid, ...child.ready };
  };
  mkdirSync(join(directory, 'edge'));
  const own = [
    await start('bare uWebSockets.js, nothing kept', 'limit', '../subjects/bare.js'),
    await start('Tether: gateway and journal', 'tether', '../subjects/edge.js', join(directory, 'edge')),
  ];
  const node = await startNode(bench, join(directory, 'node'));
  const whole: Subject = {
    name: 'Tether: the whole node',
    role: 'tether',
    port: node.port,
    pid: node.pid,
    node,
  };
  const { databaseUrl } = node;
  const peers: Subject[] = [];
  for (const name of PEER_NAMES) {
    const { title, isSynced } = PEERS[name];
    const peer = await startPeer(name, { directory, databaseUrl, password: PASSWORD, worker: false });
    bench.onEnd(peer.stop);
    for (const pid of [peer.serverPid, peer.storePid])
      if (pid !== undefined) await bench.pinning.subject(pid);
    peers.push({
      name: title + (isSynced ? '' : ' (not synced)'),
      role: 'peer',
      port: peer.port,
      pid: peer.serverPid,
    });
  }
  return [...own, whole, ...peers];
}

function tellClosed(
  found: Findings,
  subjects: readonly Subject[],
  results: ReadonlyMap<number, ReadonlyMap<Subject, readonly WrkResult[]>>,
  disk: readonly number[],
): void {
  const of = (connections: number, subject: Subject | undefined, read: (run: WrkResult) => number) =>
    subject === undefined ? [] : (results.get(connections)?.get(subject) ?? []).map(read);
  const runs = (connections: number, read: (run: WrkResult) => number) =>
    subjects.map((subject) => ({
      subject: subject.name,
      role: subject.role,
      rounds: of(connections, subject, read),
    }));
  const rate = ({ requestsPerSecond }: WrkResult) => requestsPerSecond;
  for (const connections of CONNECTIONS) {
    const at = `${connections} connection${connections === 1 ? '' : 's'}`;
    found.group(`Acknowledged, ${at}`, 'requests/s', 'more', runs(connections, rate));
    for (const subject of results.get(connections)?.keys() ?? [])
      found.loadCores(
        `${subject.name}, ${at}`,
        of(connections, subject, ({ loadCores }) => loadCores),
      );
  }
  found.group('Median answer, 1 connection', 'us', 'less', [
    ...runs(1, ({ latency }) => percentileMs(latency, 50) * 1_000),
    { subject: 'bare 4 KiB write and fdatasync', role: 'limit', rounds: disk },
  ]);
  found.group(
    'CPU of the server for an answer, 64 connections',
    'us',
    'less',
    runs(64, ({ serverCores, requestsPerSecond }) => (serverCores / requestsPerSecond) * 1e6),
  );
  found.latencies(
    'Answers, 64 connections, closed loop',
    subjects.map((subject) => ({
      subject: subject.name,
      role: subject.role,
      rounds:
        results
          .get(64)
          ?.get(subject)
          ?.map(({ latency }) => latency) ?? [],
    })),
  );
  const [bare, edge, node, ...peers] = subjects;
  found.ratio('512 connections, Tether / bare uWebSockets.js', of(512, edge, rate), of(512, bare, rate), {
    atLeast: 0.75,
  });
  found.ratio('64 connections, Tether / bare uWebSockets.js', of(64, edge, rate), of(64, bare, rate), {
    atLeast: 0.4,
  });
  const single = of(1, edge, ({ latency }) => percentileMs(latency, 50) * 1_000);
  found.ratio('1 connection, median answer / bare write and fdatasync', single, disk, { atMost: 1.8 });
  for (const peer of peers) {
    found.ratio(`64 connections, Tether / ${peer.name}`, of(64, edge, rate), of(64, peer, rate));
    found.ratio(`64 connections, whole node / ${peer.name}`, of(64, node, rate), of(64, peer, rate));
  }
}

/** At half of what each can do for good: what the closed loop took; of the whole node what it processes, for else its backlog would grow. */
async function openLoop(
  bench: Bench,
  found: Findings,
  subjects: readonly Subject[],
  closed: ReadonlyMap<Subject, readonly WrkResult[]>,
): Promise<void> {
  const { rounds = 5, seconds = 3 } = bench;
  found.method(
    `Open loop: ${rounds} rounds of ${seconds} s over ${OPEN_CONNECTIONS} connections, after ${WARM_UP_SECONDS} s that warms up the generator, at half of the subject's own rate: that of the closed loop of 64; of the whole node that at which it processes, acknowledged to committed, and to it each notification is new. In the closed loop the same ${REQUESTS.toLocaleString('en')} come over and over. A latency counts from the moment at which its request was due.`,
  );
  const own = subjects.filter(({ role }) => role !== 'peer');
  const node = own.find((subject) => subject.node !== undefined);
  const processed = node?.node === undefined ? Number.NaN : await processedPerSecond(node.node);
  const measured = await interleaved(own, rounds, async (subject, round) => {
    const rates = (closed.get(subject) ?? []).map((run) => run.requestsPerSecond);
    const rate = (subject === node ? processed : spread(rates).median) / 2;
    // A repeat costs the actors less than what is new, and to the edge all are alike.
    const prepared = subject === node ? Math.ceil(rate * (WARM_UP_SECONDS + seconds)) : REQUESTS;
    const args = [subject.port, PATH, PASSWORD, OPEN_CONNECTIONS, SEED + 2_000 + round, prepared];
    const load = await startChild(new URL('../load/open-loop.js', import.meta.url), args.map(String));
    try {
      await load.ask({ rate, seconds: WARM_UP_SECONDS }, OPEN_MS_MAX);
      const result = (await load.ask({ rate, seconds }, OPEN_MS_MAX)) as OpenLoopResult;
      if (result.refused > 0)
        throw new Error(`${subject.name}: ${result.refused} answers of 503 at half its rate`);
      bench.note(`open loop, round ${round + 1} of ${rounds}: ${subject.name}`);
      return { ...result, rate };
    } finally {
      await load.stop();
    }
  });
  const of = (subject: Subject) => measured.get(subject) ?? [];
  found.latencies(
    'Answers, open loop at half of the highest rate',
    own.map((subject) => ({
      subject: `${subject.name}, ${Math.round(of(subject)[0]?.rate ?? 0).toLocaleString('en')}/s`,
      role: subject.role,
      rounds: of(subject).map(({ latency }) => latency),
    })),
  );
  for (const subject of own) {
    const late = spread(of(subject).map(({ lateness }) => percentileMs(lateness, 99))).median;
    if (late > 2)
      found.warn(
        `${subject.name}, open loop: one request in a hundred was sent more than ${late.toFixed(1)} ms late by the generator itself, and its latency has that in it`,
      );
  }
  for (const subject of own) {
    if (subject.role !== 'tether') continue;
    found.quotient(
      `open loop at half of the highest rate, ${subject.name}: p99, ms`,
      of(subject).map(({ latency }) => percentileMs(latency, 99)),
      { atMost: 5 },
    );
  }
}

/** Acknowledged and handled, of the second of two bursts. */
async function processedPerSecond(node: StartedNode): Promise<number> {
  const order = { port: node.port, connections: OPEN_CONNECTIONS, count: PROCESSED, deadlineMs: OPEN_MS_MAX };
  let perSecond = 0;
  for (const seed of [SEED + 1_000, SEED + 1_001]) {
    const load = await preparedBlast({ ...order, seed });
    const startMs = performance.now();
    await load.run();
    await logEmpties(node, OPEN_MS_MAX);
    perSecond = (PROCESSED / (performance.now() - startMs)) * 1_000;
  }
  return perSecond;
}
