/** A burst by `wrk`: so many requests at once over so many connections, and how long until the last of them has its answer. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Pinning } from '../harness/pinning.js';

export interface BurstRun {
  readonly port: number;
  readonly count: number;
  readonly connections: number;
  /** At least `count` and `connections` requests, each other than the others. */
  readonly requestsFile: string;
  readonly pinning: Pinning;
}

const SCRIPT = fileURLToPath(new URL('../../../perf/load/burst.lua', import.meta.url));
const SECONDS_MAX = 120;

/** Seconds. `count` requests have their answers then; up to `connections` more may be on their way. */
export async function runBurst({
  port,
  count,
  connections,
  requestsFile,
  pinning,
}: BurstRun): Promise<number> {
  const { file, args } = pinning.load('wrk', [
    ...['-t1', `-c${connections}`, `-d${SECONDS_MAX}s`, '--timeout', '60s'],
    ...['-s', SCRIPT, `http://127.0.0.1:${port}/`],
  ]);
  const { stdout } = await promisify(execFile)(file, [...args], {
    env: {
      ...process.env,
      REQUESTS: requestsFile,
      COUNT: String(count),
      CONNECTIONS: String(connections),
    },
    timeout: (SECONDS_MAX + 10) * 1_000,
  });
  const json = stdout.split('\n').find((line) => line.startsWith('{'));
  if (json === undefined)
    throw new Error(`${count} requests had no answers within ${SECONDS_MAX} s: ${stdout}`);
  return (JSON.parse(json) as { readonly seconds: number }).seconds;
}
