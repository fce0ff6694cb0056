/** What `tether golive` keeps: for the people who decide, and for programs. */
import { type CheckJson, checksOf, type Summary, summaryOf } from '../doctor/report.js';
import type { Result } from '../doctor/run-checks.js';

interface GoliveReport {
  readonly at: Date;
  /** Of the program that looked. */
  readonly version: string;
  readonly machine: string;
  /** What was deployed; undefined: before a deployment. */
  readonly url: string | undefined;
  /** Whether a warning counts. */
  readonly strict: boolean;
  readonly groups: readonly { readonly id: string; readonly title: string }[];
  readonly results: readonly Result[];
}

const MARKS = { ok: 'ok', warning: '**warning**', failed: '**FAILED**', skipped: 'skipped' } as const;

function isGo({ strict, results }: Pick<GoliveReport, 'strict' | 'results'>): boolean {
  const { failed, warning } = summaryOf(results);
  return failed === 0 && !(strict && warning > 0);
}

function verdict(report: GoliveReport): string {
  const { ok, warning, failed, skipped } = summaryOf(report.results);
  return `${isGo(report) ? 'GO' : 'NO GO'}: ${ok} ok, ${counted(warning, 'warning')}, ${failed} failed, ${skipped} skipped`;
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

function markdownReport(report: GoliveReport): string {
  const { at, version, machine, url, groups, results } = report;
  const lines = [
    '# Go-live report',
    '',
    `**${verdict(report)}**`,
    '',
    `- ${at.toISOString()}, from ${cell(machine)}, Tether ${version}`,
    `- ${url === undefined ? 'before a deployment: no node was asked' : `of ${cell(url)}`}`,
    '',
  ];
  for (const group of groups) {
    const own = results.filter((result) => result.group === group.id);
    if (own.length === 0) continue;
    lines.push(`## ${group.title}`, '', '| item | outcome | evidence |', '| --- | --- | --- |');
    for (const { id, title, outcome, found, advice } of own) {
      const evidence = advice === undefined ? cell(found) : `${cell(found)}<br>To do: ${cell(advice)}`;
      lines.push(`| ${cell(title)} (\`${id}\`) | ${MARKS[outcome]} | ${evidence} |`);
    }
    lines.push('');
  }
  return lines.join('\n');
}

/** As text in a cell of a table: nothing of it is Markdown or HTML. */
function cell(text: string): string {
  return text
    .replaceAll(/[\\`*_{}[\]<>|]/g, (mark) => (mark === '<' ? '&lt;' : mark === '>' ? '&gt;' : `\\${mark}`))
    .replaceAll(/\s*\n\s*/g, '<br>');
}

interface GoliveJson {
  readonly version: 1;
  readonly verdict: 'go' | 'no-go';
  readonly at: string;
  readonly tether: string;
  readonly machine: string;
  readonly url: string | null;
  readonly strict: boolean;
  readonly summary: Summary;
  readonly checks: readonly CheckJson[];
}

function jsonOf(report: GoliveReport): GoliveJson {
  const { at, version, machine, url = null, strict, results } = report;
  return {
    version: 1,
    verdict: isGo(report) ? 'go' : 'no-go',
    at: at.toISOString(),
    tether: version,
    machine,
    url,
    strict,
    summary: summaryOf(results),
    checks: checksOf(results),
  };
}

export { type GoliveReport, isGo, jsonOf, markdownReport, verdict };
