/** The report as text for a terminal: a table for each group of measures, one of the ratios with their bars and verdicts, and the warnings. */
import type { MeasureGroup, Ratio, Results, ScenarioResult } from '../harness/results.js';
import { spread, table } from '../harness/table.js';
import { wrap } from './labels.js';
import { numberFormat, showNumber, showSeconds } from './numbers.js';
import { BETTER, environmentFacts, limitOf, ranked, showBar, showVerdicts, VERDICTS } from './reading.js';

const COLUMNS = 120;
/** A first column is never made narrower than this, even when the table becomes wider than the terminal. */
const FIRST_MIN = 24;

export function printResults(results: Results): string {
  const facts = environmentFacts(results).map(({ name, value }) => `${name} ${value}`);
  return [
    paragraph(facts.join('; ')),
    ...results.scenarios.map(scenario),
    showVerdicts(results) === '' ? [] : [showVerdicts(results)],
  ]
    .flat()
    .join('\n\n');
}

function scenario({ name, title, seconds, method, measures, ratios, warnings }: ScenarioResult): string {
  const heading = `${title} (${name}, ${showSeconds(seconds)})`;
  return [
    `${heading}\n${'='.repeat(heading.length)}`,
    ...(method.length === 0 ? [] : [method.map((sentence) => paragraph(sentence)).join('\n')]),
    ...measures.map(measureTable),
    ...(ratios.length === 0 ? [] : [ratioTable(ratios)]),
    ...warnings.map((warning) => paragraph(`! ${warning}`, '  ')),
  ].join('\n\n');
}

function measureTable(group: MeasureGroup): string {
  const limit = limitOf(group);
  const rows = ranked(group).map((measure) => {
    const { subject, role, rounds, interval } = measure;
    const { median, min, max } =
      rounds.length === 0 ? { median: Number.NaN, min: Number.NaN, max: Number.NaN } : spread(rounds);
    return {
      subject: role === 'limit' ? `${subject} (limit)` : subject,
      values: [median, min, max, interval.low, interval.high],
      // One round says nothing of how sure it is.
      isSure: rounds.length > 1,
      share: limit === undefined ? '' : showNumber(median / limit.interval.median),
    };
  });
  const format = numberFormat(rows.flatMap(({ values }) => values));
  const shown = rows.map(({ values }) => values.map(format));
  const cells = rows.map(({ subject, isSure, share }, row) => {
    const [median = '', min = '', max = '', low = '', high = ''] = shown[row] ?? [];
    return [subject, median, `(${min} to ${max})`, isSure ? `${low} to ${high}` : 'one round', share];
  });
  const head = ['subject', 'median', '(least to most)', '95 % interval', 'to the limit'];
  const columns = limit === undefined ? 4 : 5;
  const better = BETTER[group.better] === '' ? '' : `, ${BETTER[group.better]}`;
  const several = group.measures.filter(({ role }) => role === 'limit').length > 1;
  const of = limit !== undefined && several ? `; the limit is ${limit.subject}` : '';
  return `${paragraph(`${group.title}: ${group.unit}${better}${of}`)}\n${aligned(
    head.slice(0, columns),
    cells.map((row) => row.slice(0, columns)),
  )}`;
}

function ratioTable(ratios: readonly Ratio[]): string {
  const cells = ratios.map(({ title, interval, rounds, bar, verdict }) => {
    const format = numberFormat([interval.low, interval.median, interval.high]);
    return [
      title,
      format(interval.median),
      rounds.length > 1 ? `${format(interval.low)} to ${format(interval.high)}` : 'one round',
      showBar(bar),
      VERDICTS[verdict],
    ];
  });
  return aligned(['ratio', 'median', '95 % interval', 'bar', 'verdict'], cells, ['verdict']);
}

/** The first column and those in `left` to the left, figures to the right; what is too wide goes on in further lines. */
function aligned(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly string[] = [],
): string {
  const isLeft = head.map((title, column) => column === 0 || left.includes(title));
  const limits = head.map((title) => (left.includes(title) ? 28 : COLUMNS));
  const broken = rows.map((row) => row.map((cell, column) => wrap(cell, limits[column] ?? COLUMNS, length)));
  const widthOf = (column: number) =>
    Math.max(length(head[column] ?? ''), ...broken.flatMap((row) => (row[column] ?? []).map(length)));
  const others = head.slice(1).reduce((sum, _, at) => sum + widthOf(at + 1) + 3, 0);
  const first = Math.max(FIRST_MIN, COLUMNS - others - 4);
  const lines = broken.flatMap((row, at) => {
    const all = [wrap(rows[at]?.[0] ?? '', first, length), ...row.slice(1)];
    const height = Math.max(...all.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      all.map((cell, column) => {
        const text = cell[line] ?? '';
        return isLeft[column] ? text : text.padStart(widthOf(column));
      }),
    );
  });
  return table(
    head.map((title, column) => (isLeft[column] ? title : title.padStart(widthOf(column)))),
    lines,
  );
}

function paragraph(text: string, indent = ''): string {
  return wrap(text, COLUMNS - indent.length, length).join(`\n${indent}`);
}

function length(text: string): number {
  return text.length;
}
