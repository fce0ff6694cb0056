/**
 * The intervals of ratios beside their bars, small enough for a cell of a table. Of ratios with a bar all plots have one axis, how many times
 * better than the bar: right of the line is better, whether more or less of it is wanted, left of it (shaded) is missed.
 */
import type { Bar, Ratio } from '../harness/results.js';
import { type Markup, markup } from './markup.js';
import { isFigure, showNumber } from './numbers.js';
import { margin, showBar, VERDICTS } from './reading.js';
import { logScale, type Scale } from './scale.js';

const WIDTH = 160;
const HEIGHT = 22;
const INSET = 5;
/** Further from the bar than this is drawn at the edge. */
const TIMES_MAX = 16;
/** To either side of the bar at least, or every interval would fill the plot. */
const TIMES_MIN = 1.5;

export interface RatioAxis {
  readonly scale: Scale;
  readonly hasBars: boolean;
}

/** One axis for all of them: either each has a bar, or none. */
export function ratioAxis(ratios: readonly Ratio[]): RatioAxis {
  const times = ratios
    .flatMap(({ interval: { low, median, high }, bar }) =>
      [low, median, high].map((value) => timesOf(value, bar)),
    )
    .filter((value) => isFigure(value) && value > 0);
  const low = Math.max(1 / TIMES_MAX, Math.min(1 / TIMES_MIN, ...times));
  const high = Math.min(TIMES_MAX, Math.max(TIMES_MIN, ...times));
  return { scale: logScale(low / 1.1, high * 1.1, 3), hasBars: ratios.some(({ bar }) => bar !== undefined) };
}

/** How many times better than the bar; without one the ratio itself. */
function timesOf(value: number, bar: Bar | undefined): number {
  return bar === undefined ? value : margin(value, bar);
}

export function ratioPlot(
  { title, rounds, interval, bar, verdict }: Ratio,
  { scale }: RatioAxis,
  id: string,
): Markup {
  const xOf = (value: number) => INSET + (WIDTH - 2 * INSET) * scale.share(timesOf(value, bar));
  const { low, median, high } = interval;
  const y = HEIGHT / 2;
  const one = INSET + (WIDTH - 2 * INSET) * scale.share(1);
  const shown = bar === undefined ? '' : `, ${showBar(bar)}: ${VERDICTS[verdict]}`;
  const canDraw = isFigure(median) && isFigure(low) && isFigure(high);
  const marks = canDraw
    ? markup`<line class="interval" x1="${xOf(low)}" y1="${y}" x2="${xOf(high)}" y2="${y}"/>${rounds
        .filter(isFigure)
        .map(
          (value) => markup`<circle class="dot" cx="${xOf(value)}" cy="${y + 7.5}" r="1.3"/>`,
        )}<circle class="median ${verdict}" cx="${xOf(median)}" cy="${y}" r="3.2"/>`
    : undefined;
  return markup`<svg class="ratio" role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"><title id="${id}-title">${title}</title><desc id="${id}-desc">${showNumber(median)}, 95 % interval ${showNumber(low)} to ${showNumber(high)}${shown}</desc>
${bar === undefined ? undefined : markup`<rect class="short" x="0" y="0" width="${one}" height="${HEIGHT}"/>`}<line class="target" x1="${one}" y1="0" x2="${one}" y2="${HEIGHT}"/>${marks}</svg>`;
}

interface RatioTick {
  readonly at: number;
  readonly label: string;
}

/** The outermost first. */
const ABOVE: readonly RatioTick[] = [8, 4, 2, 1.5].map((at) => ({ at, label: `${at} ×` }));
const BELOW: readonly RatioTick[] = [
  { at: 1 / 8, label: '1/8' },
  { at: 1 / 4, label: '1/4' },
  { at: 1 / 2, label: '1/2' },
  { at: 2 / 3, label: '2/3' },
];
const LABEL_ROOM = 26;

/** The axis above the plots, for people who see them. */
export function ratioHead({ scale, hasBars }: RatioAxis): Markup {
  const xOf = (times: number) => INSET + (WIDTH - 2 * INSET) * scale.share(times);
  const outermost = (ticks: readonly RatioTick[]) =>
    ticks.find(({ at }) => at > scale.low && at < scale.high && Math.abs(xOf(at) - xOf(1)) > LABEL_ROOM);
  const ticks = [outermost(BELOW), outermost(ABOVE)].filter((tick) => tick !== undefined);
  const labels = [{ at: 1, label: hasBars ? 'bar' : '1' }, ...ticks];
  return markup`<svg class="ratio" aria-hidden="true" viewBox="0 0 ${WIDTH} 14" width="${WIDTH}" height="14">${labels.map(({ at, label }) => markup`<text class="tick middle" x="${xOf(at)}" y="11">${label}</text>`)}</svg>`;
}
