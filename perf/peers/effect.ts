/**
 * What the worker of every peer does for a job: one Postgres transaction, which writes the event and the payment that Tether writes. A job
 * that comes again changes nothing.
 *
 * The statements have names, so that Postgres plans them once for each connection, as the documentation of `pg` advises for statements that
 * are sent often. The pool is the same for all peers: 20 connections are more than Postgres on two cores keeps busy, and few enough for a
 * server that has 50 for everybody. Idle ones are given back soon, for the peer that is measured next.
 */
import { Pool } from 'pg';
import { eventOf } from './notification.js';

/** Jobs that a worker has under way: enough that each connection finds a next one waiting. */
const JOBS_AT_ONCE = 100;
const CONNECTIONS = 20;
const IDLE_MS_MAX = 2_000;
const CONNECT_MS_MAX = 30_000;

interface Effect {
  /**
   * Resolves when it is committed; rejects with Postgres's error.
   * @param body the form as it came
   * @param receivedAtMs since the epoch
   */
  apply(body: string, receivedAtMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes the tables where they are not there. */
async function openEffect(databaseUrl: string): Promise<Effect> {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: CONNECTIONS,
    idleTimeoutMillis: IDLE_MS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
  });
  pool.on('error', (error) => console.error(error));
  await pool.query(`
    create table if not exists peer_events (
      dedupe text primary key, kind text not null, key text not null, status text, payload bytea not null,
      received_at timestamptz not null, processed_at timestamptz not null default now());
    create table if not exists peer_payments (
      id text primary key, status text, amount bigint, currency text, history jsonb not null default '[]');
  `);
  return { apply: (body, receivedAtMs) => apply(pool, body, receivedAtMs), close: () => pool.end() };
}

async function apply(pool: Pool, body: string, receivedAtMs: number): Promise<void> {
  const { dedupe, id, status, amount, currency } = eventOf(body);
  const client = await pool.connect();
  let isCommitted = false;
  try {
    await client.query('begin');
    const { rowCount } = await client.query({
      name: 'peer-event',
      text: `insert into peer_events (dedupe, kind, key, status, payload, received_at)
        values ($1, 'processing', $2, $3, $4, to_timestamp($5)) on conflict do nothing`,
      values: [dedupe, id, status, Buffer.from(body), receivedAtMs / 1_000],
    });
    if (rowCount === 1) {
      await client.query({
        name: 'peer-payment',
        text: `insert into peer_payments (id, status, amount, currency, history)
          values ($1, $2, $3, $4, jsonb_build_array($2::text))
          on conflict (id) do update set status = excluded.status, history = peer_payments.history || excluded.history`,
        values: [id, status, amount, currency],
      });
    }
    await client.query('commit');
    isCommitted = true;
  } finally {
    // Closed, a connection takes back what it has begun.
    client.release(!isCommitted);
  }
}

export { type Effect, JOBS_AT_ONCE, openEffect };
