/** For tests: stored files, and the actor without the runtime around it, on a real Postgres and a real folder of objects. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../runtime/logger.js';
import { FolderObjectStore } from '../../../storage/objects/folder/folder-store.js';
import { type ObjectStore, PART_BYTES, type Part } from '../../../storage/objects/object-store.js';
import { createPool, type Pool } from '../../../storage/postgres/pool.js';
import type { TestScope } from '../../../storage/postgres/test-server.js';
import { openDatabase, type TestDatabase } from '../../payment/test/database.js';
import { handleUpload, type UploadResources } from '../actor.js';
import { objectKeyOf, TEXT_MEDIA_TYPE } from '../model.js';
import { lookAt, madeIban, newId, outcomesOf, type UploadLook } from './made.js';

export interface UploadBench {
  readonly database: TestDatabase;
  readonly pool: Pool;
  readonly objects: ObjectStore;
  readonly objectsDirectory: string;
  readonly resources: UploadResources;
  /** An upload in state `stored`. */
  store(owner: string, file: string | Buffer): Promise<string>;
  /** As often as it pauses, at most `slicesMax` times. The number of slices. */
  run(id: string, options?: RunOptions): Promise<number>;
  look(id: string): Promise<UploadLook | undefined>;
  outcomes(id: string): Promise<readonly (readonly [number, string])[]>;
}

export interface RunOptions {
  readonly resources?: Partial<UploadResources>;
  readonly isTimeOver?: () => boolean;
  readonly slicesMax?: number;
}

export async function openBench(t: TestScope, given?: TestDatabase): Promise<UploadBench> {
  const database = given ?? (await openDatabase(t));
  const objectsDirectory = await mkdtemp(join(tmpdir(), 'tether-objects-'));
  t.teardown(() => rm(objectsDirectory, { recursive: true, force: true }));
  const objects = new FolderObjectStore(objectsDirectory);
  await objects.prepare();
  const pool = createPool({
    url: database.url,
    connectionsMax: 8,
    applicationName: 'tether-upload',
    logger: silentLogger,
  });
  t.teardown(async () => {
    await pool.end();
    await objects.close();
  });
  const resources: UploadResources = { pool, objects, batchRows: 20_000, sliceMs: 20_000 };

  return {
    database,
    pool,
    objects,
    objectsDirectory,
    resources,
    async store(owner, file) {
      const id = newId();
      const bytes = Buffer.from(file as string);
      await putObject(objects, objectKeyOf(id), bytes);
      await pool.query(
        `INSERT INTO uploads (id, owner, state, via, filename, media_type, object_key, bytes, stored_at)
         VALUES ($1, $2, 'stored', 'raw', 'made.csv', $3, $4, $5, now())`,
        [id, owner, TEXT_MEDIA_TYPE, objectKeyOf(id), bytes.length],
      );
      return id;
    },
    async run(id, { resources: others, isTimeOver = () => false, slicesMax = 1_000 } = {}) {
      for (let slices = 1; ; slices++) {
        const outcome = await handleUpload(id, { ...resources, ...others }, isTimeOver, silentLogger);
        if (outcome === 'done') return slices;
        if (slices === slicesMax) throw new Error(`more than ${slicesMax} slices`);
      }
    },
    look: (id) => lookAt(pool, id),
    outcomes: (id) => outcomesOf(pool, id),
  };
}

async function putObject(objects: ObjectStore, key: string, bytes: Buffer): Promise<void> {
  if (bytes.length <= PART_BYTES) return objects.put(key, bytes);
  const multipart = await objects.beginMultipart(key);
  const parts: Part[] = [];
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    parts.push(await objects.putPart(key, multipart, parts.length + 1, bytes.subarray(at, at + PART_BYTES)));
  }
  await objects.completeMultipart(key, multipart, parts);
}

/** A file of debtors with these numbers; wide rows make many pieces of a short file. */
export function madeFile(numbers: readonly number[], noteChars = 0): string {
  const note = 'n'.repeat(noteChars);
  const rows = numbers.map(
    (n) => `${n < 0 ? 'not-an-iban' : madeIban(n)};Ann Debtor;${n < 0 ? 1 : n + 1},00;${note}\n`,
  );
  return `IBAN;Name;Amount;Note\n${rows.join('')}`;
}
