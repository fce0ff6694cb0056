/** Numbers as people read them: three significant figures, thousands apart, the same decimals in what stands below one another. */

const NONE = '–';
const DECIMALS_MAX = 6;
/** Values further apart than this have no decimals in common that suit both. */
const SPAN_MAX = 1_000;

/** Of 0 or more, as every figure of the laboratory must be to have a place in a plot. */
export function isFigure(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function withDecimals(value: number, decimals: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function magnitude(value: number): number {
  return Math.floor(Math.log10(Math.abs(value)));
}

/** From here on a number is told in millions or more, as nobody reads nine digits, and no measurement has them. */
const LARGE = [
  { from: 1e9, suffix: ' G' },
  { from: 1e6, suffix: ' M' },
] as const;

function largeFor(size: number): { readonly from: number; readonly suffix: string } {
  return LARGE.find(({ from }) => size >= from) ?? { from: 1, suffix: '' };
}

/** Three significant figures, whole numbers in full up to a million; a dash for what is no number. */
export function showNumber(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return '0';
  const { from, suffix } = largeFor(Math.abs(value));
  const decimals = 2 - magnitude(value / from);
  return decimals > DECIMALS_MAX
    ? value.toExponential(2)
    : withDecimals(value / from, Math.max(0, decimals)) + suffix;
}

/** For values that stand below one another: with as many decimals as the greatest and the least of them need. */
export function numberFormat(values: readonly number[]): (value: number) => string {
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const least = Math.min(...sizes);
  const most = Math.max(...sizes);
  if (sizes.length === 0 || most > least * SPAN_MAX) return showNumber;
  const { from, suffix } = largeFor(most);
  const decimals = Math.max(0, 2 - magnitude(most / from), 1 - magnitude(least / from));
  if (decimals > DECIMALS_MAX) return showNumber;
  return (value) => (Number.isFinite(value) ? withDecimals(value / from, decimals) + suffix : NONE);
}

/** Of a value that somebody chose, on an axis or as a bar: all of its digits, millions as `2 M`. */
export function showTick(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-4) return value.toExponential();
  const { from, suffix } = largeFor(size);
  return (value / from).toLocaleString('en', { maximumSignificantDigits: 6 }) + suffix;
}

export function showSeconds(seconds: number): string {
  if (!isFigure(seconds)) return NONE;
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
