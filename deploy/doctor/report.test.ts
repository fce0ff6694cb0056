import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Group } from './check.js';
import { GROUPS, idsOf, selectChecks } from './groups.js';
import { jsonReport, textReport } from './report.js';
import type { Result } from './run-checks.js';

const groups: readonly Group[] = [
  { id: 'a', title: 'First', checks: [] },
  { id: 'b', title: 'Second', checks: [] },
];
const result = (group: string, id: string, more: Partial<Result>): Result => ({
  id,
  group,
  title: `Title of ${id}`,
  outcome: 'ok',
  found: 'fine',
  ms: 1,
  ...more,
});
const results = [
  result('a', 'one', {}),
  result('a', 'three', {
    outcome: 'failed',
    found: 'broken\nand so is\x1b[2J this',
    advice: 'mend it\nsoon',
  }),
  result('a', 'four', { outcome: 'warning', advice: 'think' }),
  result('b', 'five', { outcome: 'skipped', found: 'not here' }),
  result('b', 'six', { outcome: 'skipped', found: 'not here' }),
];

t.test('the text', async (t) => {
  t.equal(
    textReport(groups, results, { colour: false }),
    `First
  ok      one    fine
  FAILED  three  broken
                 and so is\\u001b[2J this
                 -> mend it
                 -> soon
  warning four   fine
                 -> think

Second
  skipped all 2  not here

1 ok, 1 warning, 1 failed, 2 skipped
`,
  );
  const coloured = textReport(groups, results, { colour: true });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal
  t.equal(coloured.replaceAll(/\x1b\[[\d;]*m/g, ''), textReport(groups, results, { colour: false }));
  t.not(coloured, textReport(groups, results, { colour: false }));
});

t.test('the JSON', async (t) => {
  const parsed = JSON.parse(jsonReport(results, 1));
  t.strictSame(Object.keys(parsed), ['version', 'exitCode', 'summary', 'checks']);
  t.strictSame(parsed.summary, { ok: 1, warning: 1, failed: 1, skipped: 2 });
  t.strictSame(parsed.checks[0], {
    id: 'one',
    group: 'a',
    title: 'Title of one',
    outcome: 'ok',
    found: 'fine',
    advice: null,
    ms: 1,
  });
});

t.test('ids name one thing each, and select it', async (t) => {
  const ids = idsOf(GROUPS);
  t.equal(new Set(ids).size, ids.length);
  const left = (selection: Parameters<typeof selectChecks>[1]) =>
    selectChecks(GROUPS, selection).flatMap(({ checks }) => checks.map(({ id }) => id));
  t.strictSame(left({ only: ['clock', 'node'], skip: ['clock-s3'] }), [
    'clock-postgres',
    'clock-redis',
    'node',
  ]);
  t.strictSame(left({ skip: GROUPS.map(({ id }) => id) }), []);
});

t.test('the page has each check and group, and no other', async (t) => {
  const page = readFileSync('docs/how-to/check-a-node.md', 'utf8');
  const named = [...page.matchAll(/^\| `([a-z0-9-]+)` +\|/gm), ...page.matchAll(/`(clock-[a-z0-9]+)`/g)].map(
    ([, id = '']) => id,
  );
  const marks = ['ok', 'warning', 'skipped'];
  const checks = GROUPS.flatMap(({ checks }) => checks.map(({ id }) => id));
  t.strictSame(named.filter((id) => !marks.includes(id)).sort(), [...checks].sort());
  for (const { id } of GROUPS) t.ok(page.includes(`\`${id}\``), `${id} is named`);
});
