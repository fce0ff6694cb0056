import t from 'tap';
import { letter, testDeadLetterStore } from '../dead-letter-contract.js';
import { createDeadLetterStore } from './dead-letters.js';
import { startTestPostgres } from './test-server.js';

const { pool, server } = await startTestPostgres(t);
const store = createDeadLetterStore(pool);

t.beforeEach(async () => {
  await pool.query('TRUNCATE dead_letters');
});

testDeadLetterStore(t, async (_, now) => createDeadLetterStore(pool, now));

t.test('1,200 at once, twice, and twice the same one within', async (t) => {
  const letters = Array.from({ length: 1_200 }, (_, i) => letter({ payload: Buffer.alloc(300, i) }));
  const [first] = letters;
  if (first === undefined) throw new Error('there are letters');
  await store.put([...letters, { ...first, attempts: 6, deadAt: 2_000 }]);
  t.equal(await store.count(), 1_200);
  await store.put(letters);
  t.equal(await store.count(), 1_200);
});

t.test('what a text of Postgres cannot hold is replaced in a cause', async (t) => {
  const put = letter();
  await store.put([{ ...put, cause: { code: 'C\0', message: '\0\uD800', stack: '' } }]);
  t.match((await store.get(put.envelope.id))?.cause, { code: 'C\uFFFD', message: '\uFFFD\uFFFD' });
});

t.test('without a server a put is an outage', async (t) => {
  const put = letter();
  await server.stop();
  await t.rejects(store.put([put]), { code: 'TETHER_POSTGRES_UNAVAILABLE' });
});
