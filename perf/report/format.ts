/** The format of `results.json`: which keys in which order, and what is refused. */
import { z } from 'zod';
import type { Results } from '../harness/results.js';

/** JSON has no NaN (a quotient by nothing): it is written as null. */
const figure = z.nullable(z.number()).transform((value) => value ?? Number.NaN);
const role = z.enum(['tether', 'peer', 'limit']);
const interval = z.object({ median: figure, low: figure, high: figure });

const bar = z.union([z.strictObject({ atLeast: z.number() }), z.strictObject({ atMost: z.number() })]);

const axis = z.object({
  title: z.string(),
  scale: z.enum(['linear', 'log']),
  ticks: z.array(z.object({ at: figure, label: z.string() })).exactOptional(),
});

const environment = z.object({
  cpu: z.string(),
  cores: figure,
  memoryBytes: figure,
  kernel: z.string(),
  node: z.string(),
  fileSystem: z.string(),
  loadBefore: figure,
  commit: z.string(),
  programs: z.record(z.string(), z.string()),
  pinning: z.string(),
});

const scenario = z.object({
  name: z.string(),
  title: z.string(),
  method: z.array(z.string()),
  measures: z.array(
    z.object({
      title: z.string(),
      unit: z.string(),
      better: z.enum(['more', 'less', 'neither']),
      measures: z.array(z.object({ subject: z.string(), role, rounds: z.array(figure), interval })),
    }),
  ),
  ratios: z.array(
    z.object({
      title: z.string(),
      rounds: z.array(figure),
      interval,
      bar: bar.exactOptional(),
      verdict: z.enum(['met', 'met-within-noise', 'missed-within-noise', 'missed', 'none']),
    }),
  ),
  curves: z.array(
    z.object({
      title: z.string(),
      x: axis,
      y: axis,
      series: z.array(z.object({ name: z.string(), role, points: z.array(z.tuple([figure, figure])) })),
    }),
  ),
  warnings: z.array(z.string()),
  seconds: figure,
});

const FORMAT = 1;

const results = z.object({
  format: z.literal(FORMAT),
  startedAt: z.string(),
  environment,
  scenarios: z.array(scenario),
});

const FIGURES_KEPT = 6;
const ISSUES_SHOWN = 3;

/**
 * The keys in the order above, programs by their names, numbers with six significant digits, a list of numbers in one line: of two runs the
 * difference is what was found.
 */
function toJson(found: Results): string {
  const rounded = JSON.stringify(found, (_, value: unknown) =>
    typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(FIGURES_KEPT)) : value,
  );
  const ordered = results.parse(JSON.parse(rounded));
  const text = JSON.stringify(
    ordered,
    (key, value) => (key === 'programs' ? Object.fromEntries(Object.entries(value).sort()) : value),
    2,
  );
  // Within a string JSON has no line feed, so only lists are found.
  return `${text.replace(/\[\n\s+[-+\d.e,\snul]+?\n\s+\]/g, (list) => list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'))}\n`;
}

/** @throws Error that says where `text` is no result of this format, or which format it is */
function fromJson(text: string): Results {
  const value: unknown = JSON.parse(text);
  const format = z.object({ format: z.unknown() }).safeParse(value).data?.format;
  if (typeof format === 'number' && format !== FORMAT)
    throw new Error(
      `it is of format ${format}, this program reads ${FORMAT}: read it with the sources that wrote it`,
    );
  const parsed = results.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const shown = issues
    .slice(0, ISSUES_SHOWN)
    .map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`);
  const more = issues.length > ISSUES_SHOWN ? `; and ${issues.length - ISSUES_SHOWN} more` : '';
  throw new Error(`${shown.join('; ')}${more}`);
}

export { fromJson, toJson };
