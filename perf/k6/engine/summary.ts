/** What `handleSummary` is given, in the shape that k6 gives it, and what becomes of what it returns. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Contains, Metrics, MetricType, Values } from './metrics.js';
import type { Threshold } from './thresholds.js';

export interface SummaryData {
  readonly root_group: {
    readonly name: string;
    readonly path: string;
    readonly id: string;
    readonly groups: readonly never[];
    readonly checks: readonly SummaryCheck[];
  };
  readonly options: {
    readonly summaryTrendStats: readonly string[];
    readonly summaryTimeUnit: string;
    readonly noColor: boolean;
  };
  readonly state: {
    readonly isStdOutTTY: boolean;
    readonly isStdErrTTY: boolean;
    readonly testRunDurationMs: number;
  };
  readonly metrics: Readonly<Record<string, SummaryMetric>>;
  readonly setup_data: unknown;
}

interface SummaryCheck {
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly passes: number;
  readonly fails: number;
}

interface SummaryMetric {
  readonly type: MetricType;
  readonly contains: Contains;
  readonly values: Values;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

export interface Checked {
  passes: number;
  fails: number;
}

export interface SummaryInput {
  readonly metrics: Metrics;
  readonly thresholds: readonly Threshold[];
  readonly checks: ReadonlyMap<string, Checked>;
  readonly trendStats: readonly string[];
  readonly durationMs: number;
  readonly setupData: unknown;
  readonly terminals: { readonly stdout: boolean; readonly stderr: boolean };
}

/** Metrics without a sample are left out, as k6 leaves them out, unless there is a threshold for them. */
export function summaryOf(input: SummaryInput): SummaryData {
  const { metrics, thresholds, checks, trendStats, durationMs, terminals } = input;
  const seconds = durationMs / 1_000;
  const shown: Record<string, SummaryMetric> = {};
  for (const [selector, metric] of metrics.entries()) {
    const own = thresholds.filter((threshold) => threshold.selector === selector);
    if (metric.isEmpty && own.length === 0) continue;
    const { type, contains } = metric.definition;
    shown[selector] = {
      type,
      contains,
      values: metric.values(trendStats, seconds),
      ...(own.length === 0
        ? {}
        : { thresholds: Object.fromEntries(own.map((one) => [one.source, { ok: one.holds(seconds) }])) }),
    };
  }
  return {
    root_group: {
      name: '',
      path: '',
      id: idOf(''),
      groups: [],
      checks: [...checks].map(([name, counts]) => ({
        name,
        path: `::${name}`,
        id: idOf(`::${name}`),
        ...counts,
      })),
    },
    options: { summaryTrendStats: trendStats, summaryTimeUnit: '', noColor: false },
    state: {
      isStdOutTTY: terminals.stdout,
      isStdErrTTY: terminals.stderr,
      testRunDurationMs: durationMs,
    },
    metrics: shown,
    setup_data: input.setupData,
  };
}

/** k6's id of a group or a check is the MD5 of its path. */
function idOf(path: string): string {
  return createHash('md5').update(path).digest('hex');
}

/** `stdout` and `stderr` are shown, everything else is the path of a file. @throws Error when a file cannot be written, or a value is no text */
export function writeSummary(
  returned: unknown,
  show: { readonly stdout: (text: string) => void; readonly stderr: (text: string) => void },
): void {
  for (const [target, text] of Object.entries(Object(returned) as Record<string, unknown>)) {
    if (typeof text !== 'string') throw new Error(`handleSummary: what is for ${target} is no text`);
    if (target === 'stdout' || target === 'stderr') show[target](text);
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
  }
}
