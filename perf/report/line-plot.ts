/** Curves as lines, each named at its end. Tether has the accent colour, peers are grey, limits dotted; lines of one role differ in their dashes. */
import type { Axis, Curve, Role, Series } from '../harness/results.js';
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
import { apart, wrap } from './labels.js';
import { type Filling, type Markup, markup } from './markup.js';
import { isFigure, showNumber } from './numbers.js';
import { linearScale, logScale, roundOut, type Scale, type Tick } from './scale.js';

const PLOT_HEIGHT = 240;
const TOP = 24;
const BOTTOM = 40;
const LINE_HEIGHT = 14.5;
const LABEL_GAP = 5;
/** From the end of the plot to the names. */
const LABEL_INDENT = 16;
const LABEL_WIDTH_MAX = { wide: 190, narrow: 112 } as const;
const X_TICK_ROOM = 60;
const Y_TICKS = { linear: 6, log: 12 } as const;
const TICK_SPACING = 8;
/** Lines of more points are drawn without a mark at each. */
const MARKED_POINTS_MAX = 20;

const DASHES: Readonly<Record<Role, readonly string[]>> = {
  tether: ['none', '7 3', '2.5 2.5', '9 3 2.5 3'],
  peer: ['none', '7 3', '2.5 2.5', '9 3 2.5 3'],
  limit: ['1 3', '4 2 1 2', '1 5'],
};

const measureText = textMeasure(TEXT_SIZE);
const measureSmall = textMeasure(SMALL_SIZE);

interface Line {
  readonly series: Series;
  readonly dash: string;
  /** Parts between the holes that points without a place leave. */
  readonly parts: readonly (readonly (readonly [x: number, y: number])[])[];
  readonly last: readonly [x: number, y: number];
}

/** Empty when there is nothing to say. */
export function lineNote(curve: Curve): string {
  const points = curve.series.flatMap((series) => series.points);
  return points.every((point) => hasPlace(curve, point))
    ? ''
    : 'Points that are negative or no numbers, and zeros on a logarithmic axis, are not drawn.';
}

export function linePlot(curve: Curve, id: string): Markup {
  const lines = linesOf(curve);
  const said = lines.map(
    ({ series, last: [x, y] }) => `${series.name} ends at ${showNumber(y)} (${showX(curve.x, x)})`,
  );
  const figure = {
    id,
    title: curve.title,
    description: `${curve.y.title} over ${curve.x.title}. ${said.join('; ') || 'Nothing to draw'}.`,
  };
  return drawn(figure, (layout) => draw(curve, lines, layout));
}

function showX(axis: Axis, x: number): string {
  return axis.ticks?.find(({ at }) => at === x)?.label ?? showNumber(x);
}

function hasPlace({ x, y }: Curve, point: readonly [number, number]): boolean {
  const isOn = (axis: Axis, value: number) => isFigure(value) && (value > 0 || axis.scale === 'linear');
  return isOn(x, point[0]) && isOn(y, point[1]);
}

function linesOf(curve: Curve): readonly Line[] {
  const seen: Record<Role, number> = { tether: 0, peer: 0, limit: 0 };
  return curve.series.flatMap((series) => {
    const parts: (readonly [number, number])[][] = [[]];
    for (const point of series.points) {
      if (hasPlace(curve, point)) parts.at(-1)?.push(point);
      else parts.push([]);
    }
    const drawable = parts.filter((part) => part.length > 0);
    const last = drawable.at(-1)?.at(-1);
    if (last === undefined) return [];
    const dashes = DASHES[series.role];
    const dash = dashes[seen[series.role]++ % dashes.length] ?? 'none';
    return [{ series, dash, parts: drawable, last }];
  });
}

/** Heights begin at 0 and end at round values; what lies along the axis has the whole of it. */
function scaleOf(axis: Axis, values: readonly number[], count: number, isHeight: boolean): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  if (axis.scale === 'linear') {
    const low = isHeight ? 0 : least;
    const { ticks } = linearScale(low, most, count);
    // Up to the next tick, so that the highest line ends below the edge.
    const step = (ticks[1]?.at ?? 1) - (ticks[0]?.at ?? 0);
    const last = ticks.at(-1)?.at ?? most;
    return linearScale(low, isHeight && last < most ? last + step : most, count);
  }
  return isHeight ? logScale(roundOut(least), roundOut(most, true), count) : logScale(least, most, count);
}

/** The axis' own ticks where it has some that can be seen. */
function ticksOf(axis: Axis, { ticks, low, high }: Scale): readonly Tick[] {
  const own = axis.ticks?.filter(({ at }) => at >= low * (1 - 1e-9) && at <= high * (1 + 1e-9)) ?? [];
  return own.length > 0 ? own : ticks;
}

function draw(curve: Curve, lines: readonly Line[], layout: Layout): Drawing {
  if (lines.length === 0)
    return { height: 30, body: markup`<text class="soft" x="0" y="20">no values to draw</text>` };
  const points = lines.flatMap(({ parts }) => parts.flat());
  const names = lines.map(({ series: { name, role } }) =>
    wrap(name, LABEL_WIDTH_MAX[layout.name], (text) => measureText(text, role)),
  );
  const nameWidths = lines.flatMap(({ series: { role } }, at) =>
    (names[at] ?? []).map((line) => measureText(line, role)),
  );
  const heights = names.map((name) => name.length * LINE_HEIGHT + LABEL_GAP);
  const plotHeight = Math.max(
    PLOT_HEIGHT,
    heights.reduce((sum, height) => sum + height, 0),
  );
  const y = scaleOf(
    curve.y,
    points.map((point) => point[1]),
    Y_TICKS[curve.y.scale],
    true,
  );
  const yTicks = ticksOf(curve.y, y);
  const left = Math.max(...yTicks.map(({ label }) => measureSmall(label))) + TICK_SPACING;
  const labelsAt = layout.width - Math.max(...nameWidths);
  const right = labelsAt - LABEL_INDENT;
  const x = scaleOf(
    curve.x,
    points.map((point) => point[0]),
    Math.floor((right - left) / X_TICK_ROOM),
    false,
  );
  const bottom = TOP + plotHeight;
  const xOf = (value: number) => left + (right - left) * x.share(value);
  const yOf = (value: number) => bottom - plotHeight * y.share(value);
  const wanted = lines.map(({ last }, at) => ({ at: yOf(last[1]), height: heights[at] ?? LINE_HEIGHT }));
  const middles = apart(wanted, TOP - LABEL_GAP, bottom + LABEL_GAP);
  const labels = lines.map(({ series, last }, at) => {
    const middle = middles[at] ?? TOP;
    const name = { x: labelsAt, y: middle, height: LINE_HEIGHT, className: roleClass(series.role) };
    return markup`<path class="leader" d="M${xOf(last[0]) + 4} ${yOf(last[1])}L${right + 4} ${yOf(last[1])}L${labelsAt - 3} ${middle}"/>${textLines(names[at] ?? [], name)}`;
  });
  const body = markup`${yTicks.map(({ at, label }) => markup`<line class="grid" x1="${left}" y1="${yOf(at)}" x2="${right}" y2="${yOf(at)}"/><text class="tick end" x="${left - TICK_SPACING + 2}" y="${yOf(at)}" dy="0.35em">${label}</text>`)}
${xAxis(ticksOf(curve.x, x), xOf, { left, right, bottom, top: TOP })}
<text class="tick" x="0" y="11">${curve.y.title}</text><text class="tick end" x="${right}" y="${bottom + 33}">${curve.x.title}</text>
${lines.toReversed().map((line) => path(line, xOf, yOf))}${labels}`;
  return { height: bottom + BOTTOM, body };
}

function xAxis(
  ticks: readonly Tick[],
  xOf: (value: number) => number,
  {
    left,
    right,
    top,
    bottom,
  }: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number },
): Markup {
  // The last is kept, as that is what a tail is read at; of the others those that have room.
  let from = Number.NEGATIVE_INFINITY;
  const place = (label: string, at: number) => {
    const half = measureSmall(label) / 2;
    return { start: xOf(at) - half, end: xOf(at) + half };
  };
  const last = ticks.findLast(({ label }) => label !== '');
  const lastStart = last === undefined ? right : place(last.label, last.at).start;
  const shown = ticks.map((tick) => {
    const { start, end } = place(tick.label, tick.at);
    const hasRoom = tick === last || (start >= from + TICK_SPACING && end + TICK_SPACING <= lastStart);
    if (tick.label === '' || !hasRoom) return { ...tick, label: '' };
    from = end;
    return tick;
  });
  return markup`<line class="axis" x1="${left}" y1="${bottom}" x2="${right}" y2="${bottom}"/>${shown.map(
    ({ at, label }) =>
      markup`<line class="${label === '' ? 'mark' : 'grid'}" x1="${xOf(at)}" y1="${label === '' ? bottom - 4 : top}" x2="${xOf(at)}" y2="${bottom}"/><text class="tick middle" x="${xOf(at)}" y="${bottom + 16}">${label}</text>`,
  )}`;
}

function path(
  { series, dash, parts }: Line,
  xOf: (x: number) => number,
  yOf: (y: number) => number,
): Filling {
  const role = roleClass(series.role);
  const isMarked = series.points.length <= MARKED_POINTS_MAX;
  const lines = parts
    .filter((part) => part.length > 1)
    .map((part) => part.map(([x, y]) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(' '));
  const marks = parts.flatMap((part) => (isMarked || part.length === 1 ? part : []));
  return markup`${lines.map((line) => markup`<polyline class="line ${role}" stroke-dasharray="${dash}" points="${line}"/>`)}${marks.map(([x, y]) => markup`<circle class="point ${role}" cx="${xOf(x)}" cy="${yOf(y)}" r="2.3"/>`)}`;
}
