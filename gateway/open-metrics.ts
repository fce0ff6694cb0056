/**
 * What a registry holds, as OpenMetrics 1.0 has it: the text format of Prometheus has no exemplars. Written here, since prom-client's own
 * writer renames the counters of a registry for good, and each scrape may ask for another format.
 */
import type { Registry } from 'prom-client';
import type { Exemplar } from './exemplars.js';

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const OPEN_METRICS = 'application/openmetrics-text';
const PROMETHEUS_TEXT = ['text/plain', 'text/*', '*/*'];
/** A longer list of media types than any scraper sends. */
const TYPES_MAX = 32;

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly metricName?: string;
  readonly exemplar?: Exemplar | null;
}

/** Whether the header asks for OpenMetrics, and for no other format more. @param accept the header, whatever stands in it */
export function wantsOpenMetrics(accept: string): boolean {
  let open = 0;
  let text = 0;
  for (const range of accept.toLowerCase().split(',', TYPES_MAX)) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = qualityOf(parameters);
    if (type === OPEN_METRICS) open = Math.max(open, quality);
    else if (PROMETHEUS_TEXT.includes(type)) text = Math.max(text, quality);
  }
  return open > 0 && open >= text;
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}

export async function openMetricsText(registry: Registry): Promise<string> {
  const lines: string[] = [];
  for (const metric of await registry.getMetricsAsJSON()) {
    const type = String(metric.type);
    // The name of a counter's family is without the suffix of its samples.
    const family = type === 'counter' ? metric.name.replace(/_total$/, '') : metric.name;
    lines.push(`# TYPE ${family} ${type}`, `# HELP ${family} ${escaped(metric.help)}`);
    for (const sample of metric.values as unknown as readonly Sample[]) {
      const name = type === 'counter' ? `${family}_total` : (sample.metricName ?? family);
      lines.push(
        `${name}${labelsOf(sample.labels)} ${numberText(sample.value)}${exemplarOf(sample.exemplar)}`,
      );
    }
  }
  lines.push('# EOF', '');
  return lines.join('\n');
}

function exemplarOf(exemplar: Exemplar | null | undefined): string {
  if (exemplar === undefined || exemplar === null) return '';
  const { labelSet, value, timestamp } = exemplar;
  return ` # {trace_id="${escaped(labelSet.trace_id)}"} ${numberText(value)} ${timestamp.toFixed(3)}`;
}

function labelsOf(labels: Sample['labels']): string {
  const parts = Object.entries(labels)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
