/**
 * What limits a node, decided from the steps of a ramp: the lowest step that was not held, unless a higher one was.
 *
 * | the step ended | because                                         | the limit                              |
 * | -------------- | ----------------------------------------------- | -------------------------------------- |
 * | any            | Postgres or Redis is away                       | `disturbed`: nothing is recommended    |
 * | refused        | the log is full                                 | the pool's, as `behind`                |
 * | refused        | anything else                                   | `disturbed`                            |
 * | behind         | one key; threads; calls; none of these          | `pool-limit.ts` of the findings        |
 * | short, slow    | the sender had no time left                     | `load`, the node's thread or not       |
 * | short, slow    | the gateway's thread had no time left           | `gateway`                              |
 * | short, slow    | an answer is mostly a commit of the log         | `log`                                  |
 * | short, slow    | the machine that both share has no core free    | `cores`                                |
 * | short          | no one of them                                  | `load`: its connections                |
 * | slow           | no one of them                                  | `unknown`                              |
 *
 * Where sender and gateway both have no time left, the load is the limit: what was reached is less than the node can do.
 */
import { BUSY, poolLimit } from '../status/pool-limit.js';
import { ms, perSecond, share } from '../status/words.js';
import type { Measurements, NodeSeen, PoolSeen, Step } from './measurements.js';
import { type Recommendation, recommend } from './recommend.js';

type Limit =
  | 'none'
  | 'load'
  | 'gateway'
  | 'log'
  | 'cores'
  | 'worker-cpu'
  | 'postgres'
  | 's3'
  | 'redis'
  | 'hot-key'
  | 'actor-waits'
  | 'disturbed'
  | 'unknown';

interface Bottleneck {
  readonly limit: Limit;
  /** One sentence, with the numbers that it rests on. */
  readonly sentence: string;
  /** Of the step that decided. */
  readonly evidence: Readonly<Record<string, number>>;
  readonly recommendations: readonly Recommendation[];
  /** What to do that is no setting of a pool. */
  readonly advice: string;
}

type Found = Pick<Bottleneck, 'limit' | 'sentence' | 'advice'>;

/** Of a machine: the rest is lost in between. */
const FULL = 0.93;
/** Of an answer's time; a commit that takes this much is what it waits for. */
const COMMIT_SHARE = 0.5;
/** A commit that nobody waits for. */
const COMMIT_MS_MIN = 1;

function findBottleneck(measurements: Measurements): Bottleneck {
  const { steps } = measurements;
  const knee = kneeOf(steps);
  const step = knee ?? steps.at(-1);
  if (step === undefined) {
    const sentence = 'Nothing was measured.';
    return { limit: 'unknown', sentence, evidence: {}, recommendations: [], advice: 'Run it for longer.' };
  }
  const found = knee === undefined ? ofHeld(step) : ofKnee(knee, measurements);
  return {
    ...found,
    evidence: evidenceOf(step),
    recommendations: recommend(found.limit, step, measurements),
  };
}

/** The lowest step that was not held and above which none was; undefined: every rate was held. */
function kneeOf(steps: readonly Step[]): Step | undefined {
  const held = steps.filter(({ verdict }) => verdict === 'held').map(({ load }) => load.rate);
  const highest = Math.max(0, ...held);
  return steps
    .filter(({ verdict, load }) => verdict !== 'held' && load.rate > highest)
    .sort((a, b) => a.load.rate - b.load.rate)[0];
}

function ofHeld({ load }: Step): Found {
  return {
    limit: 'none',
    sentence: `No limit was reached: ${perSecond(reached(load))} were acknowledged${latency(load)}, and the pool kept up.`,
    advice: 'Let it run for longer (--seconds), or to a higher rate (--rate-max).',
  };
}

function ofKnee(step: Step, { log }: Measurements): Found {
  const { load, node, verdict } = step;
  const disturbed = disturbanceOf(step);
  if (disturbed !== undefined) return disturbed;
  if (node !== null && node.pool !== null && (verdict === 'behind' || node.logState === 'full')) {
    return ofPool(node.pool, node);
  }
  return ofAnswers(step, log) ?? ofCores(step) ?? ofRest(load, node, verdict);
}

function disturbanceOf({ load, node, verdict }: Step): Found | undefined {
  // An object store that is away holds up uploads, of which there are none here.
  const away = node?.dependencies.find(({ name, state }) => name !== 's3' && state !== 'ok');
  const advice = 'Mend that first; see `tether doctor` and the findings of `tether top`.';
  if (away !== undefined) {
    return { limit: 'disturbed', sentence: `${NAMES[away.name]} was ${away.state} meanwhile.`, advice };
  }
  if (verdict !== 'refused' || node?.logState === 'full') return undefined;
  const outcomes = Object.entries(load.rejected).map(([outcome, count]) => `${count} x ${outcome}`);
  const what = outcomes.length > 0 ? outcomes.join(', ') : `${load.failures} attempts had to be repeated`;
  return {
    limit: 'disturbed',
    sentence: `At ${perSecond(load.rate)} the node refused: ${what}.`,
    advice,
  };
}

function ofPool(pool: PoolSeen, { dependencies }: NodeSeen): Found {
  const threads = `${pool.threads} ${pool.threads === 1 ? 'thread' : 'threads'}`;
  const did = `${pool.actor} did ${pool.donePerSecond === null ? 'less than came' : perSecond(pool.donePerSecond)}`;
  const waits = `${Math.round(pool.lag)} messages waited at the end`;
  const turn = pool.turnMs === null ? '' : `; a receive took ${ms(pool.turnMs.p50)} (p50)`;
  const limit = poolLimit({ ...pool, threads: Array(pool.threads).fill({ busy: pool.busy }) }, dependencies);
  switch (limit.by) {
    case 'key':
      return {
        limit: 'hot-key',
        sentence: `One key limits: ${did}, and ${pool.mailboxMax} of ${pool.inFlight} messages in its threads were of one key.`,
        advice: 'Messages of one key are handled one after another, whatever the pool has.',
      };
    case 'threads':
      return {
        limit: 'worker-cpu',
        sentence: `The pool's CPU limits: ${did} with ${threads} busy ${share(limit.busy)}; ${waits}${turn}.`,
        advice:
          pool.threads < pool.settings.max
            ? `It grows by itself to ${pool.settings.max} threads: let it run for longer (--seconds).`
            : 'Where no core is free, a node more does it, or an actor that computes less.',
      };
    case 'dependency':
      return {
        limit: limit.name,
        sentence: `${NAMES[limit.name]} limits: ${did}, and a call took ${ms(limit.callMs.p50)} (p50), ${ms(limit.callMs.p99)} (p99)${turn}; ${threads} ${idle(pool)}.`,
        advice: `Look at its load, its locks and the way to it; more calls at once help only while it has room.`,
      };
    case 'waiting':
      return {
        limit: 'actor-waits',
        sentence: `The actor waits for something that is not measured: ${did} with ${threads} ${idle(pool)}; ${waits}${turn}.`,
        advice: 'What waits does not compute: more threads, or a larger batch, let more of it go on at once.',
      };
  }
}

function idle({ busy }: PoolSeen): string {
  return busy === null ? 'that waited' : `busy ${share(busy)}`;
}

/** Where an answer's time goes: sender, gateway, log. */
function ofAnswers({ load, node }: Step, log: Measurements['log']): Found | undefined {
  const gateway = node?.gatewayBusy ?? null;
  const got = `${perSecond(reached(load))} of ${perSecond(load.rate)} were acknowledged${latency(load)}`;
  if (load.busy >= BUSY) {
    const beside =
      gateway === null
        ? ''
        : gateway >= BUSY
          ? `, and so had the gateway's (${share(gateway)})`
          : `; the gateway's was busy ${share(gateway)}`;
    return {
      limit: 'load',
      sentence: `The load itself is the limit: the sender's thread had no time left (busy ${share(load.busy)})${beside}. ${got}.`,
      advice: 'The node can do more than was measured. Send from another machine, or from several.',
    };
  }
  if (gateway !== null && gateway >= BUSY) {
    return {
      limit: 'gateway',
      sentence: `The gateway's thread limits: it was busy ${share(gateway)}, and late by up to ${ms(node?.eventLoopDelayMs ?? 0)}. ${got}.`,
      advice: 'No setting of a pool helps: put a node more behind the balancer.',
    };
  }
  const commit = commitOf(node, load);
  if (commit === undefined || log.durability === 'memory') return undefined;
  // Where no core is free, a commit now and then is late with everything else.
  if (commit.at === 'p99' && (load.machineBusy ?? 0) >= FULL) return undefined;
  const what =
    log.driver === 'journal'
      ? "the journal's fsync"
      : log.durability === 'replicated'
        ? "Redis's append and its replicas"
        : "Redis's append";
  return {
    limit: 'log',
    sentence: `Writing to the log limits: ${what} took ${ms(commit.p50)} (p50), ${ms(commit.p99)} (p99) of answers of ${ms(commit.answer)}. ${got}.`,
    advice:
      log.driver === 'journal'
        ? 'Look who else uses the disk; `tether doctor` measures its sync time. No setting of a pool helps.'
        : 'Look at the Redis server: its slow log, its disk, its replicas, the network to it. No setting of a pool helps.',
  };
}

/** Its times, where an answer is mostly a commit: by the middle, or at the end of the slow ones. */
function commitOf(node: NodeSeen | null, load: Step['load']) {
  const commitMs = node?.commitMs ?? null;
  const answers = node?.acknowledgeMs ?? load.latencyMs;
  if (commitMs === null || answers === null) return undefined;
  for (const at of ['p50', 'p99'] as const) {
    if (commitMs[at] >= COMMIT_MS_MIN && commitMs[at] >= answers[at] * COMMIT_SHARE) {
      return { ...commitMs, at, answer: answers[at] };
    }
  }
  return undefined;
}

function ofCores({ load, node }: Step): Found | undefined {
  const { machineBusy } = load;
  if (machineBusy === null || machineBusy < FULL) return undefined;
  const got = `${perSecond(reached(load))} of ${perSecond(load.rate)} were acknowledged${latency(load)}`;
  const gateway = node?.gatewayBusy ?? null;
  const parts = [
    `the sender's thread ${share(load.busy)} of one`,
    ...(gateway === null ? [] : [`the gateway's ${share(gateway)}`]),
    ...(node?.pool?.busy ? [`each of the pool's ${share(node.pool.busy)}`] : []),
  ];
  return {
    limit: 'cores',
    sentence: `The machine limits: its cores were busy ${share(machineBusy)}; ${parts.join(', ')}, the rest is Postgres and what else runs here. ${got}.`,
    advice:
      'Send from another machine, and with nothing else on this one; more threads would only share the same cores.',
  };
}

function ofRest(load: Step['load'], node: NodeSeen | null, verdict: Step['verdict']): Found {
  const got = `${perSecond(reached(load))} of ${perSecond(load.rate)} were acknowledged${latency(load)}`;
  if (verdict === 'short') {
    return {
      limit: 'load',
      sentence: `The load itself is the limit: its ${load.connections} connections were all waiting while no part of the node was busy. ${got}.`,
      advice: `Give it more connections: --connections ${load.connections * 4}.`,
    };
  }
  return {
    limit: 'unknown',
    sentence: `No part that is measured explains it${node === null ? ': the node said nothing meanwhile' : ''}. ${got}.`,
    advice: 'Run it again, for longer, with nothing else on the machine.',
  };
}

const NAMES = { postgres: 'Postgres', s3: 'The object store', redis: 'Redis' } as const;

const reached = ({ acknowledged, seconds }: Step['load']) => acknowledged / seconds;

function latency({ latencyMs }: Step['load']): string {
  return latencyMs === null ? '' : `, p99 ${ms(latencyMs.p99)}`;
}

/** What is known of the step, by name. */
function evidenceOf({ load, node }: Step): Bottleneck['evidence'] {
  const pool = node?.pool ?? null;
  const postgres = node?.dependencies.find(({ name }) => name === 'postgres');
  const all: Record<string, number | null | undefined> = {
    rate: load.rate,
    acknowledgedPerSecond: reached(load),
    failures: load.failures,
    latencyMsP50: load.latencyMs?.p50,
    latencyMsP99: load.latencyMs?.p99,
    senderBusy: load.busy,
    machineBusy: load.machineBusy,
    gatewayBusy: node?.gatewayBusy,
    eventLoopDelayMs: node?.eventLoopDelayMs,
    acknowledgeMsP50: node?.acknowledgeMs?.p50,
    commitMsP50: node?.commitMs?.p50,
    commitMsP99: node?.commitMs?.p99,
    donePerSecond: pool?.donePerSecond,
    poolThreads: pool?.threads,
    poolBusy: pool?.busy,
    poolLag: pool?.lag,
    turnMsP50: pool?.turnMs?.p50,
    postgresCallMsP99: postgres?.callMs?.p99,
    postgresCallsPerSecond: postgres?.callsPerSecond,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, Math.round(value * 1_000) / 1_000]] : [],
    ),
  );
}

export { type Bottleneck, findBottleneck, type Limit };
