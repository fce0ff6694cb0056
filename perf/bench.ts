/**
 * The performance laboratory: how fast Tether is on this machine, beside what a team would build instead and beside what the machine can do at best.
 *
 * Run: npm run bench -- [scenario …] [--rounds N] [--seconds N] [--out directory] [--profile]
 *      npm run bench -- --list
 *      npm run bench -- --report results.json [--out directory]: shows again what a run found
 * Without a name all scenarios but those that take an hour. Prints its tables, and writes report.html and results.json. With --profile the
 * programs of Tether are profiled (which costs them a tenth and more: the other figures are then worth less), and it says where the time goes.
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
import { writeReport } from './report/write.js';
import { SCENARIOS } from './scenarios/index.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_INTERRUPTED = 130;
const PROGRAMS = ['wrk', 'redis-server', 'nats-server', 'erl', 'psql'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    out: { type: 'string', default: 'bench-report' },
    profile: { type: 'boolean', default: false },
    report: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const pinning = createPinning();

function positive(name: 'rounds' | 'seconds'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0) || (name === 'rounds' && !Number.isInteger(value)))
    throw new RangeError(
      `--${name} is ${text}, allowed is a ${name === 'rounds' ? 'whole ' : ''}number above 0`,
    );
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
    rounds: positive('rounds'),
    seconds: positive('seconds'),
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
    void clean().finally(() => process.exit(EXIT_INTERRUPTED));
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

function show(results: Results): void {
  writeReport(results, values.out);
  console.log(printResults(results));
  console.log(`\n${join(values.out, 'report.html')} and results.json have all of it`);
}

if (values.list) {
  const rows = SCENARIOS.map(({ name, title, minutes, isUsual, needs }) => [
    name,
    title,
    `${minutes} min`,
    isUsual ? 'yes' : 'when named',
    needs.map((need) => need.package).join(', '),
  ]);
  console.log(table(['scenario', 'what', 'takes', 'runs', 'needs, from Debian'], rows));
} else if (values.report !== undefined) {
  show(readResults(values.report));
} else {
  const scenarios = chosen(positionals);
  checkPrograms(scenarios);
  const minutes = scenarios.reduce((sum, scenario) => sum + scenario.minutes, 0);
  note(
    `${scenarios.map(({ name }) => name).join(', ')}: about ${minutes} minutes; run nothing else meanwhile`,
  );
  const environment = readEnvironment(process.env.BENCH_DIR ?? tmpdir(), PROGRAMS, pinning.description);
  const startedAt = new Date().toISOString();
  const results: ScenarioResult[] = [];
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
    writeReport({ format: 1, startedAt, environment, scenarios: results }, values.out);
  }
  show({ format: 1, startedAt, environment, scenarios: results });
  for (const failure of failures) console.error(`failed: ${failure}`);
  const missed = results.some(({ ratios }) => ratios.some(({ verdict }) => verdict === 'missed'));
  if (failures.length > 0 || missed) process.exitCode = 1;
}
