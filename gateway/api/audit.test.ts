import t from 'tap';
import { AuditTable } from '../../storage/postgres/index.js';
import { startTestPostgres } from '../../storage/postgres/test-server.js';
import { startTestGateway } from '../test/start.js';
import { auditRoutes } from './audit.js';

const TOKEN = 'operators-only';
const { pool } = await startTestPostgres(t);
const audit = new AuditTable(pool);

t.test('the audit log is read page by page, and by what one looks for', async (t) => {
  const AT = Date.parse('2026-11-26T06:00:00Z');
  for (let n = 0; n < 5; n++) {
    const client = n % 2 === 0 ? 'ann' : 'bob';
    await audit.record({
      at: AT + n,
      client,
      action: 'pool.change',
      target: 'payment',
      before: n,
      after: { n },
    });
  }
  const { ask } = await startTestGateway(t, {
    operations: { token: TOKEN, version: '1.0.0', routes: auditRoutes(audit) },
  });
  const get = async (query: string) => {
    const response = await ask({ path: `/api/audit${query}`, headers: [`Authorization: Bearer ${TOKEN}`] });
    return { status: response.status, json: JSON.parse(response.body) };
  };
  const times = (answer: { json: { entries: { at: number }[] } }) =>
    answer.json.entries.map(({ at }) => at - AT);
  const first = await get('?limit=2');
  t.match(first, {
    status: 200,
    json: {
      entries: [{ client: 'ann', action: 'pool.change', target: 'payment', before: 4, after: { n: 4 } }, {}],
    },
  });
  t.strictSame(times(first), [4, 3]);
  const second = await get(`?limit=2&cursor=${first.json.cursor}`);
  t.strictSame(times(second), [2, 1]);
  const third = await get(`?limit=2&cursor=${second.json.cursor}`);
  t.strictSame(times(third), [0]);
  t.equal(third.json.cursor, null);
  t.strictSame(times(await get('?client=bob')), [3, 1]);
  t.strictSame(times(await get('?action=pool.pause')), []);
  t.strictSame(times(await get(`?from=${AT + 3}`)), [4, 3]);
  t.strictSame(times(await get('?to=2026-11-26T07:00:00.002%2B01:00')), [1, 0]);
  for (const query of [
    '?limit=0',
    '?limit=1001',
    '?from=yesterday',
    '?cursor=x',
    '?to=2026-11-26',
    '?who=ann',
  ]) {
    t.match(await get(query), { status: 400, json: { type: 'urn:tether:problem:invalid-query' } }, query);
  }
});
