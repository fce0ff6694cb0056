/** Postgres crashes at each step of a batch, and comes back: all of the batch or nothing, and the next try takes it. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { openDatabase } from './test/database.js';
import { messageOf, openActor } from './test/harness.js';

const CASES = [
  { when: 'before', step: 'BEGIN', outcome: 'fails' },
  { when: 'before', step: 'FROM events', outcome: 'fails' },
  { when: 'before', step: 'INSERT INTO events', outcome: 'fails' },
  { when: 'during', step: 'INSERT INTO events', outcome: 'fails' },
  { when: 'before', step: 'COMMIT', outcome: 'fails' },
  { when: 'during', step: 'COMMIT', outcome: 'either' },
  { when: 'after', step: 'COMMIT', outcome: 'succeeds' },
] as const;

const NOTHING = { events: 0, payments: 0, blacklisted: 0 };
const ALL = { events: 40, payments: 20, blacklisted: 20 };
// On a machine that does much else at the same time.
t.setTimeout(180_000);

const unavailable = { code: 'TETHER_POSTGRES_UNAVAILABLE', retryable: true };

const database = await openDatabase(t);

for (const { when, step, outcome } of CASES) {
  t.test(`the server crashes ${when} ${step}`, async (t) => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    const batch = ids.flatMap((id) => [
      messageOf(`unique_id=${id}&status=approved`),
      messageOf(`unique_id=${id}&status=chargebacked&rc_code=AC04`),
    ]);
    const kept = async () =>
      (
        await database.rows<typeof ALL>(
          `SELECT (SELECT count(*)::int FROM events WHERE key = ANY($1)) AS events,
             (SELECT count(*)::int FROM payments WHERE id = ANY($1)) AS payments,
             (SELECT count(*)::int FROM blacklist WHERE payment_id = ANY($1)) AS blacklisted`,
          [ids],
        )
      )[0];

    let met = false;
    const actor = await openActor(database.url, {}, async (sql, run) => {
      if (met || !sql.includes(step)) return run();
      met = true;
      if (when === 'before') await database.stop();
      const [result] = await Promise.all([run(), when === 'during' ? database.stop() : undefined]);
      if (when === 'after') await database.stop();
      return result;
    });
    t.teardown(() => actor.close());

    const failure = await actor.receive(batch).then(
      () => undefined,
      (error: unknown) => error,
    );
    t.ok(met, 'the step was met');
    if (outcome === 'fails') t.match(failure, unavailable);
    if (outcome === 'succeeds') t.equal(failure, undefined);
    await database.stop();
    if (failure !== undefined) {
      t.match(failure, unavailable);
      await t.rejects(actor.receive(batch), unavailable, 'while it is away');
    }

    await database.start();
    const after = await kept();
    const committed = after?.events === ALL.events;
    t.strictSame(after, committed ? ALL : NOTHING, 'all or nothing');
    if (outcome === 'fails') t.notOk(committed);
    if (failure === undefined) t.ok(committed, 'what was said to be done is done');

    await actor.receive(batch);
    t.strictSame(await kept(), ALL);
  });
}
