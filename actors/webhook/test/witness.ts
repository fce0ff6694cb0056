/** For tests: an actor as a user's, that writes down each delivery once, in the order in which they come, and counts those that come again. */
import { defineActor } from '../../../runtime/actor.js';
import { silentLogger } from '../../../runtime/logger.js';
import { createPool, inTransaction, type Pool } from '../../../storage/postgres/pool.js';
import type { WebhookDelivery } from '../delivery.js';

export const WITNESSED = `CREATE TABLE witnessed (
  seq bigint GENERATED ALWAYS AS IDENTITY, dedupe text PRIMARY KEY, key text NOT NULL, id text NOT NULL, at timestamptz DEFAULT clock_timestamp())`;

export default defineActor<WebhookDelivery, undefined, Pool>({
  type: 'witness',
  scope: 'key',
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
    await inTransaction(pool, async (client) => {
      for (const { dedupe, key, body } of messages) {
        await client.query(
          'INSERT INTO witnessed (dedupe, key, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
          [dedupe, key, body.id],
        );
      }
    });
  },
});
