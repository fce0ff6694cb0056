/** What the guard says at its end: a table of rates, one of counts, what was not compared, and the verdict. Pure. */
import { showInterval } from '../harness/interval.js';
import { table } from '../harness/table.js';
import type { CountRow, Counts } from './counts.js';
import type { RateRow, Rates } from './rates.js';
import { type Count, seenPercent, type Verdict } from './verdict.js';

const COUNTS: Readonly<Record<Count, string>> = {
  instructions: 'instructions per call',
  bytes: 'bytes allocated per call',
};

export function ratesText({ rows, notes }: Rates): string {
  const head = ['what', 'base/s', 'head/s', 'ratio (95 %)', 'verdict', 'sees losses from'];
  const lines = rows.map(({ name, base, head, ratio, verdict }) => [
    name,
    whole(base),
    whole(head),
    showInterval(ratio),
    shown(verdict),
    `${seenPercent(ratio).toFixed(1)} %`,
  ]);
  return text('Rates, head by base', table(head, lines), notes);
}

export function countsText({ rows, notes }: Counts): string {
  const head = ['function', 'counted', 'base', 'head', 'verdict'];
  const lines = rows.map(({ name, count, base, head, verdict }) => [
    name,
    COUNTS[count],
    base.toFixed(1),
    head.toFixed(1),
    shown(verdict),
  ]);
  return text('Counts, head by base', table(head, lines), notes);
}

/** The last lines: each loss, and whether the guard lets it pass. */
export function verdictText(
  rates: readonly RateRow[],
  counts: readonly CountRow[],
): { readonly fails: boolean; readonly text: string } {
  const all = [
    ...rates.map(({ name, verdict }) => ({ name, verdict })),
    ...counts.map(({ name, count, verdict }) => ({ name: `${name}, ${COUNTS[count]}`, verdict })),
  ];
  const of = (wanted: (verdict: Verdict) => boolean) =>
    all.filter(({ verdict }) => wanted(verdict)).map(({ name, verdict }) => `- ${name}: ${verdict.text}`);
  const failed = of(({ fails }) => fails);
  const passed = of(({ kind, fails }) => kind === 'loss' && !fails);
  const lines = [
    ...(failed.length > 0 ? ['Lost:', ...failed] : []),
    ...(passed.length > 0 ? ['Lost, and let pass:', ...passed] : []),
    failed.length > 0
      ? `FAILED: ${failed.length} of ${all.length} measures lost more than is let pass.`
      : `PASSED: none of ${all.length} measures lost more than is let pass.`,
  ];
  return { fails: failed.length > 0, text: lines.join('\n') };
}

const shown = ({ text, fails }: Verdict) => (fails ? `${text}: FAILS` : text);

const whole = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 });

function text(title: string, body: string, notes: readonly string[]): string {
  return [`${title}\n`, body, ...notes.map((note) => `\nNot compared: ${note}`)].join('\n');
}
