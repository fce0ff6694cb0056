/**
 * `npm run k6 -- SCRIPT [options]`: runs a load test of this folder with k6 where there is one on the PATH, and else under Node with the subset of k6's
 * API that these scripts use (`engine/`). The first line says which of the two it is.
 *
 * SCRIPT is a name (`webhook-load-test`) or a path. `--duration` is handed to the script as DURATION: k6's own would put one VU in the place of
 * the script's scenarios.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readApiToken } from '../../deploy/api-token.js';
import { type CommandLine, CommandLineError, parseCommandLine } from './command-line.js';
import { runTest } from './engine/engine.js';
import { EXIT } from './engine/exit-codes.js';

const SCRIPTS = fileURLToPath(new URL('../../../perf/k6/', import.meta.url));
const NAMES = ['webhook-load-test', 'upload-test', 'spike', 'soak'];
/** npm and the shell both pass a Ctrl-C on: what comes this soon after the first is the same key press. */
const SAME_PRESS_MS = 1_000;

const USAGE = `npm run k6 -- SCRIPT [options]

SCRIPT: ${NAMES.join(', ')}, or the path of a script

  -e, --env NAME=VALUE   a setting of the script; so is what stands in the environment
  -d, --duration TIME    the script's DURATION, such as 20s
  -q, --quiet            without how far it is

TETHER_URL is the node (http://127.0.0.1:8080), TETHER_API_TOKEN the token for uploads.
With k6 on the PATH its other options may be given, too.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const k6 = k6Version();
  let line: CommandLine;
  let script: string;
  try {
    line = parseCommandLine(args, k6 !== undefined);
    if (line.script === undefined) {
      process.stdout.write(USAGE);
      return line.isHelp ? EXIT.ok : EXIT.invalidConfig;
    }
    script = pathOf(line.script);
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    process.stderr.write(`k6: ${error.message}\n\n${USAGE}`);
    return EXIT.invalidConfig;
  }
  const env = { ...(await withToken(process.env)), ...line.env };
  if (k6 !== undefined) {
    process.stdout.write(`${k6}\n`);
    return await runK6(script, line, env);
  }
  process.stdout.write(`Node ${process.version}: no k6 on the PATH; the subset of its API\n`);
  return await runUnderNode(script, line, env);
}

/** Its version, or undefined when there is none. */
function k6Version(): string | undefined {
  const { status, stdout } = spawnSync('k6', ['version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.trim().split('\n')[0] : undefined;
}

function pathOf(script: string): string {
  for (const path of [resolve(script), resolve(SCRIPTS, script), resolve(SCRIPTS, `${script}.js`)])
    if (/\.[cm]?js$/.test(path) && existsSync(path)) return path;
  throw new CommandLineError(`there is no script ${script}: there are ${NAMES.join(', ')}`);
}

/** The token that an embedded node keeps in its data directory, where none is given. */
async function withToken(given: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const env = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  if (env.TETHER_API_TOKEN !== undefined) return env;
  const kept = await readApiToken(env.TETHER_DATA_DIR ?? '.tether');
  return kept === undefined ? env : { ...env, TETHER_API_TOKEN: kept.token };
}

async function runK6(
  script: string,
  { env: given, rest }: CommandLine,
  env: Record<string, string>,
): Promise<number> {
  const flags = Object.entries(given).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const child = spawn('k6', ['run', ...flags, ...rest, script], {
    stdio: 'inherit',
    // The scripts read the shape that handleSummary has had from the first; newer versions of k6 have another one, by a switch that older ones do not know.
    env: { ...env, K6_NEW_MACHINE_READABLE_SUMMARY: 'false' },
  });
  // A terminal sends a Ctrl-C to k6 itself, and a second one would end it without its summary.
  const onInterrupt = () => void (process.stdin.isTTY || child.kill('SIGINT'));
  const onTerminate = () => void child.kill('SIGTERM');
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate);
  try {
    return await new Promise<number>((done, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) =>
        done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
  } finally {
    process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate);
  }
}

async function runUnderNode(script: string, line: CommandLine, env: Record<string, string>): Promise<number> {
  const stop = new AbortController();
  let firstMs: number | undefined;
  const onSignal = () => {
    if (firstMs === undefined) {
      firstMs = Date.now();
      stop.abort();
    } else if (Date.now() - firstMs > SAME_PRESS_MS) process.exit(EXIT.interrupted);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await runTest({
      scriptUrl: pathToFileURL(script).href,
      env,
      signal: stop.signal,
      showProgress: !line.isQuiet,
      stdout: (text) => void process.stdout.write(text),
      stderr: (text) => void process.stderr.write(text),
    });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
