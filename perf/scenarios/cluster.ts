/**
 * What a cluster of worker nodes gives and costs, on one redis-server (append-only file synced every second) and one machine: messages a second
 * with 1, 2, 4 and 8 worker processes, for an actor that waits for each batch as for a database. The cores are not the limit then, and what is
 * missing to a straight line is what the cluster costs.
 */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { LIMIT_PER_SECOND, measureScaling, type ScalingRun, WORKERS } from '../cluster/scaling.js';
import { PARTITIONS, WAIT_MS, WAITING_BATCH } from '../cluster/work.js';
import { Findings } from '../harness/findings.js';
import { interleaved } from '../harness/rounds.js';
import { REDIS, type Scenario } from '../harness/scenario.js';
import { spread } from '../harness/table.js';
import { startRedis } from '../peers/redis.js';
import { emptied } from '../peers/redis-content.js';

/** Of what so many workers would do at best. */
const LINEAR_BAR = 0.85;
const WINDOW_SECONDS_MIN = 0.5;

export const cluster: Scenario = {
  name: 'cluster',
  title: 'A cluster of 1, 2, 4 and 8 workers',
  needs: [REDIS],
  minutes: 3,
  isUsual: true,
  async run(bench) {
    const { rounds = 3, seconds = 3 } = bench;
    if (seconds < WINDOW_SECONDS_MIN)
      throw new RangeError(`the window is at least ${WINDOW_SECONDS_MIN} s long, not ${seconds}`);
    const found = new Findings([
      `${rounds} rounds, each a backlog for every number of workers, on a Redis that was emptied before. The actor waits ${WAIT_MS} ms for each batch of at most ${WAITING_BATCH} messages, one batch at a time and one thread in a worker: at most ${LIMIT_PER_SECOND.toLocaleString('en')} messages/s of one worker.`,
      `The rate is that of the committed offsets of all ${PARTITIONS} partitions in Redis, over a window of ${seconds} s in which each worker has a backlog.`,
      'Of linear: the rate by the number of workers times that of one worker of the same round. Cores are those that are busy in the window.',
      'What the actors have handled is counted at the end: fewer messages than were appended end the run.',
    ]);
    const server = await startRedis(join(bench.directory, 'redis'));
    bench.onEnd(() => server.stop());
    const redis = new Redis({ port: server.port, host: '127.0.0.1' });
    bench.onEnd(() => redis.disconnect());
    const place = {
      url: `redis://127.0.0.1:${server.port}`,
      prefix: 'tether',
      actor: 'waiting',
    } as const;
    const results = await interleaved(WORKERS, rounds, async (count, round) => {
      await emptied(redis);
      const run = await measureScaling(redis, place, count, seconds);
      bench.note(`round ${round + 1} of ${rounds}, ${nameOf(count)}`);
      return run;
    });
    tell(found, results);
    return found.done();
  },
};

const nameOf = (count: number) => `${count} worker${count === 1 ? '' : 's'}`;

function tell(found: Findings, results: ReadonlyMap<number, readonly ScalingRun[]>): void {
  const of = (count: number, read: (run: ScalingRun) => number) => (results.get(count) ?? []).map(read);
  const runs = (read: (run: ScalingRun) => number, suffix = '') =>
    WORKERS.map((count) => ({
      subject: nameOf(count) + suffix,
      role: 'tether' as const,
      rounds: of(count, read),
    }));
  const rate = ({ perSecond }: ScalingRun) => perSecond;
  found.group('Processed', 'messages/s', 'more', runs(rate));
  found.group('Cores busy', 'cores', 'neither', [
    ...runs(({ workerCores }) => workerCores, ', all of them'),
    ...runs(({ redisCores }) => redisCores, ': Redis'),
  ]);
  found.group(
    'From joining until every partition has its owner',
    's',
    'less',
    runs(({ placedSeconds }) => placedSeconds),
  );
  const single = of(1, rate);
  for (const count of WORKERS) {
    if (count > 1)
      found.ratio(
        `${nameOf(count)}, of linear`,
        of(count, (run) => rate(run) / count),
        single,
        { atLeast: LINEAR_BAR },
      );
  }
  for (const count of WORKERS)
    found.quotient(
      `${nameOf(count)}, of what the wait of the actor allows`,
      of(count, (run) => rate(run) / (count * LIMIT_PER_SECOND)),
    );
  const at = (read: (count: number) => number) =>
    WORKERS.map((count): readonly [number, number] => [count, read(count)]);
  found.curve({
    title: 'Processed, by the number of workers',
    x: { title: 'workers', scale: 'linear' },
    y: { title: 'messages/s', scale: 'linear' },
    series: [
      {
        name: 'what the wait of the actor allows',
        role: 'limit',
        points: at((count) => count * LIMIT_PER_SECOND),
      },
      { name: 'Tether', role: 'tether', points: at((count) => spread(of(count, rate)).median) },
    ],
  });
  const all = [...results.values()].flat();
  const owned = WORKERS.map((count) => {
    const least = Math.min(...of(count, (run) => run.owned[0]));
    return `${nameOf(count)} ${least} to ${Math.max(...of(count, (run) => run.owned[1]))}`;
  });
  found.method(`Partitions of a worker: of ${owned.join(', of ')}.`);
  const twice = Math.max(...all.map(({ surplus }) => surplus));
  found.method(`Messages that were handed out a second time: at most ${twice} of a measurement.`);
  const lost = Math.max(...all.map((run) => run.lost));
  if (lost > 0)
    found.warn(
      `at most ${lost} leases of a measurement ended before they were given back, as those of a worker do that gets no CPU for seconds`,
    );
}
