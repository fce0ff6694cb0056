/**
 * One large file: through Tether into the S3 server, and straight into it with the `minio` client, round by round. And how much memory
 * the node takes while a still larger one goes through.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { startChild } from '../child.js';
import type { PutOrder, PutResult } from '../load/put-file.js';
import { writeFileOfBytes } from './files.js';
import { startUploadNode, type UploadNode } from './node.js';

export interface TransferRound {
  /** MB/s. */
  readonly tether: number;
  readonly minio: number;
}

export interface TransferResult {
  readonly bytes: number;
  readonly rounds: readonly TransferRound[];
  readonly memory: { readonly bytes: number; readonly idleMib: number; readonly peakMib: number };
}

const DEADLINE_MS = 900_000;
const SAMPLE_MS = 50;
const PUT_FILE = new URL('../load/put-file.js', import.meta.url);

export async function measureTransfer(
  directory: string,
  options: { readonly rounds: number; readonly bytes: number; readonly memoryBytes: number },
): Promise<TransferResult> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const s3 = await startTestS3Server({ teardown: (work) => stops.push(work) });
    const store = s3.url('bench');
    const node = await startUploadNode(directory, {
      TETHER_S3_URL: store,
      TETHER_UPLOAD_BYTES_MAX: '64GiB',
    });
    stops.push(() => node.stop());
    // First, while the process is as it started.
    const memory = await measureMemory(node, join(directory, 'larger.csv'), options.memoryBytes);
    const file = join(directory, 'large.csv');
    const bytes = await writeFileOfBytes(file, options.bytes, 1);
    const rounds: TransferRound[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const tether = bytes / 1e6 / (await throughTether(node, file));
      const minio = bytes / 1e6 / (await straight(store, file, `straight-${round}`));
      rounds.push({ tether, minio });
      process.stderr.write(`transfer, round ${round + 1} of ${options.rounds}\n`);
    }
    return { bytes, rounds, memory };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function measureMemory(
  node: UploadNode,
  file: string,
  wanted: number,
): Promise<TransferResult['memory']> {
  const bytes = await writeFileOfBytes(file, wanted, 2);
  const idle = residentMib(node.pid);
  let peak = idle;
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentMib(node.pid));
  }, SAMPLE_MS);
  try {
    await throughTether(node, file);
  } finally {
    clearInterval(sampling);
    rmSync(file);
  }
  return { bytes, idleMib: idle, peakMib: peak };
}

/** Of the node's own process: its Postgres stands apart. */
function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Seconds; the file is kept without being read, and removed. */
async function throughTether(node: UploadNode, file: string): Promise<number> {
  const { seconds, ids } = await put(
    ['tether', node.url, node.token],
    [{ file, name: 'a.csv', process: false }],
  );
  await node.remove(ids[0] ?? '');
  return seconds;
}

async function straight(url: string, file: string, name: string): Promise<number> {
  return (await put(['minio', url], [{ file, name }])).seconds;
}

export async function put(args: readonly string[], files: readonly PutOrder[]): Promise<PutResult> {
  for (const { file } of files) statSync(file);
  const client = await startChild(PUT_FILE, args);
  try {
    return (await client.ask({ files }, DEADLINE_MS)) as PutResult;
  } finally {
    await client.stop();
  }
}
