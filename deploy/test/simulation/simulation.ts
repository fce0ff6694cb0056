/**
 * One run: a cluster, its senders, and what goes wrong, all drawn from one seed. The same seed is the same run, to the last event.
 *
 * It has two parts: while faults come, senders send; then everything is there again, and the cluster has `SETTLE_MS_MAX` to come to rest. Then
 * the promises are checked (`promises.ts`).
 */
import { createHash } from 'node:crypto';
import { asError } from '../../../runtime/failure.js';
import { Cluster, type Flaws } from './cluster.js';
import { Dice } from './dice.js';
import { beginFaults, endFaults } from './faults.js';
import type { Shape } from './node.js';
import { broken } from './promises.js';
import { Senders } from './senders.js';
import { Timeline } from './timeline.js';

export interface RunOptions {
  readonly flaws?: Flaws;
  /** Whether what happens is written down; it makes no difference to what happens. */
  readonly traced?: boolean;
  /** Crashes of Redis lose its last second in each run, not in every fourth. */
  readonly everysecAlways?: boolean;
}

export interface Run {
  readonly seed: number;
  /** Which promises were broken, and how; empty when all were kept. */
  readonly broken: readonly string[];
  /** What happened, a line each; empty unless traced. */
  readonly trace: readonly string[];
  readonly acknowledged: number;
  readonly effects: number;
  readonly events: number;
  /** From the end of the faults until everything was at rest, milliseconds of the run's time. */
  readonly settledMs: number;
}

const SETTLE_MS_MAX = 60_000;
const LOOK_MS = 250;
/** So long it must stay at rest. */
const REST_MS = 1_500;

export async function simulate(
  seed: number,
  { flaws = {}, traced = false, everysecAlways = false }: RunOptions = {},
): Promise<Run> {
  const dice = new Dice(seed);
  const timeline = new Timeline();
  const trace: string[] = [];
  const shape = drawShape(dice);
  const everysec = dice.chance(0.25) || everysecAlways;
  const nodes = dice.pick([2, 2, 3, 3, 4]);
  const faultMs = dice.between(4_000, 9_000);
  const cluster = new Cluster({
    ...{ timeline, dice, shape, nodes, everysec, flaws },
    trace: traced ? (text) => trace.push(`${timeline.now.toFixed(1).padStart(9)} ${text}`) : undefined,
  });
  cluster.trace(`seed ${seed}: ${nodes} nodes, ${JSON.stringify(shape)}${everysec ? ', everysec' : ''}`);
  const senders = new Senders({
    ...{ timeline, dice, cluster, actors: shape.actors },
    senders: dice.whole(2, 5),
    messages: dice.whole(6, 16),
    pauseMsMax: (3 * faultMs) / 16,
    lossShare: dice.pick([0, 0, 0.02, 0.1]),
  });
  const problems: string[] = [];
  const failed = (error: unknown) => {
    problems.push(`an error that nobody handles: ${asError(error).stack}`);
  };
  let settledMs = SETTLE_MS_MAX;
  process.on('unhandledRejection', failed);
  // Outages are many, and nobody reads where they came from.
  const { stackTraceLimit } = Error;
  if (!traced) Error.stackTraceLimit = 0;
  try {
    for (const site of cluster.sites) timeline.in(dice.between(0, 800), () => cluster.start(site));
    senders.start();
    const world = { timeline, dice, cluster };
    beginFaults(world, { count: dice.whole(1, 8), withinMs: faultMs, everysec });
    const isOver = () => problems.length > 0;
    await timeline.run(faultMs, isOver);
    endFaults(world);
    const faultsEndedAt = timeline.now;
    const outcome = { cluster, senders, shape };
    for (let restSince = Number.NaN; timeline.now < faultsEndedAt + SETTLE_MS_MAX && !isOver(); ) {
      await timeline.run(timeline.now + LOOK_MS, isOver);
      if (!senders.done || broken(outcome).length > 0) restSince = Number.NaN;
      else if (Number.isNaN(restSince)) restSince = timeline.now;
      else if (timeline.now - restSince >= REST_MS) {
        settledMs = restSince - faultsEndedAt;
        break;
      }
    }
    problems.push(...broken(outcome));
    if (!senders.done) problems.push('a sender has not come to its end');
  } catch (error) {
    failed(error);
  } finally {
    process.off('unhandledRejection', failed);
    Error.stackTraceLimit = stackTraceLimit;
  }
  return {
    seed,
    broken: problems,
    trace,
    acknowledged: senders.sent.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined).length,
    effects: cluster.postgres.effects.length,
    events: timeline.turn,
    settledMs,
  };
}

/** Of what happened. */
export function hashOf({ trace, broken }: Run): string {
  return createHash('sha256')
    .update([...trace, ...broken].join('\n'))
    .digest('hex');
}

function drawShape(dice: Dice): Shape {
  return {
    partitions: dice.whole(1, 4),
    actors: dice.chance(0.75) ? ['a'] : ['a', 'b'],
    scope: dice.pick(['key', 'thread']),
    threads: dice.whole(1, 2),
    batchMax: dice.pick([1, 4, 64]),
    inFlightMax: dice.pick([2_048, 2_048, 2_048, 4]),
    slow: dice.pick([
      { share: 0.2, msMax: 300 },
      { share: 1, msMax: 120 },
      { share: 0.3, msMax: 1_500 },
    ]),
  };
}
