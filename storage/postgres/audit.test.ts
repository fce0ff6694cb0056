import t from 'tap';
import { AuditTable } from './audit.js';
import { startTestPostgres } from './test-server.js';

const { pool } = await startTestPostgres(t);
const audit = new AuditTable(pool);
const AT = 1_795_000_000_123;
const entry = { at: AT, client: 'ann', action: 'pool.change', target: 'payment', before: null, after: null };

t.test('what was recorded is listed, the latest first, page by page', async (t) => {
  for (let n = 0; n < 5; n++) {
    const client = n % 2 === 0 ? 'ann' : 'bob';
    const action = n === 4 ? 'pool.pause' : 'pool.change';
    await audit.record({ ...entry, at: AT + n, client, action, before: { max: n }, after: { max: n + 1 } });
  }
  const all = await audit.list({ limit: 10 });
  t.match(all, [{ at: AT + 4, action: 'pool.pause', before: { max: 4 }, after: { max: 5 } }, {}, {}, {}, {}]);
  t.match(all[4], { ...entry, before: { max: 0 }, after: { max: 1 } });
  const times = async (filter: object) =>
    (await audit.list({ limit: 10, ...filter })).map(({ at }) => at - AT);
  t.strictSame(await times({ limit: 2 }), [4, 3]);
  t.strictSame(await times({ limit: 2, before: all[1]?.id }), [2, 1]);
  t.strictSame(await times({ client: 'bob' }), [3, 1]);
  t.strictSame(await times({ action: 'pool.pause' }), [4]);
  t.strictSame(await times({ from: AT + 1, to: AT + 3 }), [2, 1], 'the end is not part of it');
  t.strictSame(await times({ client: 'carl' }), []);
});

t.test('whatever was changed is noted', async (t) => {
  const long = 'x'.repeat(70_000);
  const hostile = '\0 \ud800 \u001b "';
  await audit.record({ ...entry, client: hostile, target: long, before: { a: [hostile] }, after: long });
  const [noted] = await audit.list({ limit: 1 });
  t.match(noted, { client: '\ufffd \ufffd \u001b "', before: { a: ['\ufffd \ufffd \u001b "'] } });
  t.strictSame(noted?.after, { omittedChars: 70_002 });
  t.equal(noted?.target.length, 1_000);
  await audit.record({ ...entry, before: undefined, after: 'text' });
  t.match(await audit.list({ limit: 1 }), [{ before: null, after: 'text' }]);
});
