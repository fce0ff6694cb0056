/**
 * How fast a notification is fully processed: acknowledged, and its effect committed in Postgres. Beside what a team would build instead (one
 * transaction a job) and the payment actor alone. All of them write to the same Postgres server.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { Findings, type Runs } from '../harness/findings.js';
import { cpuSeconds } from '../harness/process-stats.js';
import { interleaved } from '../harness/rounds.js';
import { type Bench, PEER_NEEDS, type Scenario } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import { actorAlone } from '../limits/actor-alone.js';
import { PEER_NAMES, PEERS, type PeerName, startPeer } from '../peers/webhook-peers.js';
import { type EventTable, PASSWORD, preparedBlast, rowsBecome, rowsOf, startNode } from './emp.js';

const SEED = 20_261_124;
const NOTIFICATIONS = 60_000;
/** Peers get fewer, so that their rounds take about as long. */
const PEER_NOTIFICATIONS = 8_000;
const WARM_UP = 3_000;
const CONNECTIONS = 64;
const DEADLINE_MS = 300_000;

interface Subject {
  readonly name: string;
  readonly peer: PeerName | undefined;
  /** Whether what it acknowledged is on the disk. */
  readonly isSynced: boolean;
}

/** One that takes notifications now. */
interface Running {
  readonly table: EventTable;
  readonly port: number;
  /** Of all its processes but Postgres. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

interface Round {
  readonly acknowledgedPerSecond: number;
  readonly processedPerSecond: number;
  readonly cpuUs: number;
}

export const e2e: Scenario = {
  name: 'e2e',
  title: 'From the socket to the commit',
  needs: PEER_NEEDS,
  minutes: 6,
  isUsual: true,
  async run(bench) {
    const { rounds = 5 } = bench;
    const found = new Findings([
      `${rounds} rounds; in each every subject gets ${NOTIFICATIONS.toLocaleString('en')} (peers ${PEER_NOTIFICATIONS.toLocaleString('en')}) new notifications over ${CONNECTIONS} connections, as fast as it acknowledges them, and the time counts until as many new rows are committed. One row too many or too few ends the run.`,
      `Peers make one transaction for each job and write an event and a payment as Tether does. They are started for each round, get ${WARM_UP.toLocaleString('en')} notifications to warm up, and are stopped after it, for Postgres has not connections enough for all of them. Tether runs all the time, but rests meanwhile.`,
      '"synced": what is acknowledged is on the disk by then, as with Tether.',
      'All write to one Postgres server, which shares the cores with them and with the load.',
    ]);
    const node = await startNode(bench, join(bench.directory, 'node'));
    const pool = new Pool({ connectionString: node.databaseUrl, max: 1 });
    bench.onEnd(() => pool.end());
    const tether: Subject = { name: 'Tether: the whole node, synced', peer: undefined, isSynced: true };
    const subjects: readonly Subject[] = [
      tether,
      ...PEER_NAMES.map((peer) => ({
        name: PEERS[peer].title,
        peer,
        isSynced: PEERS[peer].isSynced,
      })),
    ];
    let seed = SEED;
    const send = async ({ table, port, pids }: Running, count: number): Promise<Round> => {
      const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
      const rows = (await rowsOf(pool, table)) + count;
      const order = { port, connections: CONNECTIONS, count, seed: seed++, deadlineMs: DEADLINE_MS };
      const load = await preparedBlast(order);
      const cpuBefore = cpu();
      const startMs = performance.now();
      const { acknowledged, seconds } = await load.run();
      await rowsBecome(pool, table, rows, DEADLINE_MS);
      return {
        acknowledgedPerSecond: acknowledged / seconds,
        processedPerSecond: (count / (performance.now() - startMs)) * 1_000,
        cpuUs: ((cpu() - cpuBefore) / count) * 1e6,
      };
    };
    const self: Running = {
      table: 'events',
      port: node.port,
      pids: [node.pid],
      stop: async () => undefined,
    };
    await send(self, WARM_UP * 3);
    const limit: number[] = [];
    const measured = await interleaved(subjects, rounds, async (subject, round) => {
      if (subject.peer === undefined)
        limit.push(await actorAlone(node.databaseUrl, NOTIFICATIONS, SEED + 10_000 + round, PASSWORD));
      const running =
        subject.peer === undefined ? self : await runPeer(bench, subject.peer, round, node.databaseUrl);
      try {
        if (subject.peer !== undefined) await send(running, WARM_UP);
        return await send(running, subject.peer === undefined ? NOTIFICATIONS : PEER_NOTIFICATIONS);
      } finally {
        await running.stop();
        bench.note(`round ${round + 1} of ${rounds}: ${subject.name}`);
      }
    });
    tell(found, subjects, measured, limit);
    return found.done();
  },
};

async function runPeer(bench: Bench, name: PeerName, round: number, databaseUrl: string): Promise<Running> {
  const directory = join(bench.directory, `peer-${name}-${round}`);
  mkdirSync(directory);
  const { port, serverPid, workerPid, storePid, stop } = await startPeer(name, {
    directory,
    databaseUrl,
    password: PASSWORD,
  });
  bench.onEnd(stop);
  const pids = [serverPid, workerPid, storePid].filter((pid) => pid !== undefined);
  for (const pid of pids) await bench.pinning.subject(pid);
  return { table: 'peer_events', port, pids, stop };
}

function tell(
  found: Findings,
  subjects: readonly Subject[],
  measured: ReadonlyMap<Subject, readonly Round[]>,
  limit: readonly number[],
): void {
  const of = (subject: Subject, read: (round: Round) => number) => (measured.get(subject) ?? []).map(read);
  const processed = ({ processedPerSecond }: Round) => processedPerSecond;
  const runs = (read: (round: Round) => number): readonly Runs[] =>
    subjects.map((subject) => ({
      subject: subject.name,
      role: subject.peer === undefined ? 'tether' : 'peer',
      rounds: of(subject, read),
    }));
  found.group('Processed: acknowledged and committed', 'notifications/s', 'more', [
    { subject: 'the payment actor alone, one connection to Postgres', role: 'limit', rounds: limit },
    ...runs(processed),
  ]);
  found.group(
    'Acknowledged meanwhile',
    'notifications/s',
    'more',
    runs(({ acknowledgedPerSecond }) => acknowledgedPerSecond),
  );
  found.group(
    'CPU for a notification, without Postgres',
    'us',
    'less',
    runs(({ cpuUs }) => cpuUs),
  );
  const [tether, ...peers] = subjects;
  if (tether === undefined) return;
  const median = (subject: Subject) => spread(of(subject, processed)).median;
  const best = peers.filter(({ isSynced }) => isSynced).toSorted((a, b) => median(b) - median(a))[0];
  for (const peer of peers) {
    found.ratio(
      `processed, Tether / ${peer.name}${peer === best ? ' (the best that is as durable)' : ''}`,
      of(tether, processed),
      of(peer, processed),
      peer === best ? { atLeast: 8 } : undefined,
    );
  }
  found.ratio('processed, Tether / the actor alone', of(tether, processed), limit);
}
