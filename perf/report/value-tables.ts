/** The tables behind the plots: every round of every subject, every point of every line. */
import type { Curve, MeasureGroup } from '../harness/results.js';
import { type Markup, markup } from './markup.js';
import { numberFormat, showNumber } from './numbers.js';
import { ranked } from './reading.js';

/** Of a curve; more are thinned out, `results.json` has all. */
const ROWS_MAX = 120;

export function measureValues(group: MeasureGroup): Markup {
  const measures = ranked(group);
  const count = Math.max(0, ...measures.map(({ rounds }) => rounds.length));
  const numbers = Array.from({ length: count }, (_, round) => round);
  const format = numberFormat(measures.flatMap(({ rounds }) => rounds));
  return details(
    `Values of all rounds, ${group.unit}`,
    markup`<tr><th scope="col">subject</th><th scope="col" class="n">median</th><th scope="col" class="n">95 % interval</th>${numbers.map((round) => markup`<th scope="col" class="n">${String(round + 1)}</th>`)}</tr>`,
    measures.map(
      ({ subject, rounds, interval }) =>
        markup`<tr><th scope="row">${subject}</th><td class="n">${format(interval.median)}</td><td class="n">${format(interval.low)} to ${format(interval.high)}</td>${numbers.map((round) => markup`<td class="n">${round < rounds.length ? format(rounds[round] as number) : ''}</td>`)}</tr>`,
    ),
  );
}

export function curveValues({ x, y, series }: Curve): Markup {
  const xs = [...new Set(series.flatMap(({ points }) => points.map((point) => point[0])))].sort(
    (a, b) => a - b,
  );
  const every = Math.ceil(xs.length / ROWS_MAX);
  const rows = xs.filter((_, at) => at % every === 0);
  const byX = series.map(({ points }) => new Map(points));
  const labels = new Map(x.ticks?.map(({ at, label }) => [at, label]));
  const thinned = every === 1 || rows.length === 0 ? '' : `; one row in ${every}`;
  return details(
    `Values, ${y.title}${thinned}`,
    markup`<tr><th scope="col" class="n">${x.title}</th>${series.map(({ name }) => markup`<th scope="col" class="n">${name}</th>`)}</tr>`,
    rows.map(
      (at) =>
        markup`<tr><th scope="row" class="n">${labels.get(at) ?? showNumber(at)}</th>${byX.map((points) => markup`<td class="n">${points.has(at) ? showNumber(points.get(at) as number) : ''}</td>`)}</tr>`,
    ),
  );
}

function details(title: string, head: Markup, rows: readonly Markup[]): Markup {
  return markup`<details><summary>${title}</summary><div class="scroll"><table>
<thead>${head}</thead>
<tbody>${rows}</tbody></table></div></details>
`;
}
