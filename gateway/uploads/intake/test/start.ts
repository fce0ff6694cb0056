/** For tests of the intake: a pool on a store in a folder, and what is sent through it. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Test } from 'tap';
import { silentLogger } from '../../../../runtime/logger.js';
import type { ObjectStore } from '../../../../storage/objects/object-store.js';
import { openObjectStore } from '../../../../storage/objects/open.js';
import type { IntakePool, IntakeStream } from '../intake.js';
import { startIntake } from '../pool.js';

export const MIB = 1024 * 1024;
export const LIMITS = { textBytesMax: 40 * MIB, xlsxBytesMax: MIB };
export const KEY = 'uploads/one';

export interface TestIntake {
  readonly pool: IntakePool;
  readonly store: ObjectStore;
  /** Threads of the pool, ended ones too. */
  readonly workers: readonly Worker[];
  left(): Promise<{ readonly objects: readonly string[]; readonly multiparts: number }>;
  read(key: string): Promise<Buffer>;
}

export async function startTestIntake(t: Test, { activeMax = 16, threads = 1 } = {}): Promise<TestIntake> {
  const directory = await mkdtemp(join(tmpdir(), 'tether-intake-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const store = await openObjectStore({ driver: 'folder', directory });
  await store.prepare();
  t.teardown(() => store.close());
  const workers: Worker[] = [];
  const seen = (worker: Worker) => void workers.push(worker);
  process.on('worker', seen);
  t.teardown(() => process.off('worker', seen));
  const pool = startIntake({
    threads,
    activeMax,
    objects: { driver: 'folder', directory },
    logger: silentLogger,
  });
  t.teardown(() => pool.close(1_000));
  return {
    pool,
    store,
    workers,
    left: async () => ({
      objects: (await store.list('', { limit: 1_000 })).map(({ key }) => key),
      multiparts: (await store.listMultiparts('', 1_000)).length,
    }),
    read: async (key) => Buffer.concat(await (await store.read(key)).toArray()),
  };
}

/** Text of exactly so many bytes; of no two parts are the same. */
export function text(bytes: number): Buffer {
  const block = randomBytes(500_009).toString('base64').replace(/.{71}/g, '$&\n');
  return Buffer.alloc(bytes, block);
}

/** What begins as a picture. */
export function picture(bytes: number): Buffer {
  return Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), randomBytes(bytes - 16)]);
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Writes with regard to credit. */
export async function send(stream: IntakeStream, bytes: Buffer, chunkBytes = 300_000): Promise<void> {
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, bytes.length - start));
    bytes.copy(chunk, 0, start);
    if (!stream.write(chunk)) {
      await new Promise<void>((resolve) => {
        stream.onRoom = resolve;
      });
    }
  }
}
