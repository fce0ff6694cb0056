import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readResults } from './read.js';
import { FIXTURE } from './test/fixture.js';
import { ODD } from './test/odd.js';
import { checkWritable, writeReport } from './write.js';

/** As it is after it was written. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? Number(value.toPrecision(6)) : Number.NaN;
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, rounded(one)]));
}

t.test('what is written reads back the same', async (t) => {
  const directory = join(t.testdir(), 'made', 'anew');
  const results = { ...FIXTURE, scenarios: [...FIXTURE.scenarios, ODD] };
  await writeReport(results, directory);
  t.strictSame(readdirSync(directory).sort(), ['report.html', 'results.json']);
  const file = join(directory, 'results.json');
  const read = readResults(file);
  t.strictSame(read, rounded(results));
  const first = readFileSync(file, 'utf8');
  t.match(first, /"rounds": \[[\d., ]+\],\n/, 'a list of numbers is one line');
  t.match(first, /"rounds": \[null, 1\]/);

  // The order of keys does not depend on who made them.
  const { environment, ...rest } = read;
  const programs = Object.fromEntries(Object.entries(environment.programs).reverse());
  await writeReport({ ...rest, environment: { ...environment, programs } }, directory);
  t.equal(readFileSync(file, 'utf8'), first);
});

t.test('where nothing can be written', async (t) => {
  const directory = join(t.testdir({ file: '' }), 'file', 'report');
  const message =
    /cannot write the report to .+ \(ENOTDIR.+: name a directory that can be written to with --out/;
  await t.rejects(writeReport(FIXTURE, directory), { message });
  await t.rejects(checkWritable(directory), { message });
  const made = join(t.testdir(), 'made');
  await checkWritable(made);
  t.strictSame(readdirSync(made), [], 'and leaves nothing behind');
});

t.test('what is no result is refused', async (t) => {
  const file = join(t.testdir(), 'results.json');
  const refused = (value: unknown, message: RegExp) => {
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    t.throws(() => readResults(file), { message });
  };
  const [scenario] = FIXTURE.scenarios;
  refused('{', /results\.json is no results\.json of the laboratory: .*JSON/);
  refused([], /of the laboratory: all of it: /);
  refused({ ...FIXTURE, format: 2 }, /it is of format 2, this program reads 1/);
  refused(
    { ...FIXTURE, scenarios: [{ ...scenario, seconds: '1' }] },
    /scenarios\.0\.seconds: .*expected number/,
  );
  refused({ ...FIXTURE, scenarios: [{}] }, /; and \d more$/);
  const ratio = { ...scenario?.ratios[0], bar: { atLeast: 1, atMost: 2 } };
  refused({ ...FIXTURE, scenarios: [{ ...scenario, ratios: [ratio] }] }, /ratios\.0\.bar: /);
  t.throws(() => readResults(join(t.testdir(), 'none.json')), {
    message: /none\.json is no results\.json.+ENOENT/,
  });
});
