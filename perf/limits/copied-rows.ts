/**
 * The limit of what notifications write: one `COPY` of their rows, made beforehand, into an empty table like `peer_events`, with its primary key.
 * Nothing in Postgres is faster that keeps the key and commits durably.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { eventOf } from '../peers/notification.js';

interface RowsLimit {
  readonly databaseUrl: string;
  /** As many rows. */
  readonly notifications: number;
  readonly seed: number;
  /** The API password that signs. */
  readonly password: string;
}

const TABLE = 'bare_copy_events';
const CHUNK_ROWS = 500;

/** Seconds of the `COPY`, from its begin to its commit. The table is removed. */
async function copiedRowsSeconds({ databaseUrl, ...traffic }: RowsLimit): Promise<number> {
  const chunks = chunksOf(traffic);
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`
      drop table if exists ${TABLE};
      create table ${TABLE} (
        dedupe text primary key, kind text not null, key text not null, status text, payload bytea not null,
        received_at timestamptz not null, processed_at timestamptz not null default now())
    `);
    const startMs = performance.now();
    const copy = client.query(
      copyFrom(`copy ${TABLE} (dedupe, kind, key, status, payload, received_at) from stdin`),
    );
    await pipeline(Readable.from(chunks), copy);
    const seconds = (performance.now() - startMs) / 1_000;
    if (copy.rowCount !== traffic.notifications)
      throw new Error(`COPY wrote ${copy.rowCount} rows, not ${traffic.notifications}`);
    await client.query(`drop table ${TABLE}`);
    return seconds;
  } finally {
    await client.end();
  }
}

/** The text format of `COPY`, which nothing of EMP's needs escaping in but the bytes, given in hexadecimal. */
function chunksOf({ notifications, seed, password }: Omit<RowsLimit, 'databaseUrl'>): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let lines: string[] = [];
  const receivedAt = new Date().toISOString();
  for (const { body } of empTraffic({ seed, count: notifications, password, kinds: ['processing'] })) {
    const { dedupe, id, status } = eventOf(body);
    const payload = Buffer.from(body).toString('hex');
    lines.push(`${[dedupe, 'processing', id, status, `\\\\x${payload}`, receivedAt].join('\t')}\n`);
    if (lines.length === CHUNK_ROWS) {
      chunks.push(Buffer.from(lines.join('')));
      lines = [];
    }
  }
  chunks.push(Buffer.from(lines.join('')));
  return chunks;
}

export { copiedRowsSeconds, type RowsLimit };
