/**
 * The performance laboratory: how fast Tether is on this machine, beside what a team would build instead and beside what the machine can do at best.
 *
 * Run: npm run bench -- [scenario …] [--rounds N] [--seconds N] [--out directory] [--profile]
 *      npm run bench -- --list
 *      npm run bench -- --report results.json [--out directory]: shows again what a run found
 * Without a name the usual scenarios, about three quarters of an hour. Prints its tables, and writes report.html and results.json. With --profile the
 * programs of Tether are profiled (which costs them a tenth and more: the other figures are then worth less), and it says where the time goes.
 *
 * Ends with 0; with 1 when a bar is missed or a scenario failed, with 2 when it could not begin, with 130 when it was interrupted.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { profileClockUs } from './harness/cpu-share.js';
import { readEnvironment } from './harness/environment.js';
import { createPinning } from './harness/pinning.js';
import { profileGroups, profileOptions } from './harness/profile.js';
import type { Results, ScenarioResult } from './harness/results.js';
import type { Bench, Scenario } from './harness/scenario.js';
import { table } from './harness/table.js';
import { readResults } from './report/read.js';
import { printResults } from './report/terminal.js';
import { checkWritable, writeReport } from './report/write.js';
import { SCENARIOS } from './scenarios/index.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT = { missed: 1, unable: 2, interrupted: 130 } as const;
const PROGRAMS = ['wrk', 'redis-server', 'nats-server', 'erl', 'psql'];

const USAGE = `npm run bench -- [scenario ...] [options]: how fast Tether is on this machine, beside peers and limits

  --rounds N       how often everything is measured
  --seconds N      how long each measurement takes
  --out DIRECTORY  where report.html and results.json go (bench-report)
  --profile        profiles the programs of Tether, and says where the time goes
  --report FILE    shows again what a run found: its results.json
  --list           the scenarios, what they need, how long they take

Without a name the usual scenarios, three quarters of an hour. docs/how-to/measure.md says how to read what it prints.
Exit codes: 0 done, 1 a bar was missed or a scenario failed, 2 it could not begin, 130 interrupted.
`;

const { values, positionals } = read();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit();
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        out: { type: 'string', default: 'bench-report' },
        profile: { type: 'boolean', default: false },
        report: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return unable(error);
  }
}

/** Says why, without a stack, and ends. */
function unable(error: unknown): never {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exit(EXIT.unable);
}

const pinning = createPinning();

/** @throws RangeError */
function wholeNumber(name: 'rounds' | 'seconds'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0))
    throw new RangeError(`--${name} is ${text}, allowed is a whole number from 1`);
  return value;
}

/** Those that are named, or the usual ones; each of them once, in their own order. */
function chosen(names: readonly string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0)
    throw new RangeError(
      `no scenario ${unknown.join(', ')}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`,
    );
  return SCENARIOS.filter(({ name, isUsual }) => (names.length === 0 ? isUsual : names.includes(name)));
}

/** @throws Error that names the packages of all programs that are not there */
function checkPrograms(scenarios: readonly Scenario[]): void {
  const missing = scenarios
    .flatMap(({ needs }) => needs)
    .filter(({ program }) => spawnSync('which', [program], { stdio: 'ignore' }).status !== 0);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((need) => need.package))];
  throw new Error(`these Debian packages are needed: ${packages.join(' ')}`);
}

const note = (text: string) => process.stderr.write(`${text}\n`);

async function run(scenario: Scenario): Promise<ScenarioResult> {
  const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-'));
  const stops: (() => Promise<unknown> | unknown)[] = [];
  const bench: Bench = {
    rounds: wholeNumber('rounds'),
    seconds: wholeNumber('seconds'),
    directory,
    pinning,
    nodeOptions: (name) => {
      if (!values.profile) return [];
      const place = join(profiles, name.replaceAll(/[^a-z0-9]+/gi, '-'));
      profiled.set(name, { place, fromUs: 0 });
      return profileOptions(place);
    },
    profileFromNow: (name) => {
      const profile = profiled.get(name);
      if (profile !== undefined) profile.fromUs = profileClockUs();
    },
    note: (text) => note(`${scenario.name}: ${text}`),
    onEnd: (stop) => stops.push(stop),
  };
  const profiles = mkdtempSync(join(tmpdir(), 'tether-profiles-'));
  const profiled = new Map<string, { readonly place: string; fromUs: number }>();
  const startMs = performance.now();
  const end = async () => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
  };
  const clean = async () => {
    await end();
    rmSync(profiles, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  };
  const interrupted = () => {
    note('interrupted: stopping what was started');
    void clean().finally(() => process.exit(EXIT.interrupted));
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    const found = await scenario.run(bench);
    // Profiles are written when a program ends.
    if (values.profile) await end();
    return {
      name: scenario.name,
      title: scenario.title,
      ...found,
      measures: [
        ...found.measures,
        ...[...profiled].flatMap(([name, { place, fromUs }]) => profileGroups(name, place, fromUs)),
      ],
      seconds: (performance.now() - startMs) / 1_000,
    };
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    await clean();
  }
}

async function show(results: Results): Promise<void> {
  await writeReport(results, values.out);
  console.log(printResults(results));
  console.log(`\n${join(values.out, 'report.html')} and results.json have all of it`);
}

/** @returns whether a bar was missed or a scenario failed */
async function measure(scenarios: readonly Scenario[]): Promise<boolean> {
  const environment = readEnvironment(process.env.BENCH_DIR ?? tmpdir(), PROGRAMS, pinning.description);
  const startedAt = new Date().toISOString();
  const results: ScenarioResult[] = [];
  const found = (): Results => ({ format: 1, startedAt, environment, scenarios: results });
  const failures: string[] = [];
  for (const scenario of scenarios) {
    try {
      results.push(await run(scenario));
    } catch (error) {
      // What the others found is worth keeping.
      failures.push(`${scenario.name}: ${error instanceof Error ? error.message : error}`);
      console.error(error);
    }
    // After each, so that an end before the last loses nothing.
    await writeReport(found(), values.out);
  }
  await show(found());
  for (const failure of failures) console.error(`failed: ${failure}`);
  const missed = results.some(({ ratios }) => ratios.some(({ verdict }) => verdict === 'missed'));
  return failures.length > 0 || missed;
}

/** @throws Error (rejects) with what is wrong, before anything is measured */
async function prepared(): Promise<readonly Scenario[]> {
  wholeNumber('rounds');
  wholeNumber('seconds');
  const scenarios = chosen(positionals);
  checkPrograms(scenarios);
  await checkWritable(values.out);
  const minutes = scenarios.reduce((sum, scenario) => sum + scenario.minutes, 0);
  const names = scenarios.map(({ name }) => name).join(', ');
  note(`${names}: about ${minutes} minutes; run nothing else meanwhile`);
  return scenarios;
}

function list(): string {
  const rows = SCENARIOS.map(({ name, title, minutes, isUsual, needs }) => [
    name,
    title,
    `${minutes} min`,
    isUsual ? 'yes' : 'when named',
    needs.map((need) => need.package).join(', '),
  ]);
  return table(['scenario', 'what', 'takes', 'runs', 'needs, from Debian'], rows);
}

try {
  if (values.list) console.log(list());
  else if (values.report !== undefined) await show(readResults(values.report));
  else if (await measure(await prepared())) process.exitCode = EXIT.missed;
} catch (error) {
  unable(error);
}
