/** The subjects of the scenario `actors` and the commands that start their programs. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Role } from '../harness/results.js';
import { ACTIVATIONS, type BenchmarkName, taskOf } from './parameters.js';
import { MEASURED_MS_MIN, WARM_UP_MS_MIN, WARM_UP_SCALE } from './program.js';
import { output, type Subject } from './subject.js';

/** Beside the sources, seen from dist/perf/actors: the compiler of TypeScript does not take them along. */
const ERLANG_SOURCES = fileURLToPath(new URL('../../../perf/actors/erlang/', import.meta.url));
const COMPILE_MS_MAX = 60_000;

/**
 * All of them.
 *
 * @param directory for what Erlang's compiler writes
 */
export async function subjects(directory: string): Promise<readonly Subject[]> {
  await compileErlang(directory);
  return [
    program('tether', 'Tether, one thread', 'tether', new URL('./tether/one-thread.js', import.meta.url)),
    program('tether-2', 'Tether, two threads', 'tether', new URL('./tether/two-threads.js', import.meta.url)),
    program('nact', 'nact', 'peer', new URL('./nact/program.js', import.meta.url)),
    program('loop', 'bare loop', 'limit', new URL('./limits/loop.js', import.meta.url)),
    program(
      'message-port',
      'bare MessagePort',
      'limit',
      new URL('./limits/message-port.js', import.meta.url),
    ),
    program('piscina', 'piscina.run', 'peer', new URL('./limits/piscina.js', import.meta.url)),
    program('poolifier', 'poolifier', 'peer', new URL('./limits/poolifier.js', import.meta.url)),
    erlang('erlang', 'Erlang, one scheduler', directory, 1),
    erlang('erlang-2', 'Erlang, two schedulers', directory, 2),
  ];
}

function program(name: string, title: string, role: Role, url: URL): Subject {
  const path = fileURLToPath(url);
  return {
    name,
    title,
    role,
    command: (measure, scale) => ({ file: process.execPath, args: [path, measure, `${scale}`] }),
  };
}

function erlang(name: string, title: string, directory: string, schedulers: number): Subject {
  const pairs = (benchmark: BenchmarkName, scale: number) =>
    Object.entries(taskOf(benchmark, scale).parameters).map(([key, value]) => `${key}=${value}`);
  return {
    name,
    title,
    role: 'peer',
    command(measure, scale) {
      if (measure === ACTIVATIONS || measure.startsWith('cross-')) return undefined;
      const { messages } = taskOf(measure, scale);
      const emulator = ['+S', `${schedulers}:${schedulers}`, '-noshell', '-pa', directory];
      const times = [WARM_UP_MS_MIN, MEASURED_MS_MIN, messages].map(String);
      const warmUp = ['warm-up', ...pairs(measure, scale * WARM_UP_SCALE)];
      const measured = ['measured', ...pairs(measure, scale)];
      return {
        file: 'erl',
        args: [...emulator, '-s', 'program', 'main', '-extra', measure, ...times, ...warmUp, ...measured],
        env: { ERL_CRASH_DUMP_SECONDS: '0' },
      };
    },
  };
}

/** Into the directory. Needs Debian's package erlang-base. */
async function compileErlang(directory: string): Promise<void> {
  const sources = readdirSync(ERLANG_SOURCES).filter((name) => name.endsWith('.erl'));
  const args = ['-Werror', '-o', directory, ...sources.map((name) => join(ERLANG_SOURCES, name))];
  await output({ file: 'erlc', args }, COMPILE_MS_MAX);
}
