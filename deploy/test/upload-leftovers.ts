/**
 * What the sweeper of a node does about what a crash left, without the minutes that it waits: by a sweeper in this process, on the node's
 * own Postgres and folder of objects.
 */

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Uploads } from '../../actors/upload/uploads.js';
import { startIntake, TokenAuthenticator, UploadSweeper } from '../../gateway/index.js';
import { silentLogger } from '../../runtime/logger.js';
import { openObjectStore } from '../../storage/objects/open.js';
import { Tokens } from '../../storage/postgres/index.js';
import { objectsDir } from '../data-dir.js';
import type { UploadNode } from './upload-node.js';

export interface Kept {
  /** SHA-256 of each object, by key. */
  readonly objects: ReadonlyMap<string, string>;
  readonly multiparts: readonly string[];
}

/**
 * To be called while no client is served. Leases of writers that are gone run out, and what they were receiving is abandoned; with
 * `all`, every upload that is not complete expires too.
 */
export async function letTimePass(node: UploadNode, what: 'minutes' | 'all'): Promise<void> {
  const pool = await node.pool();
  await pool.query(
    `UPDATE tus_uploads SET lease_until = now() - interval '1 second' WHERE lease IS NOT NULL`,
  );
  if (what === 'all') {
    await pool.query(`UPDATE tus_uploads SET expires_at = now() - interval '1 second' WHERE state = 'open'`);
    await pool.query(`UPDATE uploads SET updated_at = now() - interval '3 days' WHERE state = 'receiving'`);
  }
  const settings = { driver: 'folder', directory: objectsDir(node.dataDir) } as const;
  const objects = await openObjectStore(settings);
  const intake = startIntake({ threads: 1, activeMax: 1, objects: settings, logger: silentLogger });
  try {
    const sweeper = new UploadSweeper({
      parts: {
        authenticator: new TokenAuthenticator({
          bootstrapToken: '',
          tokens: new Tokens(pool),
          logger: silentLogger,
          now: Date.now,
        }),
        uploads: new Uploads(pool),
        pool,
        objects,
        intake,
        limits: { textBytesMax: 1, xlsxBytesMax: 1 },
        expiryMs: 24 * 3_600_000,
        // The log is the node's.
        enqueue: () => Promise.reject(new Error('this process has no log')),
        nextId: () => '',
        logger: silentLogger,
        now: Date.now,
      },
      silentMsMax: 0,
      multipartMsMin: 0,
    });
    await sweeper.sweep();
    // What the first round gives up another one may have to empty.
    if (what === 'all') await sweeper.sweep();
  } finally {
    await intake.close(1_000);
    await objects.close();
  }
}

/** What the node's folder of objects holds. */
export async function keptBy(node: UploadNode): Promise<Kept> {
  const objects = await openObjectStore({ driver: 'folder', directory: objectsDir(node.dataDir) });
  try {
    const hashes = new Map<string, string>();
    for (const { key } of await objects.list('', { limit: 1_000 })) {
      hashes.set(key, await hashOf(await objects.read(key)));
    }
    const multiparts = await objects.listMultiparts('', 1_000);
    return { objects: hashes, multiparts: multiparts.map(({ key }) => key) };
  } finally {
    await objects.close();
  }
}

async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
