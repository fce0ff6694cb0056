/**
 * What a message costs while ten thousand, and while five million others wait on the log in Redis: to append it at the end, and to read, handle
 * and commit it at the head.
 *
 * `CLUSTER_BACKLOG_MESSAGES` (default 5,000,000) is how many messages the larger backlog has: 50,000 for a short try. Five million take 3 GB of memory and
 * of disk.
 */
import {
  type BacklogRun,
  type Cost,
  measureBacklogs,
  STEP,
  STEPS,
  StandingBacklog,
  wholeGroups,
} from '../cluster/backlog.js';
import { PARTITIONS, PER_FRAME } from '../cluster/work.js';
import { Findings } from '../harness/findings.js';
import { type Bench, REDIS, type Scenario } from '../harness/scenario.js';

const LARGE = 5_000_000;
/** Of the larger backlog to the smaller. */
const BAR = 1.3;

const cpuOf = ({ ownCpuUs, redisCpuUs }: Cost) => ownCpuUs + redisCpuUs;

interface CostMeasure {
  readonly title: string;
  readonly hasBar: boolean;
  read(run: BacklogRun): number;
}

const MEASURES: readonly CostMeasure[] = [
  { title: 'handled at the head: time', hasBar: true, read: ({ handle }) => handle.wallUs },
  {
    title: 'handled at the head: CPU of worker and Redis',
    hasBar: true,
    read: ({ handle }) => cpuOf(handle),
  },
  { title: 'handled at the head: CPU of the worker', hasBar: false, read: ({ handle }) => handle.ownCpuUs },
  { title: 'handled at the head: CPU of Redis', hasBar: false, read: ({ handle }) => handle.redisCpuUs },
  { title: 'appended at the end: time', hasBar: true, read: ({ append }) => append.wallUs },
  {
    title: 'appended at the end: CPU of producer and Redis',
    hasBar: true,
    read: ({ append }) => cpuOf(append),
  },
  { title: 'appended at the end: CPU of the producer', hasBar: false, read: ({ append }) => append.ownCpuUs },
  { title: 'appended at the end: CPU of Redis', hasBar: false, read: ({ append }) => append.redisCpuUs },
];

export const clusterBacklog: Scenario = {
  name: 'cluster-backlog',
  title: 'A message behind ten thousand and behind five million others in Redis',
  needs: [REDIS],
  minutes: 5,
  isUsual: false,
  async run(bench) {
    const { rounds = 3 } = bench;
    const found = new Findings([
      `${rounds} rounds of ${STEPS} steps; in each about ${STEP.toLocaleString('en')} messages of the head are handled, and then as many appended, so that the backlog stands. Each backlog has a Redis, a producer and a worker of its own; a round takes the steps of both in turn, and nothing runs beside a step.`,
      `${PER_FRAME} messages to a frame, ${PARTITIONS} partitions; append-only file synced every second, not written anew meanwhile; an actor that does nothing, one worker.`,
      'At the end all that was appended must be handled or in Redis, else the run ends.',
    ]);
    const [small, large] = [await standing(bench, STEP), await standing(bench, largeMessages())];
    for (const each of [small, large]) await each.warmUp();
    const results: (readonly [BacklogRun, BacklogRun])[] = [];
    for (let round = 0; round < rounds; round++) {
      results.push(await measureBacklogs(small, large));
      bench.note(`round ${round + 1} of ${rounds}`);
    }
    for (const each of [small, large]) {
      await each.assertNothingLost();
      found.method(
        `${nameOf(each)}: ${((each.redisBytes * each.messages) / 1_048_576).toFixed(0)} MiB in Redis, ${each.redisBytes.toFixed(0)} bytes for each envelope of ${each.envelopeBytes.toFixed(0)}.`,
      );
    }
    for (const { title, hasBar, read } of MEASURES) {
      const [few, many] = [results.map(([run]) => read(run)), results.map(([, run]) => read(run))];
      found.group(`A message ${title}`, 'us', 'less', [
        { subject: nameOf(small), role: 'tether', rounds: few },
        { subject: nameOf(large), role: 'tether', rounds: many },
      ]);
      const bar = hasBar ? { atMost: BAR } : undefined;
      found.ratio(`${title}, ${nameOf(large)} / ${nameOf(small)}`, many, few, bar);
    }
    return found.done();
  },
};

const nameOf = ({ messages }: StandingBacklog) => `${messages.toLocaleString('en')} on the log`;

async function standing(bench: Bench, messages: number): Promise<StandingBacklog> {
  const started = await StandingBacklog.start(bench.directory, messages, bench.onEnd);
  bench.note(`${messages} messages stand`);
  return started;
}

function largeMessages(): number {
  const messages = Number(process.env.CLUSTER_BACKLOG_MESSAGES ?? LARGE);
  // Below two steps both backlogs would be one.
  if (!(messages >= 2 * STEP))
    throw new RangeError(
      `CLUSTER_BACKLOG_MESSAGES is ${messages}, allowed is a number of at least ${2 * STEP}`,
    );
  return wholeGroups(messages);
}
