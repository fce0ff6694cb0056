/**
 * Load by `wrk` (Debian's package), one thread. A load generator in JavaScript was no match: at about the cost per request
 * of the server it measures, it saturates its core first, and the ratio to a bare server comes out flattering.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LatencySummary, PERCENTILES } from '../harness/latencies.js';
import type { Pinning } from '../harness/pinning.js';
import { cpuSeconds } from '../harness/process-stats.js';

export interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** As wrk measures them: from the moment at which a connection sends, which waits for its last answer (closed loop). */
  readonly latency: LatencySummary;
  /** Answers other than 2xx and 3xx, and socket errors. */
  readonly errors: number;
  /** Cores that the server's process kept busy, 0 to the number of cores. */
  readonly serverCores: number;
  /** The same of wrk. */
  readonly loadCores: number;
}

export interface WrkRun {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly requestsFile: string;
  readonly serverPid: number;
  readonly pinning: Pinning;
}

const SCRIPT = fileURLToPath(new URL('../../../perf/load/requests.lua', import.meta.url));

/** The bytes of a POST of a form. */
export function formRequest(path: string, body: string): Buffer {
  return webhookRequest(path, { 'Content-Type': 'application/x-www-form-urlencoded' }, body);
}

/** The bytes of a POST with some headers. */
export function webhookRequest(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Writes the file that `requests.lua` reads. */
export function writeRequests(file: string, requests: readonly Buffer[]): void {
  writeFileSync(
    file,
    Buffer.concat(requests.flatMap((request) => [Buffer.from(`${request.length}\n`), request])),
  );
}

export async function runWrk(run: WrkRun): Promise<WrkResult> {
  const { port, connections, seconds, requestsFile, serverPid, pinning } = run;
  const before = cpuSeconds(serverPid);
  // The shell's `times` says what wrk used; wrk itself does not.
  const script = 'wrk -t1 -c"$1" -d"$2"s --timeout 10s -s "$3" "http://127.0.0.1:$4/"; times';
  const command = pinning.load('sh', [
    '-c',
    script,
    'sh',
    ...[connections, seconds, SCRIPT, port].map(String),
  ]);
  const child = promisify(execFile)(command.file, [...command.args], {
    env: { ...process.env, REQUESTS: requestsFile },
  });
  const { stdout } = await child.catch((cause: Error) => {
    throw new Error('wrk does not run; it is in the Debian package wrk', { cause });
  });
  const serverSeconds = cpuSeconds(serverPid) - before;
  const json = stdout.split('\n').find((line) => line.startsWith('{'));
  if (json === undefined) throw new Error(`wrk printed no result: ${stdout}`);
  const result = JSON.parse(json) as Record<
    'requests' | 'durationUs' | 'statusErrors' | 'socketErrors',
    number
  > & { readonly percentilesUs: readonly number[] };
  if (result.percentilesUs.length !== PERCENTILES.length)
    throw new Error('wrk and PERCENTILES tell of other percentiles');
  const wall = result.durationUs / 1e6;
  return {
    requests: result.requests,
    requestsPerSecond: result.requests / wall,
    latency: {
      count: result.requests,
      percentilesMs: result.percentilesUs.map((us) => us / 1_000),
      // Of a closed loop: its connections are always busy.
      meanMs: (connections * wall * 1_000) / result.requests,
    },
    errors: result.statusErrors + result.socketErrors,
    serverCores: serverSeconds / wall,
    loadCores: childSeconds(stdout) / wall,
  };
}

/** User and system seconds of the shell's children, from the last line of `times`. */
function childSeconds(stdout: string): number {
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + Number(m) * 60 + Number(s),
    0,
  );
}
