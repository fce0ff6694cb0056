/**
 * For tests: an actor as a user's. Each deduplication key has one effect, in the order in which it comes; repeats are counted. A batch is one
 * statement, so that tens of thousands are quick.
 */
import { defineActor } from '../../../runtime/actor.js';
import { silentLogger } from '../../../runtime/logger.js';
import { createPool, type Pool } from '../../../storage/postgres/pool.js';
import type { WebhookDelivery } from '../../webhook/delivery.js';

export const SEEN = `CREATE TABLE seen (
  seq bigint GENERATED ALWAYS AS IDENTITY, dedupe text PRIMARY KEY, key text NOT NULL, id text NOT NULL, replay text, forced boolean,
  body bytea NOT NULL,  times int NOT NULL DEFAULT 1, at timestamptz NOT NULL DEFAULT clock_timestamp())`;

const WRITE = `
INSERT INTO seen (dedupe, key, id, replay, forced, body)
SELECT dedupe, key, id, replay, forced, body FROM (
  SELECT DISTINCT ON (dedupe) *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::bytea[])
    WITH ORDINALITY AS u (dedupe, key, id, replay, forced, body, n)
  ORDER BY dedupe, n) AS firsts
ORDER BY n
ON CONFLICT (dedupe) DO UPDATE SET times = seen.times + 1`;

export default defineActor<WebhookDelivery, undefined, Pool>({
  type: 'replay-witness',
  scope: 'thread',
  open({ settings }) {
    const { databaseUrl } = settings as { readonly databaseUrl: string };
    return createPool({
      url: databaseUrl,
      connectionsMax: 2,
      applicationName: 'tether-witness',
      logger: silentLogger,
    });
  },
  close: (pool) => pool.end(),
  async receive(messages, { resources: pool }) {
    await pool.query(WRITE, [
      messages.map(({ dedupe }) => dedupe),
      messages.map(({ key }) => key),
      messages.map(({ body }) => body.id),
      messages.map(({ body }) => body.replay?.id ?? null),
      messages.map(({ body }) => body.replay?.forced ?? null),
      messages.map(({ body }) => Buffer.from(body.body)),
    ]);
  },
});
