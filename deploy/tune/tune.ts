/**
 * `tether tune`: a short ramp of test payments against a node, what limits it, and, where that is asked for, other settings tried or set.
 *
 * The order: one payment, to see that they are taken; two seconds at the first rate, so that connections, threads and code are warm, which
 * also shows whose pool it is; the ramp; the finding; the trial. Nothing but rows of test payments is left behind, unless it was asked for.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../gateway/api/status-schema.js';
import { troubleText } from '../send/trouble.js';
import { isStarted } from '../status/pool-limit.js';
import { TuneError } from './errors.js';
import { type Bottleneck, findBottleneck } from './find-bottleneck.js';
import { type LoadTarget, loadStep } from './load-step.js';
import { type Allowed, type Measurements, type Step, verdictOf } from './measurements.js';
import { busiestPool, NodeSamples, nodeSeen } from './node-samples.js';
import { checkPool } from './preflight.js';
import { runRamp } from './ramp.js';

interface TuneOptions {
  readonly target: LoadTarget;
  readonly ask: () => Promise<Status>;
  /** Of the pool that the load goes to; null: it cannot be asked. */
  readonly allowedOf: (actor: string) => Promise<Allowed | null>;
  /** The pool to look at; undefined: the one that gets the load. */
  readonly actor: string | undefined;
  readonly log: Measurements['log'];
  readonly cores: number | null;
  /** Of the ramp. */
  readonly seconds: number;
  readonly pace: Pace;
  readonly rateFirst: number;
  readonly rateMax: number;
  /** A step whose p99 is over it is not held. */
  readonly p99MsMax: number;
  readonly signal: AbortSignal;
  readonly onStep: (step: Step) => void;
}

interface Tuned extends Bottleneck {
  readonly actor: string | null;
  readonly steps: readonly Step[];
}

/** About ten steps, long enough for three looks of the node. */
const STEP_S_MIN = 3;
const STEP_S_MAX = 10;
const WARM_S = 2;
/** A fifth of the time between two looks of the node at itself. */
const ASK_MS = 200;
const LOOK_MS_MAX = 5_000;
const START_MS_MAX = 60_000;

interface Pace {
  readonly warmSeconds: number;
  readonly stepSeconds: number;
  /** Between two looks at the node. */
  readonly askMs: number;
  /** A node knows what came when it has looked at itself; a pool whose threads are there and that does nothing for so long is not warming up. */
  readonly lookMsMax: number;
  /** For the threads of the pool to start. */
  readonly startMsMax: number;
}

/** Of a ramp that takes so long. */
function paceOf(seconds: number): Pace {
  const stepSeconds = Math.min(STEP_S_MAX, Math.max(STEP_S_MIN, seconds / 10));
  return {
    warmSeconds: WARM_S,
    stepSeconds,
    askMs: ASK_MS,
    lookMsMax: LOOK_MS_MAX,
    startMsMax: START_MS_MAX,
  };
}

/** One step, with what the node says meanwhile. */
async function measureStep(
  { target, p99MsMax, signal }: Pick<TuneOptions, 'target' | 'p99MsMax' | 'signal'>,
  samples: NodeSamples,
  actor: string | undefined,
  rate: number,
  seconds: number,
): Promise<Step> {
  const beginMs = performance.now();
  const load = await loadStep(target, rate, seconds, signal);
  const node = nodeSeen(samples.since(beginMs), beginMs, actor);
  return { load, node, verdict: verdictOf({ load, node }, p99MsMax) };
}

/** @throws TuneError; NodeRequestError when the node cannot be asked; UsageError */
async function tuneNode(options: TuneOptions): Promise<Tuned> {
  const { target, ask, signal } = options;
  const before = await ask();
  await probe(target, signal);
  const samples = new NodeSamples(ask, options.pace.askMs);
  try {
    await loadStep(target, options.rateFirst, options.pace.warmSeconds, signal);
    const actor = await actorOf(options, before);
    const steps = await runRamp({
      rateFirst: options.rateFirst,
      rateMax: options.rateMax,
      endMs: performance.now() + options.seconds * 1_000,
      stepSeconds: options.pace.stepSeconds,
      signal,
      now: () => performance.now(),
      step: (rate, seconds) => measureStep(options, samples, actor, rate, seconds),
      onStep: options.onStep,
    });
    const allowed = actor === undefined ? null : await options.allowedOf(actor);
    const { log, cores } = options;
    return { actor: actor ?? null, steps, ...findBottleneck({ steps, log, cores, allowed }) };
  } finally {
    await samples.stop();
  }
}

/**
 * Whose pool the payments come to, when it has done the first, so that its threads are there; undefined: of none of this node.
 *
 * @throws TuneError when its threads do not start
 */
async function actorOf(
  { actor: given, ask, pace, signal }: TuneOptions,
  before: Status,
): Promise<string | undefined> {
  const began = performance.now();
  let startedAt: number | undefined;
  for (;;) {
    const after = await ask();
    const now = performance.now();
    const actor = given ?? busiestPool(before, after);
    if (actor !== undefined) checkPool(after, actor);
    const of = ({ pools }: Status) => pools.find((pool) => pool.actor === actor);
    const pool = of(after);
    if (pool === undefined || isStarted(pool)) startedAt ??= now;
    else startedAt = undefined;
    const hasDone = (pool?.done ?? 0) > (of(before)?.done ?? 0);
    if (hasDone || signal.aborted || now - (startedAt ?? now) > pace.lookMsMax) return actor;
    if (startedAt === undefined && now - began > pace.startMsMax) {
      throw new TuneError(`no thread of pool ${actor} has started within ${pace.startMsMax / 1_000} s`);
    }
    await sleep(pace.askMs, undefined, { signal });
  }
}

/** @throws TuneError when the node does not take a test payment */
async function probe(target: LoadTarget, signal: AbortSignal): Promise<void> {
  const { acknowledged, rejected } = await loadStep(target, 1, 1, signal);
  const [outcome] = Object.keys(rejected);
  if (acknowledged > 0 || outcome === undefined) return;
  const { host } = new URL(target.url);
  const hint =
    outcome === '401' || outcome === '403'
      ? '; give the API password of the endpoint by --password'
      : outcome === '404'
        ? '; give --endpoint and --endpoint-token'
        : '';
  throw new TuneError(`no test payment is taken: ${troubleText(outcome, host)}${hint}`);
}

export { measureStep, type Pace, paceOf, type Tuned, type TuneOptions, tuneNode };
