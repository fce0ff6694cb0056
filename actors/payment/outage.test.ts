/** Postgres goes away at each step of a batch, and comes back. */
import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import t from 'tap';
import { messageOf, openActor } from './harness.js';
import { openDatabase } from './harness-database.js';

const STEPS = ['BEGIN', 'FROM payments', 'FROM events', 'INSERT INTO events', 'COMMIT'] as const;

const database = await openDatabase(t);

for (const step of STEPS) {
  for (const when of ['before', 'after'] as const) {
    t.test(`the server stops ${when} ${step}`, async (t) => {
      const actor = await openActor(database.url);
      t.teardown(() => actor.close());
      const ids = Array.from({ length: 20 }, () => randomUUID());
      const batch = ids.flatMap((id) => [
        messageOf(`unique_id=${id}&status=approved`),
        messageOf(`unique_id=${id}&status=chargebacked&rc_code=AC04`),
      ]);
      let stopped = false;
      actor.resources.pool.on('connect', (client: PoolClient) => {
        const { query } = client;
        const run = (parameters: Parameters<typeof query>) => query.apply(client, parameters) as unknown;
        client.query = (async (...parameters: Parameters<typeof query>) => {
          const here = !stopped && textOf(parameters[0]).includes(step);
          if (!here) return run(parameters);
          stopped = true;
          if (when === 'before') await database.server.stop();
          const result = await run(parameters);
          if (when === 'after') await database.server.stop();
          return result;
        }) as typeof query;
      });

      // After COMMIT was answered there is nothing left to fail.
      const committed = step === 'COMMIT' && when === 'after';
      if (committed) await actor.receive(batch);
      else await t.rejects(actor.receive(batch), { code: 'TETHER_POSTGRES_UNAVAILABLE', retryable: true });
      t.ok(stopped, 'the step was met');
      if (!committed) {
        await t.rejects(actor.receive(batch), { code: 'TETHER_POSTGRES_UNAVAILABLE' }, 'while it is away');
      }

      await database.server.start();
      const count = (table: string, column: string) =>
        database.rows<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE ${column} = ANY($1)`, [
          ids,
        ]);
      t.strictSame(await count('events', 'key'), [{ n: committed ? 40 : 0 }], 'all or nothing');
      t.strictSame(await count('payments', 'id'), [{ n: committed ? 20 : 0 }]);
      t.strictSame(await count('blacklist', 'payment_id'), [{ n: committed ? 20 : 0 }]);

      await actor.receive(batch);
      t.strictSame(await count('events', 'key'), [{ n: 40 }]);
      t.strictSame(await count('payments', 'id'), [{ n: 20 }]);
      t.strictSame(await count('blacklist', 'payment_id'), [{ n: 20 }]);
    });
  }
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query;
  const text = typeof query === 'object' && query !== null && 'text' in query ? query.text : undefined;
  return typeof text === 'string' ? text : '';
}
