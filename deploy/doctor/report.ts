/**
 * What the doctor found, for people and for programs.
 *
 * The shape of the JSON is a contract (`docs/how-to/check-a-node.md`): fields may be added, none changes or goes.
 */
import { printable } from '../commands/table.js';
import type { Group, Outcome } from './check.js';
import type { Result } from './run-checks.js';

/** Words, so that they say the same without a colour and to a screen reader. */
const MARKS: Readonly<Record<Outcome, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  skipped: 'skipped',
};
const COLOURS: Readonly<Record<Outcome, string>> = { ok: '32', warning: '33', failed: '31;1', skipped: '2' };
const MARK_WIDTH = 8;

type Summary = Readonly<Record<Outcome, number>>;

function summaryOf(results: readonly Result[]): Summary {
  const count = (outcome: Outcome) => results.filter((result) => result.outcome === outcome).length;
  return { ok: count('ok'), warning: count('warning'), failed: count('failed'), skipped: count('skipped') };
}

interface TextOptions {
  readonly colour: boolean;
}

/** Grouped lines, the advice under what is not well, and a summary. */
function textReport(groups: readonly Group[], results: readonly Result[], { colour }: TextOptions): string {
  const painted = (code: string, text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const idWidth = Math.max(0, ...results.map(({ id }) => id.length));
  const indent = ' '.repeat(2 + MARK_WIDTH + idWidth + 2);
  const lines: string[] = [];
  for (const group of groups) {
    const own = results.filter((result) => result.group === group.id);
    if (own.length === 0) continue;
    lines.push(painted('1', group.title));
    const [one] = own;
    if (one !== undefined && own.length > 1 && own.every((each) => isSkippedAs(each, one))) {
      const mark = painted(COLOURS.skipped, MARKS.skipped.padEnd(MARK_WIDTH));
      lines.push(`  ${mark}${`all ${own.length}`.padEnd(idWidth)}  ${printable(one.found)}`, '');
      continue;
    }
    for (const { id, outcome, found, advice } of own) {
      const mark = painted(COLOURS[outcome], MARKS[outcome].padEnd(MARK_WIDTH));
      const [first = '', ...more] = found.split('\n').map(printable);
      lines.push(`  ${mark}${id.padEnd(idWidth)}  ${first}`, ...more.map((line) => indent + line));
      if (advice !== undefined) {
        lines.push(...advice.split('\n').map((line) => `${indent}-> ${printable(line)}`));
      }
    }
    lines.push('');
  }
  const { ok, warning, failed, skipped } = summaryOf(results);
  const plural = warning === 1 ? 'warning' : 'warnings';
  lines.push(`${ok} ok, ${warning} ${plural}, ${failed} failed, ${skipped} skipped`);
  return `${lines.join('\n')}\n`;
}

/** The same reason once says enough. */
function isSkippedAs(result: Result, other: Result): boolean {
  return result.outcome === 'skipped' && result.found === other.found;
}

type CheckJson = Omit<Result, 'advice'> & { readonly advice: string | null };

/** As they stand in JSON. */
function checksOf(results: readonly Result[]): readonly CheckJson[] {
  return results.map(({ id, group, title, outcome, found, advice = null, ms }) => ({
    id,
    group,
    title,
    outcome,
    found,
    advice,
    ms,
  }));
}

function jsonReport(results: readonly Result[], exitCode: number): string {
  const report = { version: 1, exitCode, summary: summaryOf(results), checks: checksOf(results) };
  return `${JSON.stringify(report, null, 2)}\n`;
}

export { type CheckJson, checksOf, jsonReport, type Summary, summaryOf, textReport };
