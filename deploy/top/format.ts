/** Figures as text for a terminal: short, of a width that hardly changes from second to second, and never in colour alone. */
interface Glyphs {
  /** From nothing to full. */
  readonly spark: readonly string[];
  /** Stands for what was cut off. */
  readonly cut: string;
}

const UNICODE: Glyphs = { spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'], cut: '…' };
/** For a terminal that does not say that it knows UTF-8. */
const ASCII: Glyphs = { spark: ['_', '.', '-', ':', '=', '+', '*', '#'], cut: '~' };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0`, `0.4`, `17`, `1.2k`, `34M`: at most five characters for anything below 10^15. */
function countText(value: number): string {
  if (value < 10 && !Number.isInteger(value)) return value < 0.05 ? '0' : value.toFixed(1);
  return scaled(value, 1_000, ['', 'k', 'M', 'G', 'T']);
}

function bytesText(value: number | null): string {
  return value === null ? '-' : scaled(value, 1_024, ['B', 'K', 'M', 'G', 'T']);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let scaledValue = value;
  let unit = 0;
  // What would be rounded to the base is of the next unit.
  while (Math.round(scaledValue) >= base && unit < units.length - 1) {
    scaledValue /= base;
    unit += 1;
  }
  const digits = unit > 0 && scaledValue < 9.95 ? 1 : 0;
  return `${scaledValue.toFixed(digits)}${units[unit] ?? ''}`;
}

/** `-`, `0.4`, `17`, `1.2s`, `3.4m`, `2.0h`. */
function msText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-';
  if (value < 9.95) return value.toFixed(1);
  if (Math.round(value) < SECOND) return value.toFixed(0);
  if (value < 100 * SECOND) return `${(value / SECOND).toFixed(1)}s`;
  return value < 100 * MINUTE ? `${(value / MINUTE).toFixed(1)}m` : `${(value / HOUR).toFixed(1)}h`;
}

/** `3d 4h`, `2h 5m`, `7m 3s`, `9s`. */
function durationText(ms: number): string {
  const value = Math.max(0, ms);
  const part = (unit: number, within: number) => Math.floor((value % within) / unit);
  if (value >= DAY) return `${Math.floor(value / DAY)}d ${part(HOUR, DAY)}h`;
  if (value >= HOUR) return `${part(HOUR, DAY)}h ${part(MINUTE, HOUR)}m`;
  return value >= MINUTE ? `${part(MINUTE, HOUR)}m ${part(SECOND, MINUTE)}s` : `${part(SECOND, MINUTE)}s`;
}

function clockText(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)} UTC`;
}

/** `|||     38%`, in `width` characters; `-` while it is not known. */
function barText(share: number | null, width: number): string {
  if (share === null) return '-'.padStart(width);
  const bounded = Math.min(Math.max(share, 0), 1);
  const cells = Math.max(0, width - 5);
  return '|'.repeat(Math.round(bounded * cells)).padEnd(cells) + `${Math.round(bounded * 100)}%`.padStart(5);
}

/** The last `width` values, from nothing to the largest of them; the newest stands right. */
function sparkText(values: readonly number[], width: number, { spark }: Glyphs): string {
  const shown = values.slice(-width);
  const top = Math.max(...shown, Number.MIN_VALUE);
  const levels = shown.map((value) => spark[Math.round((value / top) * (spark.length - 1))] ?? ' ');
  return levels.join('').padStart(width);
}

/** In exactly `width` characters. */
function fit(text: string, width: number, align: 'left' | 'right', { cut }: Glyphs): string {
  if (text.length > width) return text.slice(0, Math.max(0, width - 1)) + (width > 0 ? cut : '');
  return align === 'left' ? text.padEnd(width) : text.padStart(width);
}

export {
  ASCII,
  barText,
  bytesText,
  clockText,
  countText,
  durationText,
  fit,
  type Glyphs,
  msText,
  sparkText,
  UNICODE,
};
