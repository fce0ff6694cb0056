/** For tests: events with bodies of all sorts in a real Postgres, a real folder of objects that counts its calls, and the archive without the runtime. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { silentLogger } from '../../../runtime/logger.js';
import { MessageIdSource } from '../../../runtime/message-id.js';
import { FolderObjectStore } from '../../../storage/objects/folder/folder-store.js';
import type { ByteRange } from '../../../storage/objects/object-store.js';
import { createPool, type Pool } from '../../../storage/postgres/pool.js';
import { startTestPostgres, type TestScope } from '../../../storage/postgres/test-server.js';
import { PaymentEvents } from '../../payment/events.js';
import { type ArchiveRules, type ArchiverParts, archive } from '../archiver.js';
import { Payloads } from '../payloads.js';

/** A real store that counts its calls, and whose calls a test may hold up, change or let fail. */
export class TriedStore extends FolderObjectStore {
  puts = 0;
  reads = 0;
  before: (call: string, key: string) => Promise<void> | void = () => {};
  after: (call: string, key: string) => Promise<void> | void = () => {};
  /** What is put in the place of what was given. */
  change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;

  override async put(key: string, bytes: Uint8Array): Promise<void> {
    this.puts++;
    await this.before('put', key);
    await super.put(key, this.change(bytes));
    await this.after('put', key);
  }

  override async read(key: string, range?: ByteRange): Promise<Readable> {
    this.reads++;
    await this.before('read', key);
    return super.read(key, range);
  }

  override async delete(key: string): Promise<void> {
    await this.before('delete', key);
    await super.delete(key);
    await this.after('delete', key);
  }
}

export const RULES: ArchiveRules = {
  afterMs: 0,
  patienceMs: 0,
  keepDays: 0,
  limits: { eventsMax: 50_000, payloadBytesMax: 32 * 1024 * 1024, blockBytes: 64 * 1024 },
};

export interface ArchiveBench {
  readonly url: string;
  readonly pool: Pool;
  readonly objects: TriedStore;
  readonly directory: string;
  readonly payloads: Payloads;
  /** Each an event, an hour old; their ids, in order. */
  insert(bodies: readonly Buffer[], columns?: { readonly status?: string }): Promise<readonly string[]>;
  /** As often as it pauses. */
  run(rules?: Partial<ArchiveRules>, parts?: Partial<ArchiverParts>): Promise<void>;
  /** Through the one way to a payload. */
  payloadOf(id: string): Promise<Uint8Array>;
  rows<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The objects of the archive that are in the store. */
  stored(): Promise<readonly string[]>;
}

/** @param given a database; else one is made for it */
export async function openBench(
  t: TestScope,
  given?: { readonly url: string; readonly pool: Pool },
): Promise<ArchiveBench> {
  const { url, pool } = given ?? (await startTestPostgres(t, { connectionsMax: 10 }));
  const directory = await mkdtemp(join(tmpdir(), 'tether-archive-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const objects = new TriedStore(directory);
  await objects.prepare();
  const payloads = new Payloads(pool, async () => objects, silentLogger);
  const events = new PaymentEvents(pool);
  const ids = new MessageIdSource();
  const nextId = () => ids.next(Date.now());
  const common = { pool, objects, hold: undefined, nextId, logger: silentLogger };
  return {
    url,
    pool,
    objects,
    directory,
    payloads,
    async insert(bodies, { status = 'recorded' } = {}) {
      const made = bodies.map((body) => ({ id: nextId(), body }));
      for (let from = 0; from < made.length; from += 1_000) {
        const some = made.slice(from, from + 1_000);
        await pool.query(
          `INSERT INTO events (id, endpoint, kind, key, dedupe, status, received_at, processed_at, payload)
           SELECT id, 'shop', 'test', 'k', 'd' || id, $2, now() - interval '1 hour', now() - interval '1 hour' + n * interval '1 microsecond',
             decode(body, 'base64')
           FROM unnest($1::uuid[], $3::text[]) WITH ORDINALITY AS m (id, body, n)`,
          [some.map(({ id }) => id), status, some.map(({ body }) => body.toString('base64'))],
        );
      }
      return made.map(({ id }) => id);
    },
    async run(rules = {}, parts = {}) {
      const all = { ...common, rules: { ...RULES, ...rules }, ...parts };
      while ((await archive(all, () => false)) === 'paused');
    },
    async payloadOf(id) {
      const event = await events.get(id);
      if (event === undefined) throw new Error(`there is no event ${id}`);
      return payloads.payloadOf(event);
    },
    rows: async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(sql, values)).rows,
    stored: async () => (await objects.list('archive/', { limit: 1_000 })).map(({ key }) => key),
  };
}

/** A pool of its own, as another process has. */
export function otherPool(t: TestScope, url: string): Pool {
  const pool = createPool({ url, connectionsMax: 4, applicationName: 'tether test', logger: silentLogger });
  t.teardown(() => pool.end());
  return pool;
}

/** What a gateway sends of a payment; a made-up IBAN with the right check digits. */
export function empBody(n: number): Buffer {
  const id = createHash('md5').update(`payment ${n}`).digest('hex');
  return Buffer.from(
    `transaction_id=order-${n}&unique_id=${id}&transaction_type=sdd_sale&terminal_token=${createHash('sha1').update('terminal').digest('hex')}&status=approved` +
      `&amount=${100 + (n % 9_000)}&currency=EUR&mode=live&timestamp=2026-11-26T08%3A${String(n % 60).padStart(2, '0')}%3A00Z&bank_account_number=DE89370400440532013000` +
      `&customer_email=someone${n}%40example.org&signature=${createHash('sha1').update(`${id}secret`).digest('hex')}`,
  );
}

/** An order, as a shop sends it; about 2 KiB. */
export function jsonBody(n: number): Buffer {
  const lines = Array.from({ length: 6 }, (_, at) => ({
    id: 10_000_000 + n * 10 + at,
    sku: `SKU-${(n * 7 + at) % 500}`,
    title: `Article ${(n + at) % 500}`,
    quantity: 1 + (at % 3),
    price: { amount: `${(n * 13 + at) % 200}.90`, currency: 'EUR' },
    properties: [],
    taxes: [{ rate: 0.19, title: 'VAT' }],
  }));
  const order = { id: randomUUID(), number: n, created_at: new Date(1_790_000_000_000 + n * 1_000), lines };
  return Buffer.from(JSON.stringify({ topic: 'orders/create', order, note: null, tags: ['a', 'b'] }));
}
