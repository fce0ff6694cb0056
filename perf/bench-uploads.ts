/**
 * How fast files come in and are read, what that costs in memory, and whether it slows webhooks down.
 *
 * Run: npm run bench:uploads -- [transfer] [rows] [webhooks] [--rounds N, default 3]; without a name all of them. Takes about a quarter
 * of an hour and 12 GB of disk. Needs Debian's packages swift-proxy, swift-account, swift-container, swift-object, memcached and
 * postgresql-client.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { showSpread, spread, table } from './table.js';
import { startUploadNode, type UploadNode } from './uploads/node.js';
import { measureRows } from './uploads/rows.js';
import { measureTransfer } from './uploads/transfer.js';
import { measureWebhooks } from './uploads/webhooks.js';

const GIB = 1024 ** 3;
const NAMES = ['transfer', 'rows', 'webhooks'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' } },
});
const rounds = Number(values.rounds);
const wanted = positionals.length === 0 ? NAMES : positionals;
const unknown = wanted.filter((name) => !NAMES.includes(name));
if (unknown.length > 0 || !(rounds > 0)) {
  throw new RangeError(`unknown: ${unknown.join(', ')}; known are ${NAMES.join(', ')}, and --rounds 3`);
}

const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tether-bench-uploads-'));
const lines: string[][] = [];
try {
  if (wanted.includes('transfer')) await transfer();
  if (wanted.includes('rows')) await onNode(rows);
  if (wanted.includes('webhooks')) await onNode(webhooks);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const { model = 'unknown' } = cpus()[0] ?? {};
console.log(
  `${rounds} rounds, ${availableParallelism()} cores (${model.trim()}), Node ${process.version}. Median over the rounds, least and most in brackets.\n`,
);
console.log(table(['what', 'measured', 'bar'], lines));

async function transfer(): Promise<void> {
  const result = await measureTransfer(directory, { rounds, bytes: 2 * GIB, memoryBytes: 5 * GIB });
  const { memory } = result;
  const of = (read: (round: (typeof result.rounds)[number]) => number, digits: number) =>
    showSpread(spread(result.rounds.map(read)), digits);
  lines.push(
    ['2 GiB through Tether into S3, MB/s', of(({ tether }) => tether, 0), ''],
    ['2 GiB straight with the minio client, MB/s', of(({ minio }) => minio, 0), ''],
    ['ratio', of(({ tether, minio }) => tether / minio, 2), 'at least 0.8'],
    [
      'memory while 5 GiB go through, beyond idle, MiB',
      `${(memory.peakMib - memory.idleMib).toFixed(0)} (idle ${memory.idleMib.toFixed(0)})`,
      'under 128',
    ],
  );
}

async function rows(node: UploadNode): Promise<void> {
  const result = await measureRows(node, directory, { rounds, rows: 1_000_000 });
  const of = (read: (round: (typeof result)[number]) => number, digits: number) =>
    showSpread(spread(result.map(read)), digits);
  lines.push(
    ['rows through the actor, rows/s', of(({ tether }) => tether, 0), ''],
    ['psql \\copy, rows/s', of(({ copy }) => copy, 0), ''],
    ['ratio', of(({ tether, copy }) => tether / copy, 2), 'at least 0.25'],
  );
}

async function webhooks(node: UploadNode): Promise<void> {
  const result = await measureWebhooks(node, directory, { rounds, uploads: 10, rows: 1_000_000 });
  const of = (read: (round: (typeof result)[number]) => number, digits: number) =>
    showSpread(spread(result.map(read)), digits);
  lines.push(
    [
      'webhook, idle, p50 and p99 ms',
      `${of(({ idle }) => idle.p50Ms, 2)}; ${of(({ idle }) => idle.p99Ms, 2)}`,
      '',
    ],
    [
      'webhook, ten uploads, p50 and p99 ms',
      `${of(({ busy }) => busy.p50Ms, 2)}; ${of(({ busy }) => busy.p99Ms, 2)}`,
      '',
    ],
    ['ratio of p99', of(({ idle, busy }) => busy.p99Ms / idle.p99Ms, 2), 'at most 3'],
  );
}

/** In its embedded default: files in a folder. */
async function onNode(measure: (node: UploadNode) => Promise<void>): Promise<void> {
  const node = await startUploadNode(directory, {});
  try {
    await measure(node);
  } finally {
    await node.stop();
  }
}
