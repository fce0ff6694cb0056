/** Whose durable messages a full log takes: those of actors, which empty it, and of nobody else. */
import t from 'tap';
import { decodeEnvelope } from '../envelope.js';
import { MemoryLog } from '../testing/memory-log.js';
import { MemoryReminders } from '../testing/memory-reminders.js';
import { until } from '../testing/until.js';
import { startWorkers } from '../testing/workers.js';

/** Writes down how each message is put on it: its key, and whether it passes on. */
class NotingLog extends MemoryLog {
  readonly noted: string[] = [];
  readonly #known = new Set<string>();

  override open(actor: string) {
    const partitions = super.open(actor);
    if (this.#known.has(actor)) return partitions;
    this.#known.add(actor);
    for (const partition of partitions) {
      const append = partition.append.bind(partition);
      partition.append = (envelope, waiter, passesOn: boolean | undefined = undefined) => {
        this.noted.push(`${decodeEnvelope(envelope).key}: ${passesOn}`);
        append(envelope, waiter);
      };
    }
    return partitions;
  }
}

t.test('an actor passes on unless it says otherwise; others and reminders never do', async (t) => {
  const log = new NotingLog(4);
  const { ref, ask } = await startWorkers(t, [{ type: 'near' }, { type: 'far' }], {
    log,
    reminders: new MemoryReminders(),
  });
  const send = (key: string, asSender: boolean) =>
    ({ type: 'send', to: ['far', key], first: 1, last: 1, durably: true, asSender }) as const;
  await ref('far', 'outside').tellDurably({ type: 'add', from: 'main', n: 1 });
  await ask('near', '1', send('actor', false));
  await ask('near', '1', send('as sender', true));
  await ask('near', 'reminded', { type: 'remind', name: 'soon', afterMs: 1 });
  await until('the reminder has come', () => log.noted.length === 4);
  t.strictSame(log.noted, ['outside: false', 'actor: true', 'as sender: false', 'reminded: false']);
});
