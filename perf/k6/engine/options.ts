/** What a script exports as `options`, checked and total: scenarios with the executors that run under Node, thresholds, and little else. */
import { z } from 'zod';
import { durationMs } from './duration.js';
import type { RateStage } from './schedule.js';
import type { ThresholdSettings } from './thresholds.js';

interface ScenarioBase {
  readonly name: string;
  /** The exported function that is an iteration. */
  readonly exec: string;
  /** After the start of the run. */
  readonly startMs: number;
  /** Without `gracefulStopMs`. */
  readonly durationMs: number;
  /** So long iterations may go on after the end; then they are interrupted. */
  readonly gracefulStopMs: number;
  readonly tags: Readonly<Record<string, string>>;
}

interface Allocation {
  readonly preAllocatedVus: number;
  readonly maxVus: number;
}

export type Scenario = ScenarioBase &
  (
    | (Allocation & { readonly executor: 'constant-arrival-rate'; readonly ratePerMs: number })
    | (Allocation & {
        readonly executor: 'ramping-arrival-rate';
        readonly startRatePerMs: number;
        readonly stages: readonly RateStage[];
      })
    | { readonly executor: 'constant-vus'; readonly vus: number }
  );

export interface RunOptions {
  readonly scenarios: readonly Scenario[];
  readonly thresholds: ThresholdSettings;
  readonly summaryTrendStats: readonly string[];
  readonly setupTimeoutMs: number;
  readonly teardownTimeoutMs: number;
}

export class OptionsError extends Error {}

/** Each is a thread under Node. */
export const VUS_MAX = 256;
const GRACEFUL_STOP_MS = 30_000;
const SETUP_MS = 60_000;
const DURATION_MS_MIN = 1_000;

const duration = z.unknown().transform((value, context): number => {
  const ms = durationMs(value);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'is no duration such as "1m30s" or 500 (ms)' });
  return z.NEVER;
});
const runDuration = duration.refine((ms) => ms >= DURATION_MS_MIN, 'is at least 1s');
const vus = z.int().min(1).max(VUS_MAX);
const base = {
  exec: z.string().default('default'),
  startTime: duration.default(0),
  gracefulStop: duration.default(GRACEFUL_STOP_MS),
  tags: z.record(z.string(), z.string()).default({}),
};
const arrivals = {
  timeUnit: duration.refine((ms) => ms > 0, 'is more than 0').default(1_000),
  preAllocatedVUs: vus,
  maxVUs: vus.optional(),
};
const scenario = z.discriminatedUnion('executor', [
  z.strictObject({
    executor: z.literal('constant-arrival-rate'),
    ...base,
    ...arrivals,
    rate: z.number().positive(),
    duration: runDuration,
  }),
  z.strictObject({
    executor: z.literal('ramping-arrival-rate'),
    ...base,
    ...arrivals,
    startRate: z.number().min(0).default(0),
    stages: z.array(z.strictObject({ target: z.number().min(0), duration })).min(1),
  }),
  z.strictObject({
    executor: z.literal('constant-vus'),
    ...base,
    vus: vus.default(1),
    duration: runDuration,
  }),
]);
const threshold = z.union([
  z.string().transform((text) => ({ threshold: text, abortOnFail: false, delayAbortEval: 0 })),
  z.strictObject({
    threshold: z.string(),
    abortOnFail: z.boolean().default(false),
    delayAbortEval: duration.default(0),
  }),
]);
const schema = z.strictObject({
  scenarios: z.record(z.string(), scenario).refine((all) => Object.keys(all).length > 0, 'names none'),
  thresholds: z.record(z.string(), z.array(threshold)).default({}),
  summaryTrendStats: z
    .array(z.string().regex(/^(?:avg|min|med|max|count|p\(\d+(?:\.\d+)?\))$/))
    .default(['avg', 'min', 'med', 'max', 'p(90)', 'p(95)']),
  setupTimeout: duration.default(SETUP_MS),
  teardownTimeout: duration.default(SETUP_MS),
});
type Given = z.infer<typeof scenario>;

const EXECUTORS: readonly string[] = ['constant-arrival-rate', 'ramping-arrival-rate', 'constant-vus'];

/** @throws OptionsError that names what is wrong, or what the real k6 knows and this does not */
export function parseOptions(given: unknown): RunOptions {
  const parsed = schema.safeParse(given ?? {});
  if (!parsed.success)
    throw new OptionsError(parsed.error.issues.map((issue) => say(issue, given)).join('; '));
  const { scenarios, thresholds, summaryTrendStats, setupTimeout, teardownTimeout } = parsed.data;
  const filled = Object.entries(scenarios).map(([name, one]) => fill(name, one));
  const threads = filled.reduce((sum, one) => sum + ('maxVus' in one ? one.maxVus : one.vus), 0);
  if (threads > VUS_MAX)
    throw new OptionsError(
      `scenarios ask for ${threads} VUs; each is a thread under Node: at most ${VUS_MAX}`,
    );
  return {
    scenarios: filled,
    thresholds: Object.fromEntries(
      Object.entries(thresholds).map(([selector, list]) => [
        selector,
        list.map((one) => ({
          threshold: one.threshold,
          abortOnFail: one.abortOnFail,
          delayAbortEvalMs: one.delayAbortEval,
        })),
      ]),
    ),
    summaryTrendStats,
    setupTimeoutMs: setupTimeout,
    teardownTimeoutMs: teardownTimeout,
  };
}

function say({ path, message, code }: z.core.$ZodIssue, given: unknown): string {
  const at = ['options', ...path].map(String);
  if (at.at(-1) === 'executor' && at.length === 4) {
    const executor = path.reduce<unknown>((value, key) => Reflect.get(Object(value), key), given);
    return `${at.join('.')}: ${String(executor)} does not run under Node, only ${EXECUTORS.join(', ')}; the real k6 knows more`;
  }
  const more = code === 'unrecognized_keys' ? ' (not known under Node; the real k6 may know it)' : '';
  return `${at.join('.')}: ${message}${more}`;
}

function fill(name: string, given: Given): Scenario {
  const { exec, startTime: startMs, gracefulStop: gracefulStopMs, tags } = given;
  const common = { name, exec, startMs, gracefulStopMs, tags };
  if (given.executor === 'constant-vus')
    return { ...common, executor: given.executor, vus: given.vus, durationMs: given.duration };
  const { preAllocatedVUs: preAllocatedVus, maxVUs: maxVus = preAllocatedVus, timeUnit } = given;
  if (maxVus < preAllocatedVus)
    throw new OptionsError(`options.scenarios.${name}.maxVUs: is less than preAllocatedVUs`);
  const allocation = { preAllocatedVus, maxVus };
  if (given.executor === 'constant-arrival-rate') {
    const { executor, rate, duration: ms } = given;
    return { ...common, ...allocation, executor, ratePerMs: rate / timeUnit, durationMs: ms };
  }
  const stages = given.stages.map((stage) => ({
    targetPerMs: stage.target / timeUnit,
    durationMs: stage.duration,
  }));
  return {
    ...common,
    ...allocation,
    executor: given.executor,
    startRatePerMs: given.startRate / timeUnit,
    stages,
    durationMs: stages.reduce((sum, stage) => sum + stage.durationMs, 0),
  };
}
