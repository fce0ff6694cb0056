/**
 * One large file: through Tether into the S3 server, through the tus server, and straight into it with the `minio` client, round by round.
 * And how much memory the node takes while a still larger one goes through.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startTestS3Server } from '../../storage/objects/test-s3-server.js';
import { startChild } from '../harness/child.js';
import { type ObjectsLimit, putObjects } from '../limits/put-objects.js';
import { s3BucketOf } from '../limits/s3-client.js';
import type { PutOrder, PutResult } from '../load/put-file.js';
import { writeFileOfBytes } from './files.js';
import { startUploadNode, type UploadNode } from './node.js';

export interface TransferRound {
  /** MB/s. */
  readonly tether: number;
  readonly tus: number;
  readonly minio: number;
  /** Objects of 8 MiB put from memory, MB/s. */
  readonly puts: number;
  /** Objects of 64 KiB put from memory, puts a second. */
  readonly smallPutsPerSecond: number;
}

export interface TransferOptions {
  readonly rounds: number;
  readonly bytes: number;
  /** Of the file during which memory is watched. */
  readonly memoryBytes: number;
  note(text: string): void;
}

export interface TransferResult {
  readonly bytes: number;
  readonly rounds: readonly TransferRound[];
  readonly memory: { readonly bytes: number; readonly idleMib: number; readonly peakMib: number };
}

const DEADLINE_MS = 900_000;
const SAMPLE_MS = 50;
const TUS_SERVER = new URL('../peers/tus-server.js', import.meta.url);
const PUTS: Omit<ObjectsLimit, 'url'> = { objects: 32, bytes: 8 * 1024 * 1024, concurrency: 4 };
const SMALL_PUTS: Omit<ObjectsLimit, 'url'> = { objects: 400, bytes: 64 * 1024, concurrency: 16 };
const PUT_FILE = new URL('../load/put-file.js', import.meta.url);

export async function measureTransfer(directory: string, options: TransferOptions): Promise<TransferResult> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const s3 = await startTestS3Server({ teardown: (work) => stops.push(work) });
    const store = s3.url('bench');
    const node = await startUploadNode(directory, {
      TETHER_S3_URL: store,
      TETHER_UPLOAD_BYTES_MAX: '64GiB',
    });
    stops.push(() => node.stop());
    const tusServer = await startChild<{ readonly port: number }>(TUS_SERVER, [store]);
    stops.push(tusServer.stop);
    const tusUrl = `http://127.0.0.1:${tusServer.ready.port}/files`;
    // First, while the process is as it started.
    const memory = await measureMemory(node, join(directory, 'larger.csv'), options.memoryBytes);
    const file = join(directory, 'large.csv');
    const bytes = await writeFileOfBytes(file, options.bytes, 1);
    const rounds: TransferRound[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const tether = bytes / 1e6 / (await throughTether(node, file));
      const tus = bytes / 1e6 / (await throughTus(tusUrl, store, file));
      const minio = bytes / 1e6 / (await straight(store, file, `straight-${round}`));
      const { megabytesPerSecond: puts } = await putObjects({ url: store, ...PUTS });
      const { objectsPerSecond: smallPutsPerSecond } = await putObjects({ url: store, ...SMALL_PUTS });
      rounds.push({ tether, tus, minio, puts, smallPutsPerSecond });
      options.note(`transfer, round ${round + 1} of ${options.rounds}`);
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

/** Seconds; what it kept is removed. */
async function throughTus(url: string, store: string, file: string): Promise<number> {
  const { seconds, ids } = await put(['tus', url], [{ file, name: 'a.csv' }]);
  const { client, bucket } = s3BucketOf(store);
  for (const name of [ids[0] ?? '', `${ids[0]}.info`]) await client.removeObject(bucket, name);
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
