/** Holds the dashboards to what Grafana takes, to promtool, to the series that a node has, and the JSON to its source. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { nodeSeries, unknownSeries } from '../prometheus/test/node-series.js';
import { seriesOf } from '../prometheus/test/promql.js';
import { promtool } from '../prometheus/test/promtool.js';
import { type Dashboard, grafanaJson } from './dashboard.js';
import { DASHBOARDS } from './dashboards.js';

const ROOT = 'deploy/grafana';
const RULES = 'deploy/prometheus/rules/objectives.yml';
const COLUMNS = 24;
/** Says less than `tether_actor_queue_seconds`. */
const UNSEEN: readonly string[] = ['tether_actor_delay_seconds'];

const Place = z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() });
const PlacedPanel = z.object({
  id: z.int().positive(),
  type: z.string(),
  title: z.string().min(1),
  gridPos: Place,
});
const Json = z.object({
  uid: z.string().regex(/^[a-z-]{1,40}$/),
  schemaVersion: z.literal(41),
  panels: z.array(PlacedPanel),
});
const RuleNames = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ record: z.string().optional() })) })),
});

const dashboards = Object.entries(DASHBOARDS);
const queriesOf = (dashboard: Dashboard) =>
  dashboard.rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) => queries.map((query) => ({ title, ...query }))),
  );
const expressions = dashboards.flatMap(([, dashboard]) => queriesOf(dashboard).map(({ expr }) => expr));
const variableQueries = dashboards.flatMap(([, { variables }]) => variables.map(({ query }) => query));

function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'tether-grafana-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

t.test('the JSON is what the source says', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = fileURLToPath(new URL('./write-dashboards.js', import.meta.url));
  await promisify(execFile)(process.execPath, [writer, directory]);
  const read = (folder: string, name: string): unknown =>
    JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const names = readdirSync(ROOT).filter((name) => name.endsWith('.json'));
  t.strictSame(names.sort(), readdirSync(directory).sort());
  for (const name of names) t.strictSame(read(ROOT, name), read(directory, name), name);
});

t.test('panels have ids of their own, and places that do not overlap', async (t) => {
  const uids = dashboards.map(([, dashboard]) => Json.parse(grafanaJson(dashboard)).uid);
  t.equal(new Set(uids).size, 3);
  for (const [name, dashboard] of dashboards) {
    const { panels } = Json.parse(grafanaJson(dashboard));
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, name);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => ({
        column: x + (at % w),
        cell: `${x + (at % w)}/${y + Math.floor(at / w)}`,
      })),
    );
    t.ok(
      cells.every(({ column }) => column < COLUMNS),
      name,
    );
    t.equal(new Set(cells.map(({ cell }) => cell)).size, cells.length, name);
    const titles = dashboard.rows.flatMap(({ panels }) => panels.map(({ title }) => title));
    t.equal(new Set(titles).size, titles.length, 'a title is said once');
  }
});

t.test('promtool takes every expression', async (t) => {
  const file = join(temporaryDirectory(t), 'rules.yml');
  const rules = expressions.map((expr, at) => ({
    record: `panel:${at}`.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? ''),
    expr: expr.replaceAll('$__rate_interval', '5m'),
  }));
  writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }));
  t.match(await promtool('check', 'rules', file), `SUCCESS: ${rules.length} rules found`);
});

t.test(
  'every series that a panel asks for is one of a node or recorded, and every one of a node is seen',
  async (t) => {
    const { groups } = RuleNames.parse(parse(readFileSync(RULES, 'utf8')));
    const recorded = groups.flatMap(({ rules }) =>
      rules.flatMap(({ record }) => (record === undefined ? [] : [record])),
    );
    t.ok(recorded.length > 0);
    t.strictSame(unknownSeries(expressions, recorded), []);
    const inVariables = variableQueries.map((query) => query.replace(/^label_values\((.*), \w+\)$/, '$1'));
    t.strictSame(unknownSeries(inVariables), []);

    const asked = new Set(
      expressions.flatMap((expr) => seriesOf(expr).map(({ name }) => name.replace(/_(bucket|count)$/, ''))),
    );
    const known = [...nodeSeries().keys()].filter(
      (name) => name.startsWith('tether_') && !name.endsWith('_sum'),
    );
    t.strictSame(
      known.filter((name) => !asked.has(name.replace(/_(bucket|count)$/, ''))),
      UNSEEN,
    );
  },
);

t.test('variables that are asked for are there, and those that are there are asked for', async (t) => {
  for (const [name, dashboard] of dashboards) {
    const { variables } = dashboard;
    const texts = [...queriesOf(dashboard).map(({ expr }) => expr), ...variables.map(({ query }) => query)];
    const used = new Set(
      texts.flatMap((text) => [...text.matchAll(/\$(?!__)(\w+)/g)].map(([, variable]) => variable)),
    );
    t.strictSame([...used].sort(), variables.map(({ name }) => name).sort(), name);
  }
});

t.test('a legend has only labels that are left, and colours have their order', async (t) => {
  for (const [, dashboard] of dashboards) {
    for (const { title, expr, legend } of queriesOf(dashboard)) {
      const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
      const isSum = /^(sum|max|min|count|histogram_quantile)\b/.test(expr);
      for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
        t.ok(isSum ? kept.includes(label) : true, `${title}: ${label}`);
      }
    }
    for (const { title, limits } of dashboard.rows.flatMap(({ panels }) => panels)) {
      if (limits?.warning === undefined) continue;
      t.ok(limits.low === true ? limits.warning > limits.critical : limits.warning < limits.critical, title);
    }
  }
});
