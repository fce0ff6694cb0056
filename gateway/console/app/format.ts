/** Figures as people read them: few digits, a unit, and a time as how long ago it was. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** 12,345 or 0.4 */
export function count(value: number): string {
  return value !== 0 && Math.abs(value) < 10 ? tenths.format(value) : whole.format(value);
}

/** 950, 12.3k, 4.1M: for axes and narrow places. */
export function short(value: number): string {
  if (Math.abs(value) < 10_000) return count(value);
  if (Math.abs(value) < 999_500) return `${tenths.format(value / 1e3)}k`;
  return `${tenths.format(value / 1e6)}M`;
}

export function bytes(value: number | null): string {
  if (value === null) return '–';
  if (value < 1024) return `${whole.format(value)} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let unit = -1;
  let rest = value;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${rest < 10 ? tenths.format(rest) : whole.format(rest)} ${units[unit]}`;
}

/** 0.4 ms, 230 ms, 4.2 s, 3 min, 2 h, 5 d */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1_000) return `${ms < 10 ? tenths.format(ms) : whole.format(ms)} ms`;
  if (ms < 60_000) return `${tenths.format(ms / 1e3)} s`;
  if (ms < 3_600_000) return `${whole.format(ms / 60e3)} min`;
  if (ms < 86_400_000) return `${tenths.format(ms / 3_600e3)} h`;
  return `${tenths.format(ms / 86_400e3)} d`;
}

export function percent(share: number | null): string {
  return share === null ? '–' : `${whole.format(share * 100)} %`;
}

/** A moment as the API gives it: milliseconds, or ISO 8601. */
export type Moment = number | string;

export function milliseconds(moment: Moment): number {
  return typeof moment === 'number' ? moment : Date.parse(moment);
}

/** 12 s ago; in 3 min. */
export function relative(moment: Moment, now: number): string {
  const ms = now - milliseconds(moment);
  if (Number.isNaN(ms)) return '–';
  if (Math.abs(ms) < 1_000) return 'now';
  const rounded = Math.abs(ms) < 60_000 ? Math.round(Math.abs(ms) / 1e3) * 1e3 : Math.abs(ms);
  return ms > 0 ? `${duration(rounded)} ago` : `in ${duration(rounded)}`;
}

/** To the second, with the zone. */
export function absolute(moment: Moment): string {
  const date = new Date(moment);
  return Number.isNaN(date.getTime())
    ? String(moment)
    : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
