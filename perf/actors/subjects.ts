/** The subjects of `npm run bench:actors` and the commands that start their programs. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasCode } from '../../storage/journal/has-code.js';
import { ACTIVATIONS, type BenchmarkName, taskOf } from './parameters.js';
import { MEASURED_MS_MIN, WARM_UP_MS_MIN, WARM_UP_SCALE } from './program.js';
import { output, type Subject } from './subject.js';

/** Beside the sources, seen from dist/perf/actors: the compiler of TypeScript does not take them along. */
const ERLANG_SOURCES = fileURLToPath(new URL('../../../perf/actors/erlang/', import.meta.url));
const COMPILE_MS_MAX = 60_000;

/**
 * All of them; those whose program is not there have no benchmark.
 *
 * @param directory for what Erlang's compiler writes
 */
export async function subjects(directory: string, note: (text: string) => void): Promise<readonly Subject[]> {
  const hasErlang = await compileErlang(directory);
  if (!hasErlang)
    note("Erlang: erlc is not installed (Debian's package erlang-base), its columns stay empty");
  const programs = [
    program('tether', 'Tether, one thread', new URL('./tether/one-thread.js', import.meta.url)),
    program('tether-2', 'Tether, two threads', new URL('./tether/two-threads.js', import.meta.url)),
    program('nact', 'nact', new URL('./nact/program.js', import.meta.url)),
    program('loop', 'bare loop', new URL('./limits/loop.js', import.meta.url)),
    program('message-port', 'bare MessagePort', new URL('./limits/message-port.js', import.meta.url)),
    program('piscina', 'piscina.run', new URL('./limits/piscina.js', import.meta.url)),
  ].map(({ subject, path }) => {
    if (existsSync(path)) return subject;
    note(`${subject.title}: no program at ${path}, its column stays empty`);
    return missing(subject);
  });
  const erlangs = [
    erlang('erlang', 'Erlang, one scheduler', directory, 1),
    erlang('erlang-2', 'Erlang, two schedulers', directory, 2),
  ];
  return [...programs, ...(hasErlang ? erlangs : erlangs.map(missing))];
}

const missing = (subject: Subject): Subject => ({ ...subject, command: () => undefined });

function program(
  name: string,
  title: string,
  url: URL,
): { readonly subject: Subject; readonly path: string } {
  const path = fileURLToPath(url);
  const command = (measure: string, scale: number) => ({
    file: process.execPath,
    args: [path, measure, `${scale}`],
  });
  return { subject: { name, title, command }, path };
}

function erlang(name: string, title: string, directory: string, schedulers: number): Subject {
  const pairs = (benchmark: BenchmarkName, scale: number) =>
    Object.entries(taskOf(benchmark, scale).parameters).map(([key, value]) => `${key}=${value}`);
  return {
    name,
    title,
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

/** Whether there is an Erlang; the compiled modules are then in the directory. */
async function compileErlang(directory: string): Promise<boolean> {
  const sources = readdirSync(ERLANG_SOURCES).filter((name) => name.endsWith('.erl'));
  const args = ['-Werror', '-o', directory, ...sources.map((name) => join(ERLANG_SOURCES, name))];
  try {
    await output({ file: 'erlc', args }, COMPILE_MS_MAX);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
