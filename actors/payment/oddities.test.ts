import { randomUUID } from 'node:crypto';
import t from 'tap';
import { silentLogger } from '../../runtime/logger.js';
import { VECTORS } from '../emp/test/vectors.js';
import { readBatch } from './incoming.js';
import { MESSAGES_MAX, odditiesOf } from './oddities.js';
import { openDatabase } from './test/database.js';
import { messageOf, openActor } from './test/harness.js';

const oddities = (...bodies: string[]) => {
  const messages = bodies.map((body) => messageOf(body));
  return { messages, found: odditiesOf([...readBatch(messages, new Set()).values()]) };
};
const NONE = { statusMissing: 0, statusUnknown: 0, amountUnreadable: 0, currencyUnreadable: 0 };

t.test('nothing is odd about what is documented', async (t) => {
  t.equal(oddities(...Object.values(VECTORS)).found, undefined);
  const few = oddities('unique_id=a&status=approved', 'unique_id=a&event=retrieval_request&amount=x');
  t.equal(few.found, undefined, 'an amount may be absent, and what concerns no payment may be anything');
});

t.test('each sort is counted', async (t) => {
  const sorts = {
    'status=': { ...NONE, statusMissing: 1 },
    'status=secret': { ...NONE, statusUnknown: 1 },
    'status=approved&amount=abc': { ...NONE, amountUnreadable: 1 },
    'status=approved&amount=1.5': { ...NONE, amountUnreadable: 1 },
    'status=approved&amount=-5': { ...NONE, amountUnreadable: 1 },
    'status=approved&amount=99999999999999999999999': { ...NONE, amountUnreadable: 1 },
    'status=approved&currency=EURO': { ...NONE, currencyUnreadable: 1 },
    'amount=x&currency=y': { statusMissing: 1, statusUnknown: 0, amountUnreadable: 1, currencyUnreadable: 1 },
  };
  for (const [fields, counts] of Object.entries(sorts)) {
    const { messages, found } = oddities(`unique_id=a&${fields}`);
    t.strictSame(found, { ...counts, messages: [messages[0]?.id] }, fields);
  }
});

t.test('a batch of them names a few', async (t) => {
  const { messages, found } = oddities(
    'unique_id=fine&status=approved',
    ...Array.from({ length: 100 }, (_, i) => `unique_id=person${i}&status=secret`),
  );
  t.match(found, { ...NONE, statusUnknown: 100 });
  t.strictSame(
    found?.messages,
    messages.slice(1, 1 + MESSAGES_MAX).map(({ id }) => id),
  );
  t.notMatch(JSON.stringify(found), /secret|person/);
});

t.test('the actor handles them all, and says so once for what took effect', async (t) => {
  const { rows, url } = await openDatabase(t);
  const lines: object[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => void lines.push(fields) };
  const actor = await openActor(url, {}, undefined, logger);
  t.teardown(() => actor.close());
  const id = randomUUID();
  const batch = ['status=approved&amount=abc&currency=EURO', 'status=unheard_of', 'note=x'].map((fields) =>
    messageOf(`unique_id=${id}&${fields}`),
  );
  await actor.receive(batch);
  actor.resources.recent.clear();
  await actor.receive([...batch, messageOf(`unique_id=${randomUUID()}&status=approved`)]);

  t.strictSame(lines, [
    {
      statusMissing: 1,
      statusUnknown: 1,
      amountUnreadable: 1,
      currencyUnreadable: 1,
      messages: batch.map((message) => message.id),
    },
  ]);
  t.strictSame(await rows('SELECT status, reported_status FROM events WHERE key = $1 ORDER BY seq', [id]), [
    { status: 'applied', reported_status: 'approved' },
    { status: 'recorded', reported_status: 'unheard_of' },
    { status: 'recorded', reported_status: null },
  ]);
  t.strictSame(await rows('SELECT status, amount, currency FROM payments WHERE id = $1', [id]), [
    { status: 'approved', amount: null, currency: null },
  ]);
});
