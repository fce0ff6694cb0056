/**
 * The peer's worker: one Postgres transaction for each job, which writes the event and the payment that Tether writes.
 *
 * Arguments: Redis port, Postgres URL.
 */
import { Worker } from 'bullmq';
import { Pool } from 'pg';

const CONCURRENCY = 20;
const [redisPort, databaseUrl] = process.argv.slice(2);
const pool = new Pool({ connectionString: databaseUrl, max: CONCURRENCY });
pool.on('error', (error) => console.error(error));

await pool.query(`
  create table if not exists peer_events (
    dedupe text primary key, kind text not null, key text not null, status text, payload bytea not null,
    received_at timestamptz not null, processed_at timestamptz not null default now());
  create table if not exists peer_payments (
    id text primary key, status text, amount bigint, currency text, history jsonb not null default '[]');
`);

const worker = new Worker(
  'notifications',
  async (job) => {
    const body = (job.data as { readonly body: string }).body;
    const form = new URLSearchParams(body);
    const id = form.get('unique_id') ?? form.get('wpf_unique_id') ?? form.get('reference_id');
    const status = form.get('status') ?? form.get('wpf_status');
    const client = await pool.connect();
    try {
      await client.query('begin');
      const { rowCount } = await client.query(
        `insert into peer_events (dedupe, kind, key, status, payload, received_at)
         values ($1, 'processing', $2, $3, $4, to_timestamp($5)) on conflict do nothing`,
        [`${id}:${form.get('event') ?? ''}:${status}`, id, status, Buffer.from(body), job.timestamp / 1_000],
      );
      if (rowCount === 1) {
        await client.query(
          `insert into peer_payments (id, status, amount, currency, history)
           values ($1, $2, $3, $4, jsonb_build_array($2::text))
           on conflict (id) do update set status = excluded.status, history = peer_payments.history || excluded.history`,
          [id, status, Number(form.get('amount') ?? 0), form.get('currency')],
        );
      }
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  },
  { connection: { host: '127.0.0.1', port: Number(redisPort) }, concurrency: CONCURRENCY },
);
await worker.waitUntilReady();
process.send?.({});
process.on('SIGTERM', () => process.exit(0));
