/** The report as one HTML file without scripts and without anything from elsewhere: to be read on a screen, sent by mail, and printed. */
import type { Axis, Bar, Curve, MeasureGroup, Ratio, Results, ScenarioResult } from '../harness/results.js';
import { barNote, barPlot } from './bar-plot.js';
import { lineNote, linePlot } from './line-plot.js';
import { type Markup, markup, Markup as Raw } from './markup.js';
import { METHOD, READING_BARS } from './method.js';
import { numberFormat, showSeconds } from './numbers.js';
import { type RatioAxis, ratioAxis, ratioHead, ratioPlot } from './ratio-plot.js';
import {
  BETTER,
  environmentFacts,
  type Judged,
  judged,
  showBar,
  showUnit,
  showVerdicts,
  VERDICTS,
} from './reading.js';
import { STYLE } from './style.js';
import { curveValues, measureValues } from './value-tables.js';

/** Nothing in the text of a result can load or run anything, even if escaping it were forgotten. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function htmlReport(results: Results): string {
  const { environment, startedAt, scenarios } = results;
  const date = startedAt.slice(0, 10);
  const title = `Performance of Tether on ${environment.cpu}`;
  const machine = [
    `${environment.cores} cores`,
    `Node ${environment.node}`,
    environment.fileSystem,
    environment.commit === '' ? '' : `commit ${environment.commit}`,
  ];
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${title}, ${date}</title>
<style>${new Raw(STYLE)}</style>
</head>
<body><main>
<section class="summary">
<h1>${title}</h1>
<p class="soft">${[date, ...machine.filter((part) => part !== '')].join(' · ')}</p>
${summary(results)}
</section>
${scenarios.map((scenario, at) => scenarioSection(scenario, `s${at + 1}`))}
<section id="method"><h2>Method</h2><div class="prose">
${METHOD.map(({ title: name, text }) => markup`<h3>${name}</h3><p>${text}</p>`)}
</div></section>
<section id="environment" class="facts"><h2>Environment</h2>
<table><tbody>${environmentFacts(results).map(({ name, value }) => markup`<tr><th scope="row" class="soft">${name}</th><td>${value}</td></tr>`)}</tbody></table>
</section>
</main></body>
</html>
`.text;
}

function summary(results: Results): Markup {
  const all = judged(results);
  const ids = new Map(results.scenarios.map(({ name }, at) => [name, `s${at + 1}`]));
  const withBar = all.filter(({ ratio }) => ratio.bar !== undefined);
  const without = all.filter(({ ratio }) => ratio.bar === undefined);
  const warnings = results.scenarios.reduce((sum, scenario) => sum + scenario.warnings.length, 0);
  const verdicts = showVerdicts(results);
  const warned = warnings === 0 ? '' : ` · ${warnings} warning${warnings === 1 ? '' : 's'}`;
  return markup`${verdicts === '' ? undefined : markup`<p class="lead">${verdicts}${warned}</p>`}
${ratioTable(withBar, 'b', ids, 'Against the bars')}
${withBar.length === 0 ? undefined : markup`<p class="reading">${READING_BARS}</p>`}
${ratioTable(without, 'r', ids, 'Ratios without a bar')}
<h3>Scenarios</h3>
<ul class="contents">${results.scenarios.map(({ name, title, seconds, warnings: { length } }) => markup`<li><a href="#${ids.get(name) ?? ''}">${title}</a> <span class="soft">${name}, ${showSeconds(seconds)}${length === 0 ? '' : `, ${length} warning${length === 1 ? '' : 's'}`}</span></li>`)}
<li><a href="#method">Method</a>, <a href="#environment">environment</a></li></ul>`;
}

function ratioTable(
  rows: readonly Judged[],
  id: string,
  ids: ReadonlyMap<string, string>,
  title: string,
): Markup {
  if (rows.length === 0) return markup``;
  const axis = ratioAxis(rows.map(({ ratio }) => ratio));
  const barHead = axis.hasBars ? markup`<th scope="col">bar</th>` : undefined;
  const verdictHead = axis.hasBars ? markup`<th scope="col">verdict</th>` : undefined;
  return markup`<h3>${title}</h3>
<table class="ratios"><thead><tr><th scope="col">ratio</th><th scope="col" class="n">median</th><th scope="col" class="n">95 % interval</th>${barHead}<th scope="col" class="plot">${ratioHead(axis)}</th>${verdictHead}</tr></thead>
<tbody>${rows.map(({ scenario, ratio }, at) => ratioRow(ratio, axis, `${id}${at + 1}`, markup`<a class="scenario" href="#${ids.get(scenario) ?? ''}">${scenario}</a>`))}</tbody></table>
`;
}

function ratioRow(ratio: Ratio, axis: RatioAxis, id: string, link: Markup): Markup {
  const { title, interval, rounds, bar, verdict } = ratio;
  const format = numberFormat([interval.low, interval.median, interval.high]);
  const [word = '', reason] = VERDICTS[verdict].split(': ');
  const barCell = axis.hasBars ? markup`<td class="bar-text">${showBarShort(bar)}</td>` : undefined;
  const verdictCell = axis.hasBars
    ? markup`<td class="verdict">${word}${reason === undefined ? undefined : markup` <span>${reason}</span>`}</td>`
    : undefined;
  const range = rounds.length > 1 ? `${format(interval.low)} to ${format(interval.high)}` : 'one round';
  return markup`<tr class="${verdict}"><th scope="row">${title} ${link}</th><td class="n">${format(interval.median)}</td><td class="n interval-text">${range}</td>${barCell}<td class="plot">${ratioPlot(ratio, axis, id)}</td>${verdictCell}</tr>
`;
}

/** In a narrow column the signs are read faster than the words. */
function showBarShort(bar: Bar | undefined): string {
  return showBar(bar).replace('at least', '≥').replace('at most', '≤');
}

function scenarioSection(scenario: ScenarioResult, id: string): Markup {
  const { name, title, seconds, method, measures, curves, warnings } = scenario;
  return markup`<section id="${id}"><h2>${title} <small>${name}, ${showSeconds(seconds)}</small></h2>
<ul class="method">${method.map((sentence) => markup`<li>${sentence}</li>`)}</ul>
${warnings.map((warning) => markup`<p class="note"><b>Note.</b> ${warning}</p>`)}
${measures.map((group, at) => measureFigure(group, `${id}m${at + 1}`))}
${curves.map((curve, at) => curveFigure(curve, `${id}c${at + 1}`))}
</section>
`;
}

function measureFigure(given: MeasureGroup, id: string): Markup {
  const group = { ...given, unit: showUnit(given.unit) };
  const better = BETTER[group.better];
  const said = [group.unit, better].filter((part) => part !== '').join(', ');
  return figure(group.title, said, barNote(group), barPlot(group, id), measureValues(group));
}

function curveFigure(given: Curve, id: string): Markup {
  const titled = (axis: Axis) => ({ ...axis, title: showUnit(axis.title) });
  const curve = { ...given, x: titled(given.x), y: titled(given.y) };
  return figure(
    curve.title,
    `${curve.y.title} over ${curve.x.title}`,
    lineNote(curve),
    linePlot(curve, id),
    curveValues(curve),
  );
}

function figure(title: string, said: string, note: string, plot: Markup, values: Markup): Markup {
  return markup`<figure><figcaption><b>${title}</b> <span>${said}${note === '' ? '' : `. ${note}`}</span></figcaption>
${plot}${values}</figure>
`;
}
