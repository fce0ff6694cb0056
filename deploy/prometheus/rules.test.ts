/** Holds the rules for Prometheus to promtool, to their own tests, to the series that a node has, and to the page that their alerts lead to. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { unknownSeries } from './test/node-series.js';
import { seriesOf } from './test/promql.js';
import { promtool } from './test/promtool.js';

const ROOT = 'deploy/prometheus';
const PAGE = 'docs/how-to/alerts.md';
const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];
/** Of an alert whose windows are long; it says which by its label. */
const PAIRS = [
  { short: '5m', long: '1h', burn: '14.4', severity: 'critical' },
  { short: '30m', long: '6h', burn: '6', severity: 'critical' },
  { short: '2h', long: '1d', burn: '3', severity: 'warning' },
  { short: '6h', long: '3d', burn: '1', severity: 'warning' },
];

const Record = z.strictObject({ record: z.string(), expr: z.string() });
const Alert = z.strictObject({
  alert: z.string().regex(/^Tether[A-Z]\w+$/),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']), window: z.string().optional() }),
  annotations: z.strictObject({
    summary: z.string().min(10).max(120),
    description: z.string().min(10),
    runbook: z.string(),
  }),
});
const RuleFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(z.union([Record, Alert])) })),
});
const TestFile = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(
        z.strictObject({
          alertname: z.string(),
          eval_time: z.string(),
          exp_alerts: z.array(
            z.object({ exp_labels: z.record(z.string(), z.unknown()), exp_annotations: z.object({}) }),
          ),
        }),
      ),
    }),
  ),
});

const yamlIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => `${folder}/${name}`);
const read = (path: string): unknown => parse(readFileSync(path, 'utf8'));

const ruleFiles = yamlIn(`${ROOT}/rules`);
const testFiles = yamlIn(`${ROOT}/test`);
const rules = ruleFiles.flatMap((path) => RuleFile.parse(read(path)).groups.flatMap((group) => group.rules));
const alerts = rules.filter((rule) => 'alert' in rule);
const recorded = rules.flatMap((rule) => ('record' in rule ? [rule.record] : []));

t.test('promtool takes the rules and the example of a configuration', async (t) => {
  t.equal(ruleFiles.length, 2);
  for (const path of ruleFiles) t.match(await promtool('check', 'rules', path), /SUCCESS/, path);
  t.match(await promtool('check', 'config', `${ROOT}/prometheus.yml`), /2 rule files found/);
});

t.test('the rules do what their tests say', async (t) => {
  for (const path of testFiles) {
    await promtool('test', 'rules', path).then(
      (said) => t.match(said, /SUCCESS/, path),
      (error: Error & { readonly stdout?: string }) => t.fail(`${path}: ${error.message} ${error.stdout}`),
    );
  }
});

t.test('each alert is seen firing and not firing', async (t) => {
  const seen = testFiles
    .flatMap((path) => TestFile.parse(read(path)).tests)
    .flatMap(({ alert_rule_test }) => alert_rule_test);
  const firing = ({ alert, labels }: z.infer<typeof Alert>, test: (typeof seen)[number]) =>
    test.alertname === alert && test.exp_alerts.some(({ exp_labels }) => exp_labels.window === labels.window);
  for (const alert of alerts) {
    const name = `${alert.alert} ${alert.labels.window ?? ''}`;
    t.ok(
      seen.some((test) => firing(alert, test)),
      `${name} fires in a test`,
    );
    t.ok(
      seen.some((test) => test.alertname === alert.alert && !firing(alert, test)),
      `${name} does not fire in a test`,
    );
  }
  const names = new Set(alerts.map(({ alert }) => alert));
  t.strictSame(
    seen.filter(({ alertname }) => !names.has(alertname)).map(({ alertname }) => alertname),
    [],
    'no test is of an alert that does not exist',
  );
});

t.test('each objective has the four pairs of windows, and what they ask for is recorded', async (t) => {
  const objectives = new Set(recorded.map((name) => name.replace(/ratio_rate\w+$/, '')));
  t.equal(objectives.size, 3);
  for (const objective of objectives) {
    for (const window of WINDOWS) {
      const rule = rules.find(
        (rule) => 'record' in rule && rule.record === `${objective}ratio_rate${window}`,
      );
      // A window that is written wrong in one of four places is seen nowhere else.
      const ranges = new Set([...(rule?.expr ?? '').matchAll(/\[(\w+)\]/g)].map(([, range]) => range));
      t.strictSame([...ranges], [window], `${objective}ratio_rate${window}`);
    }
    for (const { short, long, burn, severity } of PAIRS) {
      const alert = alerts.find(
        ({ labels, expr }) => labels.window === long && expr.includes(`${objective}ratio_rate${long} `),
      );
      t.match(alert?.labels, { severity }, `${objective} ${long}`);
      for (const window of [short, long]) {
        t.ok(
          alert?.expr.includes(`${objective}ratio_rate${window} > ${burn} * 0.0`),
          `${objective} ${window} > ${burn}`,
        );
      }
    }
  }
});

t.test('every series that a rule asks for is one of a node', async (t) => {
  const expressions = rules.map(({ expr }) => expr);
  t.strictSame(unknownSeries(expressions, recorded), []);
  t.strictSame(
    recorded.filter(
      (name) => !alerts.some(({ expr }) => seriesOf(expr).some((asked) => asked.name === name)),
    ),
    [],
    'nothing is recorded for nobody',
  );
});

t.test('every alert leads to its section, and every section belongs to one', async (t) => {
  const sections = [...readFileSync(PAGE, 'utf8').matchAll(/^### (\w+)\n\n(\w+)/gm)];
  const headings = sections.map(([, heading = '']) => heading);
  for (const { alert, annotations, labels } of alerts) {
    t.equal(annotations.runbook, `${PAGE}#${alert.toLowerCase()}`, alert);
    const [, , urgency = ''] = sections.find(([, heading]) => heading === alert) ?? [];
    t.equal(
      urgency.toLowerCase(),
      labels.severity,
      `${alert}: its section says whether somebody is to be woken`,
    );
  }
  t.strictSame([...headings].sort(), [...new Set(alerts.map(({ alert }) => alert))].sort());
});

t.test('the finder of names finds series, and nothing else', async (t) => {
  const found = seriesOf(`
    sum by (job, le) (rate(a_bucket{le="0.1", x=~"b{c}|d"}[5m])) / on (job) group_left () b:c:rate5m > 14.4 * 0.05
      and avg_over_time(d[$__rate_interval]) offset 10m unless e{instance=~"$node"} == Inf # f
  `);
  t.strictSame(found, [
    { name: 'a_bucket', labels: ['le', 'x'] },
    { name: 'b:c:rate5m', labels: [] },
    { name: 'd', labels: [] },
    { name: 'e', labels: ['instance'] },
  ]);
  t.strictSame(unknownSeries(['up + no_such_series + rate(tether_gateway_requests_total{kind="x"}[5m])']), [
    'no_such_series',
    'tether_gateway_requests_total{kind}',
  ]);
});
