/**
 * The series that a node has, by `docs/reference/metrics.md`, which a test of `deploy/node-metrics.ts` holds to the node itself. Rules and
 * dashboards are held to it in turn: a name that nobody writes is an alert that never fires.
 */
import { readFileSync } from 'node:fs';
import { type Asked, seriesOf } from './promql.js';

/** Labels by name; a histogram has its three series. */
type Series = ReadonlyMap<string, readonly string[]>;

/** Prometheus gives these to all that it reads. */
const TARGET_LABELS: readonly string[] = ['job', 'instance'];
/** Of Prometheus itself, and of prom-client in each process. */
const OTHERS: Series = new Map([
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate', 'severity']],
  ['process_resident_memory_bytes', []],
  ['process_cpu_seconds_total', []],
  ['process_open_fds', []],
  ['process_max_fds', []],
  ['process_start_time_seconds', []],
  ['nodejs_gc_duration_seconds_sum', ['kind']],
  ['nodejs_heap_size_used_bytes', []],
]);

export function nodeSeries(): Series {
  const page = readFileSync('docs/reference/metrics.md', 'utf8');
  const documented = [...page.matchAll(/^\| `(tether_\w+)` +\| (\w+) +\| ([^|]*?) *\|/gm)].map(
    ([, name = '', type = '', labels = '']) =>
      [name, type, labels.match(/\w+/g) ?? []] as [string, string, readonly string[]],
  );
  return new Map([
    ...OTHERS,
    ...documented.flatMap(([name, type, labels]) =>
      (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map(
        (suffix) => [name + suffix, labels] as const,
      ),
    ),
  ]);
}

/** What the expressions ask for that no node has: names, and labels of those that it has. `recorded`: names of recording rules. */
export function unknownSeries(
  expressions: readonly string[],
  recorded: readonly string[] = [],
): readonly string[] {
  const series = nodeSeries();
  return expressions.flatMap((expression) =>
    seriesOf(expression).flatMap((asked) => wrongIn(asked, series, recorded)),
  );
}

function wrongIn({ name, labels }: Asked, series: Series, recorded: readonly string[]): readonly string[] {
  if (recorded.includes(name)) return [];
  const known = series.get(name);
  if (known === undefined) return [name];
  return labels
    .filter((label) => !known.includes(label) && !TARGET_LABELS.includes(label))
    .map((label) => `${name}{${label}}`);
}
