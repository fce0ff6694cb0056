/**
 * Random notifications in random batches, delivered more than once, by two actors in turn, against a model in memory
 * that takes one message after the other. `SEED` repeats a run.
 */
import fc from 'fast-check';
import t from 'tap';
import type { RawMessage } from '../../runtime/message.js';
import { parseNotification } from '../emp/notification.js';
import { concernsPayment } from './decide.js';
import { advance, MOVES } from './status.js';
import { openDatabase } from './test/database.js';
import { messageOf, openActor } from './test/harness.js';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = 25;

// On a machine that does much else at the same time.
t.setTimeout(180_000);

interface ModelPayment {
  status: string;
  amount: string | null;
  trail: string[];
}

class Model {
  readonly events = new Map<string, string>();
  readonly payments = new Map<string, ModelPayment>();

  take(message: RawMessage): void {
    const endpoint = message.key.slice(0, message.key.indexOf(':'));
    const event = `${endpoint} ${message.dedupe}`;
    if (this.events.has(event)) return;
    const notification = parseNotification(message.payload);
    if (!concernsPayment(notification)) {
      this.events.set(event, 'recorded');
      return;
    }
    const { reportedStatus, amountMinor } = notification;
    const payment = this.payments.get(message.key);
    const move = advance(payment?.status, reportedStatus);
    this.events.set(event, move === 'apply' ? 'applied' : move === 'stale' ? 'stale' : 'recorded');
    if (move !== 'apply') return;
    const told = amountMinor === undefined ? null : String(amountMinor);
    if (payment === undefined) {
      this.payments.set(message.key, { status: reportedStatus, amount: told, trail: [message.id] });
      return;
    }
    const open = /^(new|user|submitted|in_progress|pending)/.test(payment.status);
    payment.amount = open ? (told ?? payment.amount) : (payment.amount ?? told);
    payment.status = reportedStatus;
    payment.trail.push(message.id);
  }
}

const id = fc.constantFrom('a', 'b', 'c', 'd:e', '%3A');
const status = fc.constantFrom(...Object.keys(MOVES), 'unheard_of', '');
const amount = fc.constantFrom('', '1', '250', 'x');
const processing = fc
  .tuple(id, status, fc.constantFrom('', 'chargeback', 'retrieval_request', 'chargeback_reversal'), amount)
  .map(([id, status, event, amount]) => form({ unique_id: id, status, event, amount }));
const legacy = fc.tuple(id, id).map(([own, original]) =>
  form({
    unique_id: `own-${own}`,
    transaction_type: 'chargeback',
    original_transaction_unique_id: original,
    status: 'approved',
  }),
);
const wpf = fc.tuple(id, status).map(([id, status]) => form({ wpf_unique_id: id, wpf_status: status }));
const kyc = fc
  .tuple(id, fc.nat({ max: 3 }))
  .map(([id, score]) => form({ reference_id: id, score: `${score}` }));
const delivery = fc.tuple(
  fc.oneof({ weight: 6, arbitrary: processing }, legacy, wpf, kyc),
  fc.constantFrom('one', 'two'),
);
const batch = fc.record({
  deliveries: fc.array(delivery, { minLength: 1, maxLength: 40 }),
  actor: fc.nat({ max: 1 }),
  forget: fc.boolean(),
});

function form(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

t.test('tables and model agree', async (t) => {
  t.comment(`SEED=${seed}`);
  const { url, rows } = await openDatabase(t);
  const actors = [await openActor(url, { idempotencyEntriesMax: 20 }), await openActor(url)];
  t.teardown(() => Promise.all(actors.map((actor) => actor.close())));

  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 8 }), async (batches) => {
      await rows('TRUNCATE events, payments, blacklist');
      for (const actor of actors) actor.resources.recent.clear();
      const model = new Model();
      for (const { deliveries, actor, forget } of batches) {
        const messages = deliveries.map(([body, endpoint]) => messageOf(body, endpoint));
        if (forget) actors[actor]?.resources.recent.clear();
        await actors[actor]?.receive(messages);
        for (const message of messages) model.take(message);
      }

      const events = await rows<{ name: string; status: string }>(
        `SELECT endpoint || ' ' || dedupe AS name, status FROM events ORDER BY seq`,
      );
      t.strictSame(
        events.map(({ name, status }) => [name, status]),
        [...model.events],
      );
      const payments = await rows<ModelPayment & { key: string; history: { message: string }[] }>(
        `SELECT endpoint || ':' || id AS key, status, amount, history FROM payments ORDER BY 1`,
      );
      t.strictSame(
        payments.map(({ key, status, amount, history }) => [
          key,
          { status, amount, trail: history.map(({ message }) => message) },
        ]),
        [...model.payments].sort(([a], [b]) => (a < b ? -1 : 1)),
      );
      if (!t.passing()) throw new Error('tables and model differ');
    }),
    { seed, numRuns: RUNS },
  );
});
