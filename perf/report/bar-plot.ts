/**
 * A group of measures as horizontal bars, the best first: the bar ends at the median, the whisker is its 95 % interval, the dots below are the
 * single rounds. Names and figures stand in the columns of a table, so nothing has to be looked up in a legend.
 */
import type { Measure, MeasureGroup } from '../harness/results.js';
import {
  type Drawing,
  drawn,
  type Layout,
  roleClass,
  SMALL_SIZE,
  TEXT_SIZE,
  textLines,
  textMeasure,
} from './figure.js';
import { wrap } from './labels.js';
import { type Filling, type Markup, markup } from './markup.js';
import { isFigure, numberFormat, showNumber } from './numbers.js';
import { limitOf, ranked } from './reading.js';
import { linearScale, logScale, type Scale } from './scale.js';

/** Between the least and the greatest: from here on the short bars of a linear axis could not be told from nothing. */
const LINEAR_SPAN_MAX = 1_000;

const NAME_WIDTH_MAX = 200;
const COLUMN_GAP = 14;
/** From the end of the bars to the figures. */
const PLOT_GAP = 10;
const LINE_HEIGHT = 15;
const ROW_MIN = 28;
const BAR = 11;
/** From the middle of the bar down to the dots. */
const DOTS_BELOW = 10.5;
const DOT_RADIUS = 1.7;
const AXIS_HEIGHT = 22;
const HEAD_HEIGHT = 18;
const TICK_ROOM = 68;

const measureText = textMeasure(TEXT_SIZE);
const measureSmall = textMeasure(SMALL_SIZE);

interface Row {
  readonly measure: Measure;
  readonly name: string;
  readonly median: string;
  readonly interval: string;
  readonly share: string;
}

/** Empty when there is nothing to say. */
export function barNote(group: MeasureGroup): string {
  const values = valuesOf(group);
  const notes: string[] = [];
  if (isLog(values))
    notes.push('The axis is logarithmic: it is the ends of the bars that compare, not their lengths.');
  if (group.measures.some(({ interval, rounds }) => ![interval.median, ...rounds].every(isFigure)))
    notes.push('What is negative or no number is not drawn.');
  return notes.join(' ');
}

export function barPlot(group: MeasureGroup, id: string): Markup {
  const rows = rowsOf(group);
  const said = rows.map(({ name, median, interval }) => `${name}: ${median} (${interval})`);
  const figure = {
    id,
    title: `${group.title}, ${group.unit}`,
    description: `Median and 95 % interval, ${group.unit}. ${said.join('; ')}.`,
    isHatched: group.measures.some(({ role }) => role === 'limit'),
  };
  return drawn(figure, (layout, hatch) => draw(group, rows, layout, hatch));
}

function rowsOf(group: MeasureGroup): readonly Row[] {
  const limit = limitOf(group)?.interval.median;
  const measures = ranked(group);
  const format = numberFormat(measures.flatMap(({ interval: { median, low, high } }) => [median, low, high]));
  return measures.map((measure) => {
    const { subject, role, rounds, interval } = measure;
    return {
      measure,
      name: role === 'limit' ? `${subject} (limit)` : subject,
      median: format(interval.median),
      interval: rounds.length > 1 ? `${format(interval.low)} to ${format(interval.high)}` : 'one round',
      share: limit === undefined ? '' : showNumber(interval.median / limit),
    };
  });
}

function valuesOf({ measures }: MeasureGroup): readonly number[] {
  return measures.flatMap(({ rounds, interval: { median, low, high } }) =>
    isFigure(median) ? [...rounds, median, low, high].filter(isFigure) : [],
  );
}

function isLog(values: readonly number[]): boolean {
  const sizes = values.filter((value) => value > 0);
  return sizes.length > 0 && Math.max(...sizes) > Math.min(...sizes) * LINEAR_SPAN_MAX;
}

function scaleOf(values: readonly number[], width: number): Scale {
  const count = Math.max(2, Math.floor(width / TICK_ROOM));
  const most = Math.max(0, ...values);
  if (!isLog(values)) return linearScale(0, most, count);
  const least = Math.min(...values.filter((value) => value > 0));
  // From the decade below half of it, or the bar of the least would have no length to speak of.
  return logScale(10 ** Math.floor(Math.log10(least / 2)), most, count);
}

function draw(group: MeasureGroup, rows: readonly Row[], layout: Layout, hatch: string): Drawing {
  return layout.name === 'wide'
    ? drawWide(group, rows, layout, hatch)
    : drawNarrow(group, rows, layout, hatch);
}

interface Column {
  readonly head: string;
  readonly className: string;
  readonly of: (row: Row) => string;
}

/** Name, bar and figures beside one another. */
function drawWide(group: MeasureGroup, rows: readonly Row[], { width }: Layout, hatch: string): Drawing {
  const columns: Column[] = [
    { head: group.unit, className: 'value', of: ({ median }) => median },
    { head: '95 % interval', className: 'value soft', of: ({ interval }) => interval },
  ];
  if (limitOf(group) !== undefined)
    columns.push({ head: 'to the limit', className: 'value soft', of: ({ share }) => share });
  let right = width;
  const placed = columns.toReversed().map((column) => {
    const x = right;
    right -=
      Math.max(measureSmall(column.head), ...rows.map((row) => measureText(column.of(row)))) + COLUMN_GAP;
    return { ...column, x };
  });
  const widthOf =
    ({ measure: { role } }: Row) =>
    (text: string) =>
      measureText(text, role);
  const names = rows.map((row) => wrap(row.name, NAME_WIDTH_MAX, widthOf(row)));
  const left = Math.max(0, ...rows.flatMap((row, at) => (names[at] ?? []).map(widthOf(row)))) + COLUMN_GAP;
  right -= PLOT_GAP;
  const plot = { left, width: right - left, scale: scaleOf(valuesOf(group), right - left) };
  let y = HEAD_HEIGHT;
  const drawnRows = rows.map((row, at) => {
    const lines = names[at] ?? [];
    const height = Math.max(ROW_MIN, lines.length * LINE_HEIGHT + 8);
    const middle = y + height / 2;
    y += height;
    const name = { x: 0, y: middle, height: LINE_HEIGHT, className: roleClass(row.measure.role) };
    return markup`${textLines(lines, name)}${bar(row.measure, plot, middle - 2.5, hatch)}
${placed.map(({ className, of, x }) => markup`<text class="${className}" x="${x}" y="${middle}" dy="0.35em">${of(row)}</text>`)}`;
  });
  const heads = placed.map(({ head, x }) => markup`<text class="head" x="${x}" y="10">${head}</text>`);
  return framed(group, plot, { top: HEAD_HEIGHT, bottom: y, width }, [heads, drawnRows]);
}

/** Name and median above the bar, which has the whole width. */
function drawNarrow(group: MeasureGroup, rows: readonly Row[], { width }: Layout, hatch: string): Drawing {
  // Room for half a dot at either end.
  const [left, plotWidth] = [DOT_RADIUS, width - 2 * DOT_RADIUS];
  const plot = { left, width: plotWidth, scale: scaleOf(valuesOf(group), plotWidth) };
  const valueWidth = Math.max(0, ...rows.map(({ median }) => measureText(median))) + COLUMN_GAP;
  let y = HEAD_HEIGHT;
  const drawnRows = rows.map((row) => {
    const lines = wrap(row.name, width - valueWidth, (text) => measureText(text, row.measure.role));
    const textHeight = lines.length * LINE_HEIGHT;
    const name = { x: 0, y: y + textHeight / 2, height: LINE_HEIGHT, className: roleClass(row.measure.role) };
    const value = markup`<text class="value" x="${width}" y="${y + LINE_HEIGHT / 2}" dy="0.35em">${row.median}</text>`;
    const middle = y + textHeight + BAR / 2 + 1;
    y = middle + DOTS_BELOW + 9;
    return markup`${textLines(lines, name)}${value}${bar(row.measure, plot, middle, hatch)}`;
  });
  const head = markup`<text class="head" x="${width}" y="10">${group.unit}</text>`;
  return framed(group, plot, { top: HEAD_HEIGHT, bottom: y, width }, [head, drawnRows]);
}

interface Plot {
  readonly left: number;
  readonly width: number;
  readonly scale: Scale;
}

interface Box {
  readonly top: number;
  readonly bottom: number;
  /** Of the whole drawing. */
  readonly width: number;
}

/** Lines at the ticks behind the rows, their labels below, and how far the limit is through all rows. */
function framed(group: MeasureGroup, plot: Plot, { top, bottom, width }: Box, rows: Filling): Drawing {
  const { left, scale } = plot;
  const xOf = (value: number) => left + plot.width * scale.share(value);
  const grid = scale.ticks.map(
    ({ at }) => markup`<line class="grid" x1="${xOf(at)}" y1="${top}" x2="${xOf(at)}" y2="${bottom}"/>`,
  );
  const labels = scale.ticks.map(({ at, label }) => {
    const half = measureSmall(label) / 2;
    const x = Math.min(width - half, Math.max(half, xOf(at)));
    return markup`<text class="tick middle" x="${x}" y="${bottom + 14}">${label}</text>`;
  });
  const limit = limitOf(group)?.interval.median;
  const reference =
    limit === undefined
      ? undefined
      : markup`<line class="reference" x1="${xOf(limit)}" y1="${top}" x2="${xOf(limit)}" y2="${bottom}"/>`;
  return {
    height: bottom + AXIS_HEIGHT,
    body: markup`${grid}${reference}<line class="axis" x1="${left}" y1="${top}" x2="${left}" y2="${bottom}"/>${rows}${labels}`,
  };
}

function bar(
  { role, rounds, interval }: Measure,
  { left, width, scale }: Plot,
  y: number,
  hatch: string,
): Filling {
  const { median, low, high } = interval;
  // A logarithmic axis has no place for 0; its label says it.
  const hasPlace = (value: number) => isFigure(value) && (value > 0 || scale.kind === 'linear');
  if (!hasPlace(median)) return undefined;
  const xOf = (value: number) => left + width * scale.share(value);
  const fill = role === 'limit' ? markup` fill="${hatch}"` : undefined;
  const whisker = `M${px(xOf(low))} ${px(y - 3)}v6M${px(xOf(low))} ${px(y)}H${px(xOf(high))}M${px(xOf(high))} ${px(y - 3)}v6`;
  const hasWhisker = rounds.length > 1 && hasPlace(low) && hasPlace(high) && high > low;
  return markup`<rect class="bar ${roleClass(role)}"${fill} x="${left}" y="${y - BAR / 2}" width="${xOf(median) - left}" height="${BAR}"/>
${hasWhisker ? markup`<path class="halo" d="${whisker}"/><path class="whisker" d="${whisker}"/>` : undefined}
${rounds.filter(hasPlace).map((value) => markup`<circle class="dot" cx="${xOf(value)}" cy="${y + DOTS_BELOW}" r="${DOT_RADIUS}"/>`)}`;
}

function px(value: number): string {
  return value.toFixed(2);
}
