// @ts-check
/** The end of a run, for people: what was sent, how long it took, what was checked, and whether the thresholds hold. As JSON, too. */
import { summaryFile } from './settings.js';

/**
 * What k6 gives to `handleSummary`, as far as it is read here.
 * @typedef {object} SummaryData
 * @property {{ testRunDurationMs: number }} state
 * @property {{ checks: { name: string, passes: number, fails: number }[] }} root_group
 * @property {Record<string, Metric>} metrics
 *
 * @typedef {object} Metric
 * @property {string} type
 * @property {string} contains
 * @property {Record<string, number>} values
 * @property {Record<string, { ok: boolean }>} [thresholds]
 */

const TIMES = ['avg', 'med', 'p(95)', 'p(99)', 'max'];

/**
 * @param {string} title
 * @param {SummaryData} data
 * @returns {Record<string, string>} what `handleSummary` returns
 */
export function summarise(title, data) {
  const { metrics } = data;
  const failed = Object.values(metrics).some((metric) =>
    Object.values(metric.thresholds || {}).some((t) => !t.ok),
  );
  const lines = [
    '',
    `${title}: ${failed ? 'FAILED' : 'passed'}, ${(data.state.testRunDurationMs / 1000).toFixed(1)} s`,
    '',
    ...table(['counted', 'count', 'a second'], countRows(metrics)),
    '',
    ...table(['milliseconds', ...TIMES], timeRows(metrics)),
    '',
    ...table(
      ['checks', 'passed', 'failed'],
      data.root_group.checks.map(({ name, passes, fails }) => [name, whole(passes), whole(fails)]),
    ),
    '',
    ...table(['thresholds', '', ''], thresholdRows(metrics)),
    '',
  ];
  /** @type {Record<string, string>} */
  const result = { stdout: `${lines.join('\n')}\n` };
  if (summaryFile !== '') result[summaryFile] = `${JSON.stringify(data, null, 2)}\n`;
  return result;
}

/** @param {Record<string, Metric>} metrics */
function countRows(metrics) {
  return sorted(metrics)
    .filter(([, metric]) => metric.type === 'counter' && metric.contains !== 'data')
    .map(([name, { values }]) => [name, whole(values.count), fixed(values.rate)]);
}

/** @param {Record<string, Metric>} metrics */
function timeRows(metrics) {
  return sorted(metrics)
    .filter(([, metric]) => metric.type === 'trend' && metric.contains === 'time')
    .map(([name, { values }]) => [name, ...TIMES.map((stat) => fixed(values[stat]))]);
}

/** @param {Record<string, Metric>} metrics */
function thresholdRows(metrics) {
  return sorted(metrics).flatMap(([name, metric]) =>
    Object.entries(metric.thresholds || {}).map(([source, { ok }]) => [
      name,
      source,
      ok ? 'holds' : 'CROSSED',
    ]),
  );
}

/** @param {Record<string, Metric>} metrics */
function sorted(metrics) {
  return Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** @param {number | undefined} value */
function whole(value) {
  return String(Math.round(value || 0)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** @param {number | undefined} value */
function fixed(value) {
  return (value || 0).toFixed(2);
}

/**
 * The first column to the left, numbers to the right.
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] || '').length)),
  );
  return [head, ...rows].map((row) =>
    `  ${widths.map((width, at) => (at === 0 ? (row[at] || '').padEnd(width) : (row[at] || '').padStart(width))).join('  ')}`.trimEnd(),
  );
}
