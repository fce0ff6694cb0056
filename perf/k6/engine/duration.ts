/** Durations as k6 scripts write them: `1h30m`, `1.5s`, `500ms`, or a number of milliseconds. */
const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
};
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|us|[dhms]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|us|[dhms])/g;

/** Milliseconds, or undefined when it is no duration. */
export function durationMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string' || !WHOLE.test(value)) return undefined;
  let sum = 0;
  for (const [, count, unit = ''] of value.matchAll(PART)) sum += Number(count) * (UNIT_MS[unit] ?? 0);
  return sum;
}
