/** Postgres goes away at each step of a batch, and comes back. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { openDatabase } from './test/database.js';
import { messageOf, openActor } from './test/harness.js';

const STEPS = ['BEGIN', 'FROM payments', 'FROM events', 'INSERT INTO events', 'COMMIT'] as const;

const database = await openDatabase(t);

for (const step of STEPS) {
  for (const when of ['before', 'after'] as const) {
    t.test(`the server stops ${when} ${step}`, async (t) => {
      const ids = Array.from({ length: 20 }, () => randomUUID());
      const batch = ids.flatMap((id) => [
        messageOf(`unique_id=${id}&status=approved`),
        messageOf(`unique_id=${id}&status=chargebacked&rc_code=AC04`),
      ]);
      let stopped = false;
      const actor = await openActor(database.url, {}, async (sql, run) => {
        if (stopped || !sql.includes(step)) return run();
        stopped = true;
        if (when === 'before') await database.stop();
        const result = await run();
        if (when === 'after') await database.stop();
        return result;
      });
      t.teardown(() => actor.close());

      // After COMMIT was answered there is nothing left to fail.
      const committed = step === 'COMMIT' && when === 'after';
      if (committed) await actor.receive(batch);
      else await t.rejects(actor.receive(batch), { code: 'TETHER_POSTGRES_UNAVAILABLE', retryable: true });
      t.ok(stopped, 'the step was met');
      if (!committed) {
        await t.rejects(actor.receive(batch), { code: 'TETHER_POSTGRES_UNAVAILABLE' }, 'while it is away');
      }

      await database.start();
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
