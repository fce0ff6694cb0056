/**
 * Where the time goes, by the profiles that Node's `--cpu-prof` leaves of each thread at its end: which areas of the code, and which functions.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CpuProfile, type Frame, samplesOf } from './cpu-share.js';
import type { MeasureGroup } from './results.js';

const INTERVAL_US = 250;
const FUNCTIONS = 15;
const SMALL_PERCENT = 0.5;
/** Not at work. */
const IDLE = '(idle)';

/** Options of Node for a process whose profiles shall lie in `directory`. */
export function profileOptions(directory: string): readonly string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-interval=${INTERVAL_US}`];
}

export interface ThreadProfile {
  readonly thread: string;
  /** Seconds at work, of those that it lived. */
  readonly busySeconds: number;
  /** Per cent of the busy time, most first. */
  readonly areas: readonly Share[];
  readonly functions: readonly Share[];
}

export interface Share {
  readonly name: string;
  readonly percent: number;
}

/** As a scenario tells them. @param name of the program that was profiled */
export function profileGroups(name: string, directory: string, fromUs: number): readonly MeasureGroup[] {
  return readProfiles(directory, fromUs).flatMap(({ thread, busySeconds, areas, functions }) => {
    const group = (what: string, shares: readonly Share[]): MeasureGroup => ({
      title: `${name}, ${thread} (${busySeconds.toFixed(1)} s at work): ${what}`,
      unit: '% of the time at work',
      better: 'neither',
      measures: shares.map(({ name: subject, percent }) => ({
        subject,
        role: 'tether',
        rounds: [percent],
        interval: { median: percent, low: percent, high: percent },
      })),
    });
    return [group('areas', areas), group('functions', functions)];
  });
}

/**
 * Of the main thread, and of all others together.
 * @param fromUs what was before is left out, by `profileClockUs`
 */
export function readProfiles(directory: string, fromUs = 0): readonly ThreadProfile[] {
  const threads = new Map<string, Sums>();
  for (const file of readdirSync(directory)) {
    const [, thread] = /\.(\d+)\.\d+\.cpuprofile$/.exec(file) ?? [];
    if (thread === undefined) continue;
    const name = thread === '0' ? 'main thread' : 'worker threads';
    const sums = threads.get(name) ?? new Sums();
    threads.set(name, sums);
    sums.add(JSON.parse(readFileSync(join(directory, file), 'utf8')), fromUs);
  }
  return [...threads].map(([thread, sums]) => sums.result(thread));
}

class Sums {
  #busyUs = 0;
  readonly #areas = new Map<string, number>();
  readonly #functions = new Map<string, number>();

  add(profile: CpuProfile, fromUs: number): void {
    for (const { frame, us } of samplesOf(profile, fromUs)) {
      if (frame.functionName === IDLE) continue;
      this.#busyUs += us;
      count(this.#areas, areaOf(frame), us);
      count(this.#functions, nameOf(frame), us);
    }
  }

  result(thread: string): ThreadProfile {
    const shares = (sums: ReadonlyMap<string, number>) =>
      [...sums]
        .map(([name, us]) => ({ name, percent: (us / this.#busyUs) * 100 }))
        .toSorted((a, b) => b.percent - a.percent);
    return {
      thread,
      busySeconds: this.#busyUs / 1e6,
      areas: gathered(shares(this.#areas)),
      functions: shares(this.#functions).slice(0, FUNCTIONS),
    };
  }
}

/** Those below half a per cent as one. */
function gathered(shares: readonly Share[]): readonly Share[] {
  const small = shares.filter(({ percent }) => percent < SMALL_PERCENT);
  const rest = small.reduce((sum, { percent }) => sum + percent, 0);
  const large = shares.filter(({ percent }) => percent >= SMALL_PERCENT);
  return rest === 0 ? large : [...large, { name: `${small.length} others`, percent: rest }];
}

function count(sums: Map<string, number>, name: string, us: number): void {
  sums.set(name, (sums.get(name) ?? 0) + us);
}

/** The first that fits, of a path below the compiled sources. */
const AREAS: readonly (readonly [start: string, area: string])[] = [
  ['gateway/providers/', 'gateway: recognise (form, signature, keys, echo)'],
  ['gateway/', 'gateway: request and answer'],
  ['storage/journal/', 'journal'],
  ['storage/postgres/', 'Postgres: what Tether says'],
  ['storage/', 'other stores'],
  ['runtime/envelope', 'envelope, id, partition'],
  ['runtime/message-id', 'envelope, id, partition'],
  ['runtime/partition', 'envelope, id, partition'],
  ['runtime/byte-pool', 'envelope, id, partition'],
  ['runtime/measure/', 'measuring'],
  ['runtime/', 'dispatch, threads, mailboxes'],
  ['actors/', 'actors'],
  ['deploy/', 'the node around it'],
];

export function areaOf({ functionName, url }: Pick<Frame, 'functionName' | 'url'>): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)' || functionName === '(root)')
    return 'native code that no function called: event loop, sockets, compiling';
  if (url === '') return 'native code called by functions: uWebSockets.js, V8, system calls';
  const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (name !== undefined) return `package ${name}`;
  const [, path] = /\/dist\/(.*)$/.exec(url) ?? [];
  if (path !== undefined) return AREAS.find(([start]) => path.startsWith(start))?.[1] ?? 'other';
  return url.startsWith('node:') ? 'Node: its own JavaScript' : 'other';
}

function nameOf({ functionName, url }: Frame): string {
  const place = /\/(?:dist|node_modules)\/(.*)$/.exec(url)?.[1] ?? url;
  const name = functionName === '' ? '(anonymous)' : functionName;
  return place === '' ? name : `${name}, ${place}`;
}
