import { SaxesParser } from 'saxes';
import t from 'tap';
import type { Results } from '../harness/results.js';
import { htmlReport } from './html.js';
import { textWidth } from './labels.js';
import { markup } from './markup.js';
import { VERDICTS } from './reading.js';
import { FIXTURE } from './test/fixture.js';
import { ODD } from './test/odd.js';

const ALL: Results = { ...FIXTURE, scenarios: [...FIXTURE.scenarios, ODD] };
const html = htmlReport(ALL);
const escaped = (text: string) => markup`${text}`.text;

t.test('all that was found stands in it', async (t) => {
  const texts = new Set(html.split(/<[^>]*>/).map((text) => text.trim()));
  const shows = (text: string) => t.ok(texts.has(escaped(text)), text);
  for (const { title, measures, ratios, curves, warnings, method } of ALL.scenarios) {
    for (const part of [title, ...warnings, ...method]) shows(part);
    for (const group of measures) {
      shows(group.title);
      for (const { subject } of group.measures) shows(subject);
    }
    for (const ratio of ratios) shows(ratio.title);
    for (const curve of curves) {
      shows(curve.title);
      for (const { name } of curve.series) shows(name);
    }
  }
  for (const verdict of Object.values(VERDICTS)) if (verdict !== 'no bar') verdict.split(': ').forEach(shows);
  for (const value of ['40,759', '40,401 to 44,355', '99.99 %', 'AMD EPYC 7B13', '2026-11-26', '4.1.0', 'µs'])
    t.ok(html.includes(value), value);
});

t.test('text stays text', async (t) => {
  const hostile = `</title></style><script>alert(1)</script><img src=x onerror='a' "&`;
  const texts = new Set([
    'cpu',
    'fileSystem',
    'kernel',
    'name',
    'node',
    'pinning',
    'subject',
    'title',
    'unit',
    'label',
    'wrk',
  ]);
  const made = JSON.parse(JSON.stringify(FIXTURE), (key, value) => {
    if (key === 'method' || key === 'warnings') return [hostile];
    return texts.has(key) ? hostile : value;
  });
  const shown = htmlReport(made);
  t.notMatch(shown, /<script|<img|onerror='/);
  t.equal(shown.split('<style>').length, 2);
  t.ok(shown.includes(escaped(hostile)));
});

t.test('it needs nothing from elsewhere', async (t) => {
  t.notMatch(html, /<script|<link|<img|@import|https?:/);
  for (const [, target] of html.matchAll(/\b(?:url\(|href=")([^")]*)/g)) t.match(target, /^#/);
  const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
  t.equal(new Set(ids).size, ids.length, 'no id twice');
  for (const [, target = ''] of html.matchAll(/\b(?:url\(|href=")#([^")]*)/g))
    t.ok(ids.includes(target), target);
});

const POSITIONS = ['x', 'x1', 'x2', 'cx', 'y', 'y1', 'y2', 'cy'];

t.test('every drawing is whole, named, and within its frame', async (t) => {
  const drawings = html.match(/<svg.*?<\/svg>/gs) ?? [];
  const figures = ALL.scenarios.reduce(
    (sum, { measures, curves }) => sum + measures.length + curves.length,
    0,
  );
  const ratios = ALL.scenarios.reduce((sum, scenario) => sum + scenario.ratios.length, 0);
  // Each figure in two layouts, and an axis above each of the two tables of ratios.
  t.equal(drawings.length, 2 * figures + ratios + 2);
  const outside: string[] = [];
  let named = 0;
  for (const drawing of drawings) {
    let box: readonly number[] = [];
    const parser = new SaxesParser();
    parser.on('opentag', ({ name, attributes }) => {
      if (name === 'svg') {
        box = (attributes.viewBox ?? '').split(' ').map(Number);
        if (attributes.role === 'img') named++;
      }
      if (name === 'title' || name === 'desc') return;
      for (const key of POSITIONS) {
        if (attributes[key] === undefined) continue;
        const value = Number(attributes[key]);
        const end = box[key.includes('x') ? 2 : 3] ?? 0;
        if (!(value >= -0.01 && value <= end + 0.01)) outside.push(`${name} ${key}=${attributes[key]}`);
      }
      const width = Number(attributes.width ?? 0);
      if (!(width >= 0)) outside.push(`${name} width=${attributes.width}`);
    });
    parser.write(drawing).close();
    t.match(drawing, /aria-hidden="true"|<title id=".+<desc id="/s);
    t.notMatch(drawing, /NaN|Infinity|undefined/);
  }
  t.equal(named, drawings.length - 2);
  t.strictSame(outside, []);
});

t.test('labels of ticks do not run into one another', async (t) => {
  const touching: string[] = [];
  for (const drawing of html.match(/<svg.*?<\/svg>/gs) ?? []) {
    const found = drawing.matchAll(/<text class="tick middle" x="([\d.]+)" y="([\d.]+)">([^<]+)/g);
    const ticks = [...found].map(([, x, y, label = '']) => ({
      x: Number(x),
      y,
      label,
      half: textWidth(label, 11) / 2,
    }));
    for (const [at, { x, y, half, label }] of ticks.sort((a, b) => a.x - b.x).entries()) {
      const next = ticks[at + 1];
      if (next !== undefined && next.y === y && x + half > next.x - next.half)
        touching.push(`${label} ${next.label}`);
    }
  }
  t.strictSame(touching, []);
});

t.test('what is negative, no number, or nothing on a logarithmic axis has no bar', async (t) => {
  const plot = (title: string) => {
    const start = html.indexOf(`<b>${title}</b>`);
    const end = html.indexOf('</svg>', start);
    return { bars: html.slice(start, end).split('<rect').length - 1, text: html.slice(start, end) };
  };
  t.equal(plot('No numbers').bars, 1);
  t.match(plot('No numbers').text, /What is negative or no number is not drawn/);
  t.equal(plot('From microseconds to seconds, and a zero').bars, 2);
  t.match(plot('From microseconds to seconds, and a zero').text, /The axis is logarithmic/);
  t.equal(plot('Fifteen subjects, one of them with a very long name').bars, 15);
  t.notMatch(plot('One round').text, /class="whisker"/);
  t.match(plot('One round').text, /one round/);
  t.match(html, /no values to draw/);
});

t.test('of nothing, too', async (t) => {
  t.match(htmlReport({ ...FIXTURE, scenarios: [] }), /<h2>Environment<\/h2>/);
});
